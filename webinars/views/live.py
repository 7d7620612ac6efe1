"""The forms of a live webinar's page, for those whose browser runs no script; the API does the same for the others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.clock import now
from webinars.domain import polls, questions, visits
from webinars.domain.lanes import LaneError
from webinars.domain.polls import PollError
from webinars.domain.questions import QuestionError
from webinars.domain.registrations import RegistrationError, cancel_registration, register
from webinars.domain.texts import TextError
from webinars.models import Webinar
from webinars.rules import Part, get_room_for, part_of
from webinars.views.stages import DeviceRequest

REFUSALS = (LaneError, PollError, QuestionError, RegistrationError, TextError, visits.VisitError)


@contextmanager
def told(request: HttpRequest, success: str = "") -> Iterator[None]:
    """Says on the next page what was done, or why not."""
    try:
        yield
    except REFUSALS as refused:
        messages.error(request, str(refused.message))
    else:
        if success:
            messages.success(request, success)


def back(webinar: Webinar, place: str = "") -> HttpResponse:
    return redirect(f"{reverse('webinars:watch', args=[webinar.pk])}{place}")


@require_POST
@login_required
def registration(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    given: dict[str, Any] = {"webinar": webinar, "user": request.user, "request": request, "now": now()}
    if request.POST.get("do") == "cancel":
        cancel_registration(**given)
        messages.success(request, _("Your place was given back."))
    else:
        with told(request, _("You are registered.")):
            register(**given)
    return back(webinar)


@require_POST
@login_required
def ask(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    with told(request, _("Your question was sent to the moderators.")):
        questions.ask(
            webinar=webinar,
            author=request.user,
            text=request.POST.get("text", ""),
            is_anonymous="anonymous" in request.POST,
            client_key=_key(request),
            now=now(),
        )
    return back(webinar, "#own")


@require_POST
@login_required
def say(request: DeviceRequest, webinar_id: int, question_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    with told(request):
        questions.say(
            webinar=webinar,
            author=request.user,
            question_id=question_id,
            text=request.POST.get("text", ""),
            client_key=_key(request),
            now=now(),
        )
    return back(webinar, "#own")


@require_POST
@login_required
def vote(request: DeviceRequest, webinar_id: int, question_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    work: Callable[..., None] = questions.unvote if request.POST.get("do") == "unvote" else questions.vote
    with told(request):
        work(webinar=webinar, user=request.user, question_id=question_id, now=now())
    return back(webinar, "#published")


@require_POST
@login_required
def poll_vote(request: DeviceRequest, webinar_id: int, poll_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    chosen = [int(one) for one in request.POST.getlist("choice") if _is_number(one)]
    words = [one for one in request.POST.getlist("word") if one.strip()]
    with told(request, _("Your vote was counted.")):
        polls.vote(webinar=webinar, user=request.user, poll_id=poll_id, choices=chosen, words=words, now=now())
    return back(webinar, "#polls")


@require_POST
@login_required
def meeting(request: DeviceRequest, webinar_id: int) -> HttpResponseBase:
    """Into the meeting elsewhere. A page that leads on, because the policy lets no form end on another site."""
    webinar = get_room_for(request.user, webinar_id)
    try:
        needs_place = part_of(request.user, webinar) is Part.ATTENDEE
        visits.join(webinar=webinar, user=request.user, needs_place=needs_place, now=now())
    except visits.VisitError as refused:
        messages.error(request, str(refused.message))
        return back(webinar)
    return render(request, "webinars/live/meeting.html", {"webinar": webinar})


@require_POST
@login_required
def meeting_keep(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    """The page is still open: 204. 404: there is no visit to keep, or none any more."""
    webinar = get_room_for(request.user, webinar_id)
    if not visits.keep(webinar=webinar, user=request.user, now=now()):
        raise Http404
    return HttpResponse(status=204)


@require_POST
@login_required
def meeting_leave(request: DeviceRequest, webinar_id: int) -> HttpResponse:
    webinar = get_room_for(request.user, webinar_id)
    visits.leave(webinar=webinar, user=request.user, now=now())
    return back(webinar)


def _key(request: HttpRequest) -> UUID:
    """The form carries a key of its own, so that pressing the button twice asks once."""
    try:
        return UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Http404 from error


def _is_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(text) < 6
