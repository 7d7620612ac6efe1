"""What else moderators do from the desk: polls, announcements, links, people, lanes, and the log of it all."""

from http import HTTPStatus
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.clock import now
from webinars.api.refusals import as_answers, person
from webinars.api.room_serializers import (
    AnnouncementInput,
    AnnouncementSerializer,
    DeskPollSerializer,
    DeskPollsSerializer,
    LaneInput,
    LanesSerializer,
    LogSerializer,
    PinInput,
    PinSerializer,
    PinsSerializer,
    PollInput,
    PollMoveInput,
    RestrictedPeopleSerializer,
    RestrictionInput,
)
from webinars.domain import announcements, desk_log, polls, restrictions
from webinars.domain.lane_access import lane_settings, set_lane_access
from webinars.domain.poll_results import all_polls, desk_poll
from webinars.enums import Lane, LaneAccessLevel
from webinars.models import Webinar
from webinars.rules import Part, get_desk_of, get_guest

_POLL_WORK = {
    "open": polls.open_poll,
    "close": polls.close_poll,
    "show": polls.show_results,
    "hide": polls.hide_results,
}
_PERSON_WORK = {
    "mute": restrictions.mute,
    "unmute": restrictions.unmute,
    "remove": restrictions.remove,
    "let-back": restrictions.let_back,
}


