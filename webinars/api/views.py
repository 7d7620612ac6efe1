"""Playback, play sessions, and beats where a WebSocket cannot carry them."""

import json
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Device, User
from core.api.parsers import JSONParser
from core.api.problems import Conflict
from core.api.views import ApiView
from core.clock import now
from core.throttling import BeatThrottle
from media.domain.grants import issue, issue_key
from media.domain.queries import sources
from media.models import Video
from webinars.api.serializers import (
    BeatsInput,
    BeatsSerializer,
    PlaybackSerializer,
    PlaySessionInput,
    PlaySessionSerializer,
)
from webinars.domain.chapters import chapters_of
from webinars.domain.live_source import address_of, live_source
from webinars.domain.posting import post_beats
from webinars.domain.queries import playback_state
from webinars.domain.timelines import recording_map
from webinars.domain.watching import (
    DeviceEndedError,
    WatchError,
    check_playable,
    renew_play_session,
    start_play_session,
)
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar
from webinars.rules import get_webinar_for


class PlaybackView(ApiView):
    @extend_schema(responses={200: PlaybackSerializer, 409: None}, operation_id="webinars_playback_retrieve")
    def get(self, request: Request, webinar_id: int) -> Response:
        """Where the files are, what was watched, and where to continue. The files need a play session's cookie."""
        webinar = get_webinar_for(request.user, webinar_id)
        _or_conflict(check_playable, webinar=webinar, user=_person(request), device=_device(request), now=now())
        state = playback_state(webinar=webinar, user=_person(request))
        live = _or_conflict(live_source, webinar=webinar) if state.phase is Phase.LIVE else None
        found = live.sources if live else sources(_video(webinar))
        answer = {"sources": found, "epoch": live and live.epoch, **{name: getattr(state, name) for name in _STATE}}
        chapters = [] if live else chapters_of(webinar.pk, recording_map(webinar))
        answer["chapters"] = [{"at": second, "title": title} for second, title in chapters]
        return Response(PlaybackSerializer(answer).data)


_STATE = ("phase", "position", "coverage", "duration", "seen", "required")


class PlaySessionsView(ApiView):
    @extend_schema(
        request=PlaySessionInput,
        responses={200: PlaySessionSerializer, 201: PlaySessionSerializer, 409: None},
        operation_id="webinars_play_sessions_create",
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Open the player, or renew its access to the video's files. Renew every few minutes."""
        webinar = get_webinar_for(request.user, webinar_id)
        given = PlaySessionInput(data=request.data)
        given.is_valid(raise_exception=True)
        viewer: dict[str, Any] = {
            "webinar": webinar,
            "user": _person(request),
            "device": _device(request),
            "now": now(),
        }
        session: PlaySession | None = None
        if given.validated_data["session"]:
            session = _or_conflict(renew_play_session, session_id=given.validated_data["session"], **viewer)
        status = HTTPStatus.OK if session else HTTPStatus.CREATED
        session = session or _or_conflict(start_play_session, version=given.validated_data["version"], **viewer)
        return _session_response(session, webinar, viewer, status)


def _session_response(session: PlaySession, webinar: Webinar, viewer: dict[str, Any], status: HTTPStatus) -> Response:
    state = playback_state(webinar=webinar, user=viewer["user"])
    response = Response(status=status)
    live = _or_conflict(live_source, webinar=webinar) if session.phase == Phase.LIVE else None
    whose = {"user_id": viewer["user"].pk, "device_id": viewer["device"].pk, "now": viewer["now"]}
    where = {name: viewer[name] for name in ("webinar", "device", "now")}
    if live:
        expires_at = issue_key(response, key=live.key, seconds=settings.LIVE_GRANT_SECONDS, **whose)
    else:
        expires_at = issue(response, video=_video(webinar), **whose)
    response.data = PlaySessionSerializer(
        {
            "session": session.pk,
            "phase": session.phase,
            "position": state.position,
            "seen": state.seen,
            "required": session.required_seconds,
            "grant_expires_at": expires_at,
            "epoch": live and live.epoch,
            "live": address_of(live, **where) if live else "",
            "live_audio": live.sources.audio if live else "",
        }
    ).data
    return response


class BeatsView(ApiView):
    parser_classes = [JSONParser, FormParser]
    throttle_classes = [BeatThrottle]
    largest_body_bytes = 262_144

    @extend_schema(request=BeatsInput, responses=BeatsSerializer, operation_id="webinars_beats_create")
    def post(self, request: Request, webinar_id: int) -> Response:
        """Credit what was watched. JSON, or a form with it in `payload`: a beacon cannot set headers.

        Every beat is acknowledged or refused by itself. Sending one again is harmless.
        """
        webinar = get_webinar_for(request.user, webinar_id)
        given = BeatsInput(data=_payload(request))
        given.is_valid(raise_exception=True)
        posted = post_beats(
            user_id=_person(request).pk,
            webinar_id=webinar.pk,
            session=given.validated_data["session"],
            raw_beats=given.validated_data["beats"],
            now=now(),
        )
        return Response(BeatsSerializer(posted).data)


def _payload(request: Request) -> Any:
    if not (request.content_type or "").startswith("application/x-www-form-urlencoded"):
        return request.data
    try:
        return json.loads(str(dict(request.data).get("payload", [""])[-1]))
    except (ValueError, RecursionError) as error:
        raise ParseError(_("The field “payload” is not JSON.")) from error


def _or_conflict(work: Any, **given: Any) -> Any:
    try:
        return work(**given)
    except DeviceEndedError as error:
        raise NotAuthenticated(error.message) from error
    except WatchError as error:
        raise Conflict(error.message) from error


def _person(request: Request) -> User:
    return cast("User", request.user)


def _device(request: Request) -> Device:
    device: Device | None = getattr(request._request, "device", None)  # noqa: SLF001 – set by our middleware
    if device is None:
        raise NotAuthenticated
    return device


def _video(webinar: Webinar) -> Video:
    if webinar.video is None:
        raise Conflict
    return webinar.video
