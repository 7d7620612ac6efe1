"""Who is asking, from which device, in which language and time zone; and the second step before staff pages."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _

from accounts.domain import devices, mail, sessions
from accounts.enums import DeviceEnd
from accounts.models import Device, User
from accounts.rules import SecondStepNeededError, needs_second_step
from core.hashing import HashPoolBusyError
from core.languages import spoken

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# The administration, and reports that name doctors.
STAFF_PREFIXES = ("/admin/", "/reports/")


class DeviceMiddleware:
    """Sets `request.device` and `request.user` with one query for both; after AuthenticationMiddleware, whose lazy
    look-up it makes unnecessary.

    A session whose device ended is signed out on the spot, and the reason is kept for the sign-in page. A device that
    was ended elsewhere has lost its session already; it is recognised by the key in its cookie.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.device = None  # type: ignore[attr-defined]  # see accounts.http.DeviceRequest
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if cookie and not devices.could_be_session_key(cookie):
            # A NUL in it would be an error of the database, and of Django's session store before that.
            request.session, cookie = type(request.session)(), None
        if SESSION_KEY in request.session:
            self._check(request)
        elif cookie and (reason := devices.end_of_session(cookie)):
            self._explain(request, reason)
        return self.get_response(request)

    def _check(self, request: HttpRequest) -> None:
        at = now()
        key = request.session.session_key or ""
        device: Device | None = devices.device_of_session(key)
        if device is None:
            self._sign_out(request, devices.end_of_session(key) or DeviceEnd.DISABLED)
        elif devices.is_expired(device, user=device.user, now=at):
            devices.end_device(device=device, reason=DeviceEnd.EXPIRED, now=at)
            self._sign_out(request, DeviceEnd.EXPIRED)
        elif not devices.session_belongs(request.session, device.user):
            devices.end_device(device=device, reason=DeviceEnd.PASSWORD, now=at)
            self._sign_out(request, DeviceEnd.PASSWORD)
        else:
            devices.mark_seen(device=device, now=at)
            self._set(request, device.user)
            request.device = device  # type: ignore[attr-defined]

    def _sign_out(self, request: HttpRequest, reason: str) -> None:
        self._set(request, AnonymousUser())
        logout(request)
        self._explain(request, reason)

    @staticmethod
    def _set(request: HttpRequest, user: User | AnonymousUser) -> None:
        request._cached_user = user  # type: ignore[attr-defined]  # noqa: SLF001  # what Django's own look-up would set

    @staticmethod
    def _explain(request: HttpRequest, reason: str) -> None:
        if reason != DeviceEnd.SIGNED_OUT:
            request.session[sessions.DEVICE_ENDED] = reason


class PreferencesMiddleware:
    """The signed-in person's language and time zone, for everything the request says."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        translation.activate(spoken(user.language))
        request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(mail.zone_of(user)):
            return self.get_response(request)


class StaffSecondStepMiddleware:
    """No page for staff, not even an index, before a second step: enrolled when there is none, asked for otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not request.path_info.startswith(STAFF_PREFIXES) or not user.is_authenticated:
            return self.get_response(request)
        device: Any = getattr(request, "device", None)
        if not needs_second_step(user, device):
            return self.get_response(request)
        return self._lead_there(request, user)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Elsewhere only some of what staff may read asks for it: see `accounts.rules.require_second_step`."""
        if isinstance(error, SecondStepNeededError) and isinstance(request.user, User):
            return self._lead_there(request, request.user)
        return None

    @staticmethod
    def _lead_there(request: HttpRequest, user: User) -> HttpResponse:
        for kind, page in (
            (Authenticator.Type.TOTP, "mfa_reauthenticate"),
            (Authenticator.Type.WEBAUTHN, "mfa_reauthenticate_webauthn"),
        ):
            if is_mfa_enabled(user, types=[kind]):
                return HttpResponseRedirect(f"{reverse(page)}?{urlencode({'next': request.path})}")
        messages.info(request, _("Before you open the administration, protect your account with a second step."))
        return HttpResponseRedirect(reverse("mfa_activate_totp"))


class HashPoolMiddleware:
    """Too many passwords at once: come back in some seconds. Everything without a password goes on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, HashPoolBusyError):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(error.retry_after_seconds)
        return response
