"""Whatever JSON and whatever parameters: an answer that is described, and never a 500."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.signing_in import signed_in
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
FIELDS = ["title", "first_name", "country", "timezone", "language", "phone", "session", "beats", "n", "s", "p"]
WORDS = st.sampled_from(["IN", "en", "UTC"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | WORDS
NAMES = st.sampled_from(FIELDS) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5) | VALUES
PARAMETERS = st.sampled_from(["cursor", "page_size", "format", "ordering"])
QUERIES = st.dictionaries(PARAMETERS, st.text(max_size=60), max_size=3)
QUIET = examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.API_RATES = dict.fromkeys(settings.API_RATES, ((10**6, 60),))


@pytest.fixture
def webinar() -> Webinar:
    return WebinarFactory.create(lesson=LessonFactory.create(course__programme=EnrolmentFactory.create().programme))


@pytest.fixture
def browser(webinar: Webinar) -> Client:
    return signed_in(webinar.lesson.course.programme.enrolments.get().user)


@QUIET
@given(body=BODIES)
def test_any_json_is_taken_or_refused(browser: Client, webinar: Webinar, body: Any) -> None:
    text = json.dumps(body).encode()
    doors = [
        ("PATCH", "/api/v1/me/"),
        ("POST", f"/api/v1/webinars/{webinar.pk}/beats/"),
        ("POST", f"/api/v1/webinars/{webinar.pk}/play-sessions/"),
    ]

    statuses = [browser.generic(method, path, text, "application/json").status_code for method, path in doors]

    assert set(statuses) <= {200, 201, 400}


@QUIET
@given(query=QUERIES)
def test_any_parameters_are_taken_or_refused(browser: Client, webinar: Webinar, query: dict[str, str]) -> None:
    course = webinar.lesson.course
    lists = (
        "programmes/",
        f"programmes/{course.programme.slug}/courses/",
        f"courses/{course.pk}/lessons/",
        "devices/",
    )
    for path in lists:
        response = browser.get(f"/api/v1/{path}?{urlencode(query)}")

        assert response.status_code == (400 if "cursor" in query else 200)
