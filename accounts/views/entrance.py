"""What every way in ends with."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.domain import sessions
from accounts.domain.people import adopt_timezone
from accounts.enums import SignInMethod
from accounts.models import SignInRequest, User

# Sessions of people who asked for a mail and never came are swept after this time, not after a month.
WAITING_SECONDS = 3600


def safe_path(path: str | None) -> str:
    """A path of this site, or nothing: what stands behind `next=` was written by whoever made the link."""
    if path and path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        return path
    return ""


def enter(request: HttpRequest, user: User, *, method: SignInMethod, next_path: str = "") -> HttpResponse:
    """Signs in through allauth's stages, so that a second step is asked whatever the first one was.

    A person already signed in here is signed out first: the old session and its device end properly.
    """
    if request.user.is_authenticated:
        logout(request)
    for key in (sessions.PENDING, sessions.PENDING_EMAIL, sessions.DEVICE_ENDED):
        request.session.pop(key, None)
    request.session.set_expiry(None)
    request.session[sessions.METHOD] = method
    adopt_timezone(user=user, timezone=request.POST.get("timezone", ""))
    record_authentication(request, user, method=method, reauthenticated=True)
    response: HttpResponse = perform_login(request, Login(user=user, redirect_url=safe_path(next_path) or None))
    return response


def await_code(request: HttpRequest, pending: SignInRequest, *, email: str) -> HttpResponseRedirect:
    """Binds the code to this browser: the row's id goes into its session, and nowhere else."""
    request.session.set_expiry(WAITING_SECONDS)
    request.session[sessions.PENDING] = pending.pk
    request.session[sessions.PENDING_EMAIL] = email
    return HttpResponseRedirect(reverse("accounts:sign_in_code"))


def masked(email: str) -> str:
    """'m•••@example.org': enough to know which mailbox to open, for somebody who looks over the shoulder too little."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def too_many(error: Any) -> dict[str, Any]:
    """Context of a page that asks to wait, in whole minutes."""
    return {"wait_minutes": (error.retry_after_seconds + 59) // 60}
