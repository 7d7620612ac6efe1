"""Ending one way of being written to, from the foot of a message."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.clock import now
from core.languages import spoken
from reminders.domain import unsubscribing


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing. POST comes from the button or from a mail provider (RFC 8058), which has neither a
    session nor our CSRF token and takes no redirect: what opens it is the token in the address.
    """
    try:
        found = unsubscribing.find(token)
    except unsubscribing.UnknownTokenError:
        return render(request, "reminders/unsubscribe_unknown.html", status=404)
    with translation.override(spoken(found.user.language)):  # of the message that led here
        if request.method == "POST":
            found = unsubscribing.switch(token=token, on=request.POST.get("do") == "start", now=now())
        context = {"found": found, "token": token, "is_done": request.method == "POST"}
        return render(request, "reminders/unsubscribe.html", context)
