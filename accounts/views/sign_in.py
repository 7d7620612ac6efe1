"""By e-mail, by code, by password; and out again."""

from typing import Any

from django.contrib.auth import authenticate, logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain import sessions, sign_in
from accounts.domain.audit import record
from accounts.enums import SignInMethod
from accounts.forms import CodeForm, EmailForm, PasswordSignInForm
from accounts.models import User
from accounts.views.entrance import await_code, enter, masked, safe_path, too_many
from core.http import client_address

PAGE = ["GET", "HEAD", "POST"]


@require_http_methods(PAGE)
def start(request: HttpRequest) -> HttpResponse:
    """The same answer for every address: on to the page for the code."""
    next_path = safe_path(request.POST.get("next") or request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(next_path or "/")
    form = EmailForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "next": next_path, "ended": request.session.get(sessions.DEVICE_ENDED)}
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/sign_in.html", context)
    email = form.cleaned_data["email"]
    try:
        pending = sign_in.request_sign_in(email=email, address=client_address(request), next_path=next_path, now=now())
    except sign_in.TooManyError as error:
        return _wait(request, "accounts/sign_in.html", context, error)
    return await_code(request, pending, email=email)


@sensitive_post_parameters("code")
@require_http_methods(PAGE)
def code(request: HttpRequest) -> HttpResponse:
    email = request.session.get(sessions.PENDING_EMAIL)
    if not email:
        return redirect("account_login")
    form = CodeForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "email": email}
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/sign_in_code.html", context)
    try:
        used = sign_in.use_code(
            request_id=request.session.get(sessions.PENDING),
            code=form.cleaned_data["code"],
            address=client_address(request),
            now=now(),
        )
    except sign_in.TooManyError as error:
        return _wait(request, "accounts/sign_in_code.html", context, error)
    except sign_in.CodeError as error:
        form.add_error("code", _wrong_code(error.attempts_left))
        return render(request, "accounts/sign_in_code.html", {**context, "spent": not error.attempts_left})
    return _enter(request, used.user, SignInMethod.CODE, used.next_path)


@require_http_methods(PAGE)
def link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button and changes nothing: mail scanners open every link. The POST consumes it."""
    try:
        if request.method != "POST":
            found = sign_in.find_link(token=token, now=now())
            return render(request, "accounts/sign_in_link.html", {"person": found.user, "token": token})
        used = sign_in.use_link(token=token, now=now())
    except sign_in.LinkError as error:
        known = error.request is not None and error.request.user is not None
        return render(request, "accounts/link_spent.html", {"token": token, "known": known}, status=410)
    return _enter(request, used.user, SignInMethod.LINK, used.next_path)


@require_POST
def new_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the page of a spent link. Whoever holds an old link may have a new one sent to its owner, no more."""
    try:
        sign_in.find_link(token=token, now=now())
    except sign_in.LinkError as error:
        spent = error.request
        if spent is None or spent.user is None:
            return redirect("account_login")
        return send_again(request, spent.user, next_path=spent.next_path)
    return redirect("accounts:sign_in_link", token=token)


def send_again(request: HttpRequest, person: User, *, next_path: str) -> HttpResponse:
    try:
        pending = sign_in.request_sign_in_again(
            user=person, address=client_address(request), next_path=next_path, now=now()
        )
    except sign_in.TooManyError as error:
        return _wait(request, "accounts/sign_in.html", {"form": EmailForm()}, error)
    return await_code(request, pending, email=masked(person.email))


@sensitive_post_parameters("password")
@require_http_methods(PAGE)
def password(request: HttpRequest) -> HttpResponse:
    """Unknown address, wrong password, no password and disabled account answer alike, after the same work."""
    next_path = safe_path(request.POST.get("next") or request.GET.get("next"))
    if request.user.is_authenticated:
        return redirect(next_path or "/")
    form = PasswordSignInForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "next": next_path}
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/sign_in_password.html", context)
    try:
        person = _by_password(request, form.cleaned_data)
    except sign_in.TooManyError as error:
        return _wait(request, "accounts/sign_in_password.html", context, error)
    if person is None:
        form.add_error(None, _("That address and password do not go together."))
        return render(request, "accounts/sign_in_password.html", context)
    return _enter(request, person, SignInMethod.PASSWORD, next_path)


def _by_password(request: HttpRequest, given: dict[str, str]) -> User | None:
    address = client_address(request)
    sign_in.begin_password_attempt(email=given["email"], address=address)
    person = authenticate(request, email=given["email"].lower(), password=given["password"])
    if isinstance(person, User) and sign_in.may_sign_in(person):
        sign_in.password_was_right(email=given["email"])
        return person
    sign_in.note_failure(address=address)
    record("sign_in.refused", request=request, details={"by": "password"}, now=now())
    return None


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseRedirect:
    logout(request)
    return redirect("account_login")


def admin_entrance(request: HttpRequest) -> HttpResponse:
    """In place of the admin's own password form, which knows neither limits nor second steps."""
    next_path = safe_path(request.GET.get("next")) or "/admin/"
    if request.user.is_authenticated:
        if not request.user.is_staff:
            raise PermissionDenied
        return redirect(next_path)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': next_path})}")


def _enter(request: HttpRequest, person: User | None, method: SignInMethod, next_path: str) -> HttpResponse:
    if person is None:  # a request of an unknown address is never usable, and ends in an error before
        return redirect("account_login")
    return enter(request, person, method=method, next_path=next_path)


def _wait(request: HttpRequest, template: str, context: dict[str, Any], error: sign_in.TooManyError) -> HttpResponse:
    response = render(request, template, {**context, **too_many(error)}, status=429)
    response["Retry-After"] = str(error.retry_after_seconds)
    return response


def _wrong_code(attempts_left: int) -> str:
    if attempts_left:
        return _("This is not the code. Please look again: it is the newest e-mail that counts.")
    return _("This code no longer works. Please ask for a new e-mail.")
