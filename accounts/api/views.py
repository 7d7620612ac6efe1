"""The caller's own account and devices."""

import uuid
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404
from django.middleware.csrf import get_token
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import DeviceSerializer, EndedSerializer, MeSerializer, ProfileSerializer
from accounts.domain.devices import DeviceNotFoundError, end_all_devices, end_own_device
from accounts.domain.people import update_profile
from accounts.enums import DeviceEnd
from accounts.models import Device, User
from core.api.pagination import CursorPagination
from core.api.views import ApiView


class MeView(ApiView):
    @extend_schema(responses=MeSerializer, operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        """Who is signed in. Also sets the CSRF cookie, for programs that open no page."""
        get_token(request._request)  # noqa: SLF001 – DRF's request has no cookie to set
        return Response(MeSerializer(_person(request)).data)

    @extend_schema(request=ProfileSerializer, responses=MeSerializer, operation_id="me_update")
    def patch(self, request: Request) -> Response:
        """Change the profile. Fields that are not named stay; e-mail address and rights are not for this door."""
        given = ProfileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = update_profile(user=_person(request), values=dict(given.validated_data), now=now())
        return Response(MeSerializer(user).data)


class NewestSignInFirst(CursorPagination):
    ordering = ("-created_at", "-id")


class DevicesView(ApiView, generics.ListAPIView[Device]):
    """The browsers in which the caller is signed in."""

    pagination_class = NewestSignInFirst
    serializer_class = DeviceSerializer

    def get_queryset(self) -> QuerySet[Device]:
        if getattr(self, "swagger_fake_view", False):
            return Device.objects.none()
        return Device.objects.open().filter(user=_person(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "current": _device(self.request)}


class DeviceView(ApiView):
    @extend_schema(responses={204: None}, operation_id="devices_destroy")
    def delete(self, request: Request, device_id: uuid.UUID) -> Response:
        """Sign one browser out, its sockets and playback included. The present one may be named, too."""
        try:
            end_own_device(user=_person(request), device_id=device_id, now=now())
        except DeviceNotFoundError as absent:
            raise Http404 from absent
        return Response(status=status.HTTP_204_NO_CONTENT)


class SignOutOthersView(ApiView):
    @extend_schema(request=None, responses=EndedSerializer, operation_id="devices_sign_out_others")
    def post(self, request: Request) -> Response:
        """Sign every browser out but this one."""
        ended = end_all_devices(
            user=_person(request), except_device=_device(request), reason=DeviceEnd.REVOKED, now=now()
        )
        return Response(EndedSerializer({"ended": ended}).data)


def _person(request: Request) -> User:
    """The permission class has seen to it that nobody else comes this far."""
    return cast("User", request.user)


def _device(request: Request) -> Device | None:
    return getattr(request, "device", None)
