"""The moderators' desk inside the admin: its pages, and what its script asks of them. All writing but that of the
webinar's state goes through the API, as everywhere.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.domain import audit
from accounts.rules import person_of
from courses.domain.lesson_kinds import inner_of
from webinars.admin.desk_words import WORDS
from webinars.domain import schedule, spot
from webinars.domain.desk_door import find_request, waiting_at_door
from webinars.domain.desk_overview import desk_overview, desk_status, webinars_to_moderate
from webinars.domain.desk_people import people_with
from webinars.enums import Lane, LaneAccessLevel, PollKind
from webinars.models import SpotRequest, Webinar
from webinars.rules import Part, get_moderated_webinar

# Which lanes can be opened and closed for whom; `domain.lanes` refuses to go further, whatever is set.
LANE_ROWS = (
    (Part.ATTENDEE, Lane.ATTENDEE),
    (Part.ATTENDEE, Lane.PUBLISHED),
    (Part.PRESENTER, Lane.PRESENTER),
    (Part.PRESENTER, Lane.PUBLISHED),
)
STATE_MOVES: dict[str, Callable[..., Webinar]] = {
    "go-live": schedule.go_live,
    "end": schedule.end_webinar,
    "cancel": schedule.cancel_webinar,
}
DOOR_MOVES: dict[str, Callable[..., SpotRequest]] = {
    "approve": spot.approve,
    "deny": spot.deny,
    "put-back": spot.put_back,
}


@require_GET
def desk_list(request: HttpRequest) -> HttpResponse:
    rows = webinars_to_moderate(user=person_of(request), now=now())
    return TemplateResponse(
        request, "admin/webinars/desk_list.html", _context(request, title=_("Webinars to moderate"), rows=rows)
    )


@require_GET
def desk(request: HttpRequest, webinar_id: int) -> HttpResponse:
    """Everything stands in the page when it is opened; that somebody looked is in the audit trail."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    moment = now()
    audit.record("desk.opened", actor=person_of(request), subject=webinar, request=request, now=moment)
    context = _context(
        request,
        title=str(webinar),
        webinar=webinar,
        overview=desk_overview(webinar=webinar, user=person_of(request), now=moment),
        addresses=_addresses(webinar),
        words=WORDS,
        lane_rows=[(part, lane, f"{part.value}-{lane.value}") for part, lane in LANE_ROWS],
        lanes=Lane,
        levels=LaneAccessLevel,
        poll_kinds=PollKind,
        has_checks=bool(inner_of(lesson=webinar.lesson)),
        doors=webinar.spot_windows.order_by("opens_at"),
    )
    return TemplateResponse(request, "admin/webinars/desk.html", context)


@require_GET
def data(request: HttpRequest, webinar_id: int) -> JsonResponse:
    """The same again for a desk that has missed too much."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    return JsonResponse(desk_overview(webinar=webinar, user=person_of(request), now=now()))


@require_GET
def status(request: HttpRequest, webinar_id: int) -> JsonResponse:
    webinar = get_moderated_webinar(request.user, webinar_id)
    return JsonResponse(desk_status(webinar=webinar, now=now()))


@require_GET
def people(request: HttpRequest, webinar_id: int) -> JsonResponse:
    webinar = get_moderated_webinar(request.user, webinar_id)
    return JsonResponse(people_with(webinar=webinar, search=request.GET.get("q", ""), now=now()))


@require_GET
def door(request: HttpRequest, webinar_id: int) -> JsonResponse:
    webinar = get_moderated_webinar(request.user, webinar_id)
    return JsonResponse(waiting_at_door(webinar=webinar))


@require_POST
def decide(request: HttpRequest, webinar_id: int, request_id: int, door_move: str) -> JsonResponse:
    """One tap. The answer is who waits now."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    work = DOOR_MOVES.get(door_move)
    if work is None:
        raise Http404
    asked = find_request(webinar=webinar, request_id=request_id)
    try:
        work(request=asked, actor=person_of(request), http=request, now=now())
    except spot.SpotError as refused:
        return JsonResponse({"detail": str(refused.message)}, status=409)
    return JsonResponse(waiting_at_door(webinar=webinar))


@require_POST
def change_state(request: HttpRequest, webinar_id: int, state_move: str) -> HttpResponse:
    """Go live, end, cancel: a form, so that it works without a script too. A script gets the status back."""
    webinar = get_moderated_webinar(request.user, webinar_id)
    work = STATE_MOVES.get(state_move)
    if work is None:
        raise Http404
    reason = {"reason": request.POST.get("reason", "")[:200]} if state_move == "cancel" else {}
    try:
        work(webinar_id=webinar.pk, actor=person_of(request), request=request, now=now(), **reason)
    except schedule.ScheduleError as refused:
        return _refused(request, webinar, str(refused.message))
    if _wants_json(request):
        return JsonResponse(desk_status(webinar=get_moderated_webinar(request.user, webinar_id), now=now()))
    return HttpResponseRedirect(reverse("desk:page", args=(webinar.pk,)))


def _refused(request: HttpRequest, webinar: Webinar, message: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"detail": message}, status=409)
    messages.error(request, message)
    return HttpResponseRedirect(reverse("desk:page", args=(webinar.pk,)))


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _addresses(webinar: Webinar) -> dict[str, Any]:
    own = {name: reverse(f"desk:{name}", args=(webinar.pk,)) for name in ("data", "status", "people", "door")}
    api = reverse("api:webinar-desk-questions", args=(webinar.pk,)).removesuffix("questions/")
    return {**own, "webinar": webinar.pk, "api": api}


def _context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    return {**admin.site.each_context(request), "is_fullwidth": "1", **more}
