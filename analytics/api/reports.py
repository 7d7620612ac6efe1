"""How well it plays, told by the player itself."""

import json
from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Device, User
from analytics.api.reports_serializers import PlaybackReportsInput, PlaybackReportsSerializer, read_reports
from analytics.domain.playback import take_reports
from analytics.rules import get_play_session_for
from core.api.parsers import JSONParser
from core.api.views import ApiView
from core.clock import now
from core.throttling import ReportThrottle


class PlaybackReportsView(ApiView):
    parser_classes = [JSONParser, FormParser]
    throttle_classes = [ReportThrottle]
    largest_body_bytes = 65_536

    @extend_schema(
        request=PlaybackReportsInput,
        responses=PlaybackReportsSerializer,
        operation_id="webinars_playback_reports_create",
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Report how well it plays. JSON, or a form with it in `payload`: a beacon cannot set headers.

        Every minute while something is wrong, else every few minutes, and when the page goes. Sending one again is
        harmless. Nothing about credit depends on it.
        """
        given = PlaybackReportsInput(data=_payload(request))
        given.is_valid(raise_exception=True)
        at = now()
        user = cast("User", request.user)
        session = get_play_session_for(
            user, session_id=given.validated_data["session"], webinar_id=webinar_id, device=_device(request), now=at
        )
        reports = read_reports(given.validated_data["reports"])
        agent = request.headers.get("User-Agent", "")
        take_reports(reports, session=session, country=str(user.country.code or ""), user_agent=agent, now=at)
        return Response(PlaybackReportsSerializer({"taken": sorted({one.number for one in reports})}).data)


def _payload(request: Request) -> Any:
    if not (request.content_type or "").startswith("application/x-www-form-urlencoded"):
        return request.data
    try:
        return json.loads(str(dict(request.data).get("payload", [""])[-1]))
    except (ValueError, RecursionError) as error:
        raise ParseError(_("The field “payload” is not JSON.")) from error


def _device(request: Request) -> Device:
    device: Device | None = getattr(request._request, "device", None)  # noqa: SLF001 – set by our middleware
    if device is None:
        raise NotAuthenticated
    return device
