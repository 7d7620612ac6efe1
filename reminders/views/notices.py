"""Notices in the browser: its own script asks for leave and posts what the browser gave."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.rules import person_of
from core.clock import now
from reminders.domain import notices, preferences

WORKER = Path("js", "notices-worker.js")


@require_POST
@login_required
def add(request: HttpRequest) -> HttpResponse:
    given = {name: request.POST.get(name, "") for name in ("endpoint", "p256dh", "auth")}
    if not preferences.notices_key():
        raise Http404
    agent = request.headers.get("User-Agent", "")
    try:
        device = getattr(request, "device", None)
        notices.add_browser(user=person_of(request), device=device, user_agent=agent, now=now(), **given)
    except notices.NoSubscriptionError:
        return HttpResponseBadRequest()
    messages.success(request, _("Notices are on in this browser."))
    return redirect("reminders:preferences")


@require_POST
@login_required
def end(request: HttpRequest, subscription_id: int) -> HttpResponse:
    if not notices.end_browser(user=person_of(request), subscription_id=subscription_id, now=now()):
        raise Http404
    messages.success(request, _("No more notices in that browser."))
    return redirect("reminders:preferences")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """A worker only reaches what is below its own address: this one must come from the root, not from /static/."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> str:
    return (Path(settings.BASE_DIR) / "static" / WORKER).read_text()