class DeskPollsView(ApiView):
    @extend_schema(responses=DeskPollsSerializer, operation_id="webinars_desk_polls_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """All polls, prepared ones included, with their results as they stand."""
        return Response({"results": all_polls(webinar=get_desk_of(request, webinar_id))})

    @extend_schema(
        request=PollInput, responses={201: DeskPollSerializer, 409: None}, operation_id="webinars_desk_polls_create"
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Prepare a poll; nobody but presenters and moderators sees it before it is opened."""
        webinar = get_desk_of(request, webinar_id)
        return Response(_save_poll(request, webinar, None), status=HTTPStatus.CREATED)


class DeskPollView(ApiView):
    @extend_schema(
        request=PollInput, responses={200: DeskPollSerializer, 409: None}, operation_id="webinars_desk_polls_update"
    )
    def put(self, request: Request, webinar_id: int, poll_id: int) -> Response:
        """Change a poll that was never open."""
        webinar = get_desk_of(request, webinar_id)
        return Response(_save_poll(request, webinar, poll_id))

    @extend_schema(responses={204: None, 409: None}, operation_id="webinars_desk_polls_destroy")
    def delete(self, request: Request, webinar_id: int, poll_id: int) -> Response:
        """Delete a poll that was never open."""
        webinar = get_desk_of(request, webinar_id)
        with as_answers():
            polls.delete_poll(webinar=webinar, poll_id=poll_id, **_actor(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class DeskPollMoveView(ApiView):
    @extend_schema(
        request=PollMoveInput, responses={200: DeskPollSerializer, 409: None}, operation_id="webinars_desk_polls_move"
    )
    def post(self, request: Request, webinar_id: int, poll_id: int, poll_move: str) -> Response:
        """`open` (one at a time, only once), `close`, `show` and `hide` the results."""
        webinar = get_desk_of(request, webinar_id)
        if poll_move not in _POLL_WORK:
            raise Http404
        given = PollMoveInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data if poll_move == "show" else {}
        with as_answers():
            poll = _POLL_WORK[poll_move](webinar=webinar, poll_id=poll_id, **values, **_actor(request))
        return Response(desk_poll(poll))


class AnnouncementsView(ApiView):
    @extend_schema(
        request=AnnouncementInput,
        responses={201: AnnouncementSerializer},
        operation_id="webinars_desk_announcements_create",
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Say something to everybody in the room."""
        webinar = get_desk_of(request, webinar_id)
        given = AnnouncementInput(data=request.data)
        given.is_valid(raise_exception=True)
        with as_answers():
            said = announcements.announce(webinar=webinar, **given.validated_data, **_actor(request))
        return Response(said, status=HTTPStatus.CREATED)


class PinsView(ApiView):
    @extend_schema(responses=PinsSerializer, operation_id="webinars_desk_pins_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """The links that are held up now."""
        return Response({"results": announcements.pins_of(webinar=get_desk_of(request, webinar_id))})

    @extend_schema(request=PinInput, responses={201: PinSerializer}, operation_id="webinars_desk_pins_create")
    def post(self, request: Request, webinar_id: int) -> Response:
        """Hold up a link for everybody."""
        webinar = get_desk_of(request, webinar_id)
        given = PinInput(data=request.data)
        given.is_valid(raise_exception=True)
        with as_answers():
            made = announcements.pin(webinar=webinar, **given.validated_data, **_actor(request))
        return Response(announcements.pin_payload(made), status=HTTPStatus.CREATED)


class PinView(ApiView):
    @extend_schema(responses={204: None}, operation_id="webinars_desk_pins_destroy")
    def delete(self, request: Request, webinar_id: int, pin_id: int) -> Response:
        """Take a link down."""
        webinar = get_desk_of(request, webinar_id)
        with as_answers():
            announcements.unpin(webinar=webinar, pin_id=pin_id, **_actor(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class RestrictedView(ApiView):
    @extend_schema(responses=RestrictedPeopleSerializer, operation_id="webinars_desk_people_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """Who is muted or removed now."""
        webinar = get_desk_of(request, webinar_id)
        return Response({"results": restrictions.restricted_people(webinar=webinar)})


class PersonMoveView(ApiView):
    @extend_schema(request=RestrictionInput, responses={204: None, 409: None}, operation_id="webinars_desk_people_move")
    def post(self, request: Request, webinar_id: int, user_id: int, person_move: str) -> Response:
        """`mute`, `unmute`, `remove`, `let-back`. A reason is for the log."""
        webinar = get_desk_of(request, webinar_id)
        if person_move not in _PERSON_WORK:
            raise Http404
        given = RestrictionInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data if person_move in {"mute", "remove"} else {}
        with as_answers():
            _PERSON_WORK[person_move](webinar=webinar, user=get_guest(webinar, user_id), **values, **_actor(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class LanesView(ApiView):
    @extend_schema(responses=LanesSerializer, operation_id="webinars_desk_lanes_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """What was set otherwise than by default."""
        return Response({"results": lane_settings(webinar=get_desk_of(request, webinar_id))})

    @extend_schema(request=LaneInput, responses=LanesSerializer, operation_id="webinars_desk_lanes_update")
    def put(self, request: Request, webinar_id: int) -> Response:
        """Grant or close a lane, for one part of the room or for one person."""
        webinar = get_desk_of(request, webinar_id)
        given = LaneInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        with as_answers():
            set_lane_access(
                webinar=webinar,
                lane=Lane(values["lane"]),
                level=LaneAccessLevel(values["level"]) if values["level"] else None,
                part=Part(values["part"]) if "part" in values else None,
                user=get_guest(webinar, values["person"]) if "person" in values else None,
                **_actor(request),
            )
        return Response({"results": lane_settings(webinar=webinar)})


class LogView(ApiView):
    @extend_schema(responses=LogSerializer, operation_id="webinars_desk_log_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """What moderators did, the latest first."""
        webinar = get_desk_of(request, webinar_id)
        return Response({"results": desk_log.latest(webinar_id=webinar.pk)})


def _save_poll(request: Request, webinar: Webinar, poll_id: int | None) -> dict[str, Any]:
    given = PollInput(data=request.data)
    given.is_valid(raise_exception=True)
    with as_answers():
        poll = polls.save_poll(webinar=webinar, poll_id=poll_id, **given.validated_data, **_actor(request))
    return desk_poll(poll)


def _actor(request: Request) -> dict[str, Any]:
    return {"actor": person(request), "request": request._request, "now": now()}  # noqa: SLF001 – for the audit trail
