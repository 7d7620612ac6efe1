"""The door of a webinar, for doctors without an invitation: nobody is signed in here."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain.sign_in import TooManyError
from core.clock import now
from core.http import client_address
from courses.rules import get_enrolment_for
from webinars.domain import spot
from webinars.enums import SpotState
from webinars.forms import SpotForm
from webinars.models import SpotRequest, SpotWindow

TICKET_SALT = "webinars.door"
TICKET_SECONDS = 86_400
REFRESH_SECONDS = 15  # of the waiting page where no script runs


@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, slug: str) -> HttpResponse:
    """GET changes nothing. POST asks to be let in; the answer is the same whoever asks."""
    window = window_of(slug)
    if request.user.is_authenticated and get_enrolment_for(request.user, window.webinar.lesson.course.programme):
        return redirect("webinars:watch", window.webinar_id)
    ticket = ticket_of(request, window)
    if request.method != "POST":
        if ticket:
            return _waiting(request, window, ticket)
        return _page(request, window, SpotForm(initial=_known(request)))
    form = SpotForm(request.POST)
    if not form.is_valid():
        return _page(request, window, form, status=200 if spot.door_of(window, now=now()) == spot.Door.OPEN else 403)
    try:
        ticket = _ask(request, window, form)
    except (spot.DoorBusyError, TooManyError) as error:
        return _busy(request, window, form, error.retry_after_seconds)
    except spot.DoorClosedError:
        return _page(request, window, form, status=403)
    return _remember(redirect("door", slug), request, window, ticket)


@require_safe
def state(request: HttpRequest, slug: str) -> JsonResponse:
    """What the waiting page asks every few seconds: one look-up by an index."""
    window = window_of(slug)
    found = spot.find_ticket(window=window, ticket=ticket_of(request, window))
    return JsonResponse({"state": found.state if found else SpotState.PENDING})


def _ask(request: HttpRequest, window: SpotWindow, form: SpotForm) -> str:
    if form.is_robot:
        return spot.phantom_ticket()
    address = client_address(request)
    return spot.ask_to_be_let_in(window=window, asker=form.asker(), address=address, now=now())


def send_link(request: HttpRequest, window: SpotWindow, ticket: str) -> HttpResponse:
    found = spot.find_ticket(window=window, ticket=ticket)
    if found is None or found.state != SpotState.APPROVED:
        return redirect("door", window.slug)
    try:
        spot.send_entrance(window=window, request=found, address=client_address(request), now=now())
    except TooManyError as error:
        return _busy(request, window, SpotForm(), error.retry_after_seconds)
    return render(request, "webinars/spot/by_mail.html", {"window": window, "asked": found, "was_sent": True})


def _page(request: HttpRequest, window: SpotWindow, form: SpotForm, *, status: int = 200) -> HttpResponse:
    context = {"window": window, "webinar": window.webinar, "form": form, "door": spot.door_of(window, now=now())}
    return render(request, "webinars/spot/door.html", context, status=status)


def _waiting(request: HttpRequest, window: SpotWindow, ticket: str) -> HttpResponse:
    """A ticket that waits for nothing waits like all others."""
    found = spot.find_ticket(window=window, ticket=ticket)
    context: dict[str, Any] = {"window": window, "webinar": window.webinar, "asked": found}
    if found is None or found.state == SpotState.PENDING:
        return render(request, "webinars/spot/waiting.html", context | {"refresh_seconds": REFRESH_SECONDS})
    if found.state == SpotState.DENIED:
        return render(request, "webinars/spot/denied.html", context)
    template = "webinars/spot/by_mail.html" if _is_by_rule(found) else "webinars/spot/approved.html"
    return render(request, template, context)


def _is_by_rule(asked: SpotRequest) -> bool:
    return asked.decided_by_id is None


def _busy(request: HttpRequest, window: SpotWindow, form: SpotForm, seconds: int) -> HttpResponse:
    context = {"window": window, "webinar": window.webinar, "form": form, "wait_minutes": (seconds + 59) // 60}
    response = render(request, "webinars/spot/door.html", context | {"door": spot.Door.OPEN}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def window_of(slug: str) -> SpotWindow:
    found = SpotWindow.objects.select_related("webinar__lesson__course__programme", "webinar__video")
    window = found.filter(slug=slug).first() if len(slug) <= 24 and "\x00" not in slug else None
    if window is None:
        raise Http404
    return window


def _known(request: HttpRequest) -> dict[str, Any]:
    """What a signed-in doctor of another programme need not type again."""
    person = request.user
    if not person.is_authenticated:
        return {}
    names = ("email", "first_name", "last_name", "country", "medical_council", "registration_number")
    return {name: getattr(person, name) for name in names}


def forget_ticket(response: HttpResponse, window: SpotWindow) -> HttpResponse:
    response.delete_cookie(_cookie(window), path=_path(window))
    return response


def _cookie(window: SpotWindow) -> str:
    return f"door_{window.pk}"


def _path(window: SpotWindow) -> str:
    return f"/door/{window.slug}/"


def watch_path(window: SpotWindow) -> str:
    return f"/webinars/{window.webinar_id}/"


def ticket_of(request: HttpRequest, window: SpotWindow) -> str:
    """Signed, so that only tickets made here are looked up."""
    value = request.get_signed_cookie(_cookie(window), default="", salt=TICKET_SALT, max_age=TICKET_SECONDS)
    return str(value)


def _remember(response: HttpResponseRedirect, request: HttpRequest, window: SpotWindow, ticket: str) -> HttpResponse:
    response.set_signed_cookie(
        _cookie(window),
        ticket,
        salt=TICKET_SALT,
        max_age=TICKET_SECONDS,
        path=_path(window),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response
