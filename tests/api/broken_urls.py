"""The site's routes and some that fail in every way a view can: a URLconf for tests."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import Http404, HttpRequest
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from core.api.views import ApiView
from lms import urls

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
SECRET = "postgresql://root:hunter2@10.0.0.7/doctors"


def fail(kind: str) -> NoReturn:
    if kind == "database":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT '{SECRET}' FROM no_such_table")
    errors: dict[str, Exception] = {
        "bug": RuntimeError(SECRET),
        "absent": Http404(SECRET),
        "denied": PermissionDenied(SECRET),
        "suspicious": SuspiciousOperation(SECRET),
        "unreachable": ConnectionError(SECRET),
        "late": TimeoutError(SECRET),
    }
    raise errors[kind]


class BrokenView(ApiView):
    permission_classes = [AllowAny]

    def get(self, request: Request, kind: str) -> NoReturn:
        fail(kind)


def broken_page(request: HttpRequest, kind: str) -> NoReturn:
    fail(kind)


urlpatterns: list[Any] = [
    path("broken/<str:kind>/", broken_page),
    path("api/broken/<str:kind>/", BrokenView.as_view()),
    path("api/broken-page/<str:kind>/", broken_page),
    *urls.urlpatterns,
]
