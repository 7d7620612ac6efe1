"""What people see and change about themselves."""

import uuid
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain import devices, people
from accounts.enums import DeviceEnd
from accounts.forms import LanguageForm, NewPasswordForm, ProfileForm, TimeZoneForm
from accounts.models import Device, User
from accounts.rules import person_of
from accounts.views.entrance import safe_path
from core.languages import spoken

PAGE = ["GET", "HEAD", "POST"]


def _device(request: HttpRequest) -> Device | None:
    device: Device | None = getattr(request, "device", None)
    return device


@login_required
@require_http_methods(PAGE)
def profile(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    # The form writes into the instance it is given, valid or not; the page's header shows the person as they are.
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=person.pk))
    if request.method == "POST" and form.is_valid():
        values = {name: form.cleaned_data[name] for name in people.PROFILE_FIELDS if name in form.cleaned_data}
        people.update_profile(user=person, values=values, now=now())
        with override(spoken(person.language)):
            messages.success(request, _("Saved."))
        return redirect("accounts:profile")
    context = {"form": form, "tab": "profile", "councils": people.council_names()}
    return render(request, "accounts/profile.html", context)


@login_required
@require_POST
def time_zone(request: HttpRequest) -> HttpResponseRedirect:
    form = TimeZoneForm(request.POST)
    if form.is_valid():
        zone = form.cleaned_data["timezone"]
        people.confirm_timezone(user=person_of(request), timezone=zone, now=now())
        messages.success(request, _("Times are now shown for %(zone)s.") % {"zone": zone.replace("_", " ")})
    else:
        messages.error(request, _("Your device reported an unknown time zone. Please choose it here."))
        return redirect("accounts:profile")
    return redirect(safe_path(request.POST.get("next")) or "accounts:profile")


@require_POST
def language(request: HttpRequest) -> HttpResponseRedirect:
    """For the signed-in it is kept with the person, for everybody else in a cookie of this browser."""
    form = LanguageForm(request.POST)
    response = redirect(safe_path(request.POST.get("next")) or "/")
    if form.is_valid():
        code = form.cleaned_data["language"]
        if isinstance(request.user, User):
            people.choose_language(user=request.user, language=code)
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, code, max_age=365 * 86400, samesite="Lax")
    return response


@login_required
@require_http_methods(["GET", "HEAD"])
def device_list(request: HttpRequest) -> HttpResponse:
    current = _device(request)
    found = list(Device.objects.open().filter(user=person_of(request)))
    found.sort(key=lambda device: current is None or device.pk != current.pk)  # this one first, the rest as seen
    context: dict[str, Any] = {"devices": found, "current": current, "limit": settings.DEVICE_LIMIT, "tab": "devices"}
    return render(request, "accounts/devices.html", context)


@login_required
@require_POST
def end_device(request: HttpRequest, device_id: uuid.UUID) -> HttpResponseRedirect:
    try:
        ended = devices.end_own_device(user=person_of(request), device_id=device_id, now=now())
    except devices.DeviceNotFoundError as absent:
        raise Http404 from absent
    messages.success(request, _("%(device)s is signed out.") % {"device": ended.name})
    return redirect("accounts:devices")


@login_required
@require_POST
def end_other_devices(request: HttpRequest) -> HttpResponseRedirect:
    devices.end_all_devices(
        user=person_of(request), except_device=_device(request), reason=DeviceEnd.REVOKED, now=now()
    )
    messages.success(request, _("All other devices are signed out."))
    return redirect("accounts:devices")


@sensitive_post_parameters("password")
@login_required
@require_http_methods(PAGE)
def password(request: HttpRequest) -> HttpResponse:
    """Asks who it is first, unless the sign-in was minutes ago: that is also the way back for a forgotten password."""
    person, device = person_of(request), _device(request)
    if not did_recently_reauthenticate(request):  # allauth's decorator would keep the posted password in the session
        method = get_adapter(request).get_reauthentication_methods(person)[0]
        return redirect(f"{method['url']}?{urlencode({'next': request.path})}")
    form = NewPasswordForm(request.POST or None, user=person)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/password.html", {"form": form, "tab": "security"})
    people.set_password(user=person, password=form.cleaned_data["password"], keep_device=device, now=now())
    update_session_auth_hash(request, person)
    if device is not None:
        devices.move_device(device=device, session_key=request.session.session_key or "")
    messages.success(request, _("Your password is set. Other devices were signed out."))
    return redirect("mfa_index")
