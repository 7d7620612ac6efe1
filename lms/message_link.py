"""The link in a message: where messages and signing in meet."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.domain.sign_in import LinkError
from accounts.enums import SignInMethod
from accounts.models import User
from accounts.views.entrance import enter, safe_path
from core.clock import now
from reminders.domain import links


@require_http_methods(["GET", "HEAD", "POST"])
def message_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button and consumes nothing: mail scanners open every link. Whoever is signed in here already as
    the person it was sent to goes straight on, and the link stays good for another device.
    """
    try:
        if request.method == "POST":
            opened = links.use(token=token, now=now())
            return enter(request, opened.user, method=SignInMethod.LINK, next_path=opened.path)
        found = links.look(token=token, now=now())
    except LinkError as error:
        if path := links.spent_path(error, request.user):
            return redirect(safe_path(path) or "/")
        known = error.request is not None and error.request.user is not None
        return render(request, "reminders/link_spent.html", {"token": token, "known": known}, status=410)
    if isinstance(request.user, User) and request.user.pk == found.user.pk:
        links.follow(token=token, user=found.user, now=now())
        return redirect(safe_path(found.path) or "/")
    return render(request, "reminders/link.html", {"person": found.user, "token": token})
