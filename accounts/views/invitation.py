"""The invitation's page: one big button."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST

from accounts.domain import invitations
from accounts.enums import SignInMethod
from accounts.views.entrance import enter
from accounts.views.sign_in import send_again


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    """GET changes nothing: mail scanners open every link. The POST consumes the invitation and signs in."""
    try:
        if request.method != "POST":
            invitation = invitations.find(token=token, now=now())
            return render(request, "accounts/invitation.html", {"invitation": invitation, "token": token})
        invitation = invitations.accept(token=token, now=now())
    except invitations.InvitationError as error:
        context = {"token": token, "reason": type(error).__name__, "known": error.invitation is not None}
        return render(request, "accounts/invitation_spent.html", context, status=410)
    return enter(request, invitation.user, method=SignInMethod.INVITATION, next_path=invitation.next_path)


@require_POST
def new_link(request: HttpRequest, token: str) -> HttpResponse:
    """A fresh link goes to the person the invitation was made for, whoever holds the old one."""
    try:
        invitations.find(token=token, now=now())
    except invitations.InvitationError as error:
        if error.invitation is None:
            return redirect("account_login")
        return send_again(request, error.invitation.user, next_path=error.invitation.next_path)
    return redirect("accounts:invitation", token=token)
