"""No view of the API slips past the base class, and nothing odd in a request's frame slips past it either."""

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.permissions import AllowAny, IsAuthenticated

from core.api.schema import DocsView
from core.api.views import ApiView, NowhereView
from core.throttling import Throttle
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.matrix.walk import all_routes
from tests.signing_in import signed_in


def test_every_view_of_the_api_is_throttled_and_closed() -> None:
    views = {getattr(route.view, "cls", getattr(route.view, "view_class", None)) for route in all_routes()}
    api = {view for view in views if view and issubclass(view, ApiView)}
    paths = [route for route in all_routes() if route.path.startswith(("api/", "^api/"))]
    classes = {getattr(route.view, "cls", getattr(route.view, "view_class", None)) for route in paths}

    assert classes - api == {DocsView}
    for view in api:
        assert view.permission_classes == ([AllowAny] if view is NowhereView else [IsAuthenticated]), view
        assert [issubclass(throttle, Throttle) for throttle in view.throttle_classes] == [True], view
        assert view.largest_body_bytes <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE, view


@pytest.mark.django_db
class TestFrame:
    @pytest.fixture
    def browser(self) -> Client:
        return signed_in(UserFactory.create())

    @pytest.mark.parametrize("length", ["9" * 30, "-1", "abc", "1e9", "²"])
    def test_an_odd_length_is_refused(self, browser: Client, length: str) -> None:
        response = browser.generic("PATCH", "/api/v1/me/", b"{}", "application/json", CONTENT_LENGTH=length)

        assert response.status_code == 413
        assert response["Content-Type"] == "application/problem+json"

    def test_a_form_with_thousands_of_fields_is_refused(self) -> None:
        enrolment = EnrolmentFactory.create()
        webinar = WebinarFactory.create(lesson=LessonFactory.create(course__programme=enrolment.programme))
        form = "&".join(f"f{number}=1" for number in range(3_000))

        address = f"/api/v1/webinars/{webinar.pk}/beats/"
        response = signed_in(enrolment.user).generic("POST", address, form, "application/x-www-form-urlencoded")

        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"

    def test_head_answers_like_get_without_a_body(self, browser: Client) -> None:
        response = browser.head("/api/v1/me/")

        assert response.status_code == 200
        assert response.content == b""
