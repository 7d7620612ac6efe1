"""Inviting doctors who have no account yet: a file, a trial run with its report, then the same file for good."""

import secrets
import zlib
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from accounts.domain.people_table import UnreadableTableError
from courses.domain.invitations import ImportReport, import_people
from courses.forms import InviteForm
from courses.models import Programme

SHOWN = 100
KEPT_SECONDS = 30 * 60


def invite_view(admin: ModelAdmin, request: HttpRequest, programme: Programme) -> HttpResponse:
    form = InviteForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {
        **admin.admin_site.each_context(request),
        "title": _("Invite doctors to “%(programme)s”") % {"programme": programme},
        "opts": admin.opts,
        "programme": programme,
        "form": form,
        "shown": SHOWN,
    }
    if request.method == "POST" and "confirmed" in request.POST:
        return _invite(request, programme)
    if request.method == "POST" and form.is_valid():
        content = form.cleaned_data["file"].read()
        try:
            context["report"] = _run(request, programme, content, dry_run=True, send=True)
        except UnreadableTableError as unreadable:
            form.add_error("file", str(unreadable))
        else:
            context["token"] = _keep(request, programme, content)
            context["hold"] = form.cleaned_data["hold"]
    return TemplateResponse(request, "admin/courses/programme/invite.html", context)


def _invite(request: HttpRequest, programme: Programme) -> HttpResponse:
    """The very bytes of the trial run; when they are gone, nothing is guessed: the file has to be chosen again."""
    content = _kept(request, programme)
    if content is None:
        messages.error(request, _("This took too long. Please choose the file again."))
        return HttpResponseRedirect(reverse("admin:courses_programme_invite", args=(programme.pk,)))
    report = _run(request, programme, content, dry_run=False, send="hold" not in request.POST)
    text = ngettext("%(n)d doctor is enrolled now.", "%(n)d doctors are enrolled now.", report.enrolled)
    messages.success(request, text % {"n": report.enrolled})
    if report.invited:
        text = ngettext("%(n)d invitation is prepared.", "%(n)d invitations are prepared.", report.invited)
        messages.success(request, text % {"n": report.invited})
    address = reverse("admin:courses_enrolment_changelist")
    return HttpResponseRedirect(f"{address}?programme__id__exact={programme.pk}")


def _run(request: HttpRequest, programme: Programme, content: bytes, *, dry_run: bool, send: bool) -> ImportReport:
    actor: Any = request.user
    return import_people(
        programme=programme,
        content=content,
        actor=actor,
        now=timezone.now(),
        dry_run=dry_run,
        skip_bad=True,
        send=send,
    )


def _keep(request: HttpRequest, programme: Programme, content: bytes) -> str:
    """For half an hour and this person only. A form field would be far over the limit for 20,000 rows."""
    token = secrets.token_urlsafe(16)
    cache.set(_key(request, programme, token), zlib.compress(content), timeout=KEPT_SECONDS)
    return token


def _kept(request: HttpRequest, programme: Programme) -> bytes | None:
    """Once: a second press of the button finds nothing."""
    key = _key(request, programme, request.POST.get("token", "")[:64])
    packed: bytes | None = cache.get(key)
    cache.delete(key)
    return None if packed is None else zlib.decompress(packed)


def _key(request: HttpRequest, programme: Programme, token: str) -> str:
    return f"invite:{request.user.pk}:{programme.pk}:{token}"
