"""A doctor's own place in a live webinar."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api.problems import Conflict
from core.api.serializers import InputSerializer
from core.api.views import ApiView
from core.clock import now
from webinars.domain.registrations import RegistrationError, cancel_registration, places_of, register
from webinars.models import Webinar
from webinars.rules import get_room_for


class NothingInput(InputSerializer):
    """These calls take no values."""


class PlacesSerializer(serializers.Serializer[object]):
    needs_registration = serializers.BooleanField()
    is_open = serializers.BooleanField(help_text="Whether one can register now.")
    capacity = serializers.IntegerField(allow_null=True, help_text="Empty: as many as come.")
    left = serializers.IntegerField(allow_null=True)
    registered_at = serializers.DateTimeField(allow_null=True, help_text="Empty: no place is taken.")


class RegistrationView(ApiView):
    @extend_schema(responses=PlacesSerializer, operation_id="webinars_registration_retrieve")
    def get(self, request: Request, webinar_id: int) -> Response:
        """Whether a place is taken, and how many are left."""
        return _places(request, get_room_for(request.user, webinar_id))

    @extend_schema(
        request=NothingInput, responses={200: PlacesSerializer, 409: None}, operation_id="webinars_registration_create"
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Take a place. Doing it twice takes one."""
        webinar = get_room_for(request.user, webinar_id)
        try:
            register(webinar=webinar, user=_person(request), request=request._request, now=now())  # noqa: SLF001
        except RegistrationError as refused:
            raise Conflict(str(refused.message)) from refused
        return _places(request, webinar)

    @extend_schema(responses={200: PlacesSerializer}, operation_id="webinars_registration_destroy")
    def delete(self, request: Request, webinar_id: int) -> Response:
        """Give the place back."""
        webinar = get_room_for(request.user, webinar_id)
        cancel_registration(webinar=webinar, user=_person(request), request=request._request, now=now())  # noqa: SLF001
        return _places(request, webinar)


def _places(request: Request, webinar: Webinar) -> Response:
    return Response(PlacesSerializer(places_of(webinar=webinar, user=_person(request), now=now())).data)


def _person(request: Request) -> User:
    return cast("User", request.user)
