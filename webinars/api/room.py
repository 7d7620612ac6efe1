"""The live room by polling, for pages that no WebSocket reaches."""

from http import HTTPStatus

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.request import Request

from core.api.serializers import InputSerializer
from core.api.views import ApiView
from core.clock import now
from core.throttling import PollThrottle
from webinars.domain.polling import NotInError, RemovedError, TooOldError, polled_rooms
from webinars.enums import EventKind, WebinarState
from webinars.rules import Part


class Gone(APIException):
    status_code = HTTPStatus.GONE
    default_detail = _("Too much has happened since then. Please load the page again.")
    default_code = "gone"


class EventsInput(InputSerializer):
    since = serializers.IntegerField(
        min_value=0, max_value=2**62, required=False, default=0, help_text="The number of the last answer."
    )


class ScheduleSerializer(serializers.Serializer[object]):
    doors_open_at = serializers.DateTimeField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    planned_end_at = serializers.DateTimeField(allow_null=True)
    live_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class MaySerializer(serializers.Serializer[object]):
    ask = serializers.BooleanField()
    read = serializers.BooleanField()
    vote = serializers.BooleanField()


class RoomEventSerializer(serializers.Serializer[object]):
    t = serializers.CharField(help_text="Always `event`: it is the frame that a WebSocket would bring.")
    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=EventKind.choices)
    at = serializers.DateTimeField()
    data = serializers.JSONField()  # type: ignore[assignment]  # hides a property of Serializer, harmlessly


class RoomSerializer(serializers.Serializer[object]):
    number = serializers.IntegerField(help_text="The next `since`.")
    state = serializers.ChoiceField(choices=WebinarState.choices)
    schedule = ScheduleSerializer()
    now = serializers.DateTimeField()
    people = serializers.IntegerField()
    part = serializers.ChoiceField(choices=[(part.value, part.value) for part in Part])
    may = MaySerializer()
    register = serializers.CharField(
        allow_blank=True, help_text="Plain words where one has to register before one may come in; else empty."
    )
    events = RoomEventSerializer(many=True)
    again = serializers.FloatField(help_text="Poll again after so many seconds.")


class EventsView(ApiView):
    throttle_classes = [PollThrottle]

    @extend_schema(
        parameters=[EventsInput], responses={200: RoomSerializer, 410: None}, operation_id="webinars_events_list"
    )
    def get(self, request: Request, webinar_id: int) -> HttpResponse:
        """What has happened in the room since then, and how it stands now."""
        given = EventsInput(data=request.query_params)
        given.is_valid(raise_exception=True)
        try:
            text = polled_rooms.poll(
                session_key=request.session.session_key or "",
                webinar_id=webinar_id,
                since=given.validated_data["since"],
                now=now(),
            )
        except NotInError as error:
            raise NotFound from error
        except RemovedError as error:
            raise PermissionDenied from error
        except TooOldError as error:
            raise Gone from error
        return HttpResponse(text, content_type="application/json")
