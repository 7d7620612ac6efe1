"""Whatever JSON and whatever parameters: an answer that is described, and never a 500."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils.http import urlencode
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WebinarFactory
from tests.questions.world import NOON, World, make_world
from tests.signing_in import signed_in
from webinars.domain.answers import Move, publish
from webinars.models import Poll, Webinar

pytestmark = pytest.mark.django_db
FIELDS = ["title", "first_name", "country", "timezone", "language", "phone", "session", "beats", "n", "s", "p"]
ROOM = [
    "text", "client_key", "is_anonymous", "at_seconds", "version", "edited_text", "is_priority", "into", "lane", "part",
    "person", "level", "kind", "question", "options", "most_choices", "scale_from", "scale_to", "choices", "words",
    "hidden_words", "title", "url", "reason",
]  # fmt: skip
WORDS = st.sampled_from(["IN", "en", "UTC"])
FITTING = st.sampled_from(["attendee", "presenter", "published", "read", "single", "words", "scale", str(UUID(int=7))])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | WORDS
NAMES = st.sampled_from(FIELDS) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
ROOM_BODIES = st.dictionaries(
    st.sampled_from(ROOM), FITTING | st.integers(-2, 6) | st.lists(FITTING | st.integers(-2, 6), max_size=3) | LEAVES,
    max_size=7,
)  # fmt: skip
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


@pytest.fixture
def room(db: None) -> World:
    return make_world()


@pytest.fixture
def people(room: World) -> dict[str, Client]:
    return {name: signed_in(getattr(room, name)) for name in ("doctor", "moderator", "presenter")}


@examples(QUIET, max_examples=30)
@given(body=ROOM_BODIES | BODIES, move=st.sampled_from([*Move, "nothing"]))
def test_any_json_in_the_room_is_taken_or_refused(room: World, people: dict[str, Client], body: Any, move: str) -> None:
    """By a doctor and by a moderator, on every writing route, and what they made can be read afterwards."""
    root = f"/api/v1/webinars/{room.webinar.pk}/"
    question = room.webinar.questions.first() or publish(
        webinar=room.webinar, question_id=room.asked().pk, actor=room.moderator, version=1, now=NOON
    )
    poll = room.webinar.polls.first() or Poll.objects.create(webinar=room.webinar, question="Which?")
    doctors = [
        ("POST", "questions/"),
        ("POST", f"questions/{question.pk}/messages/"),
        ("POST", f"questions/{question.pk}/votes/"),
        ("PUT", f"polls/{poll.pk}/vote/"),
    ]
    desks = [
        ("POST", f"desk/questions/{question.pk}/{move}/"),
        ("POST", "desk/polls/"),
        ("PUT", f"desk/polls/{poll.pk}/"),
        *[("POST", f"desk/polls/{poll.pk}/{one}/") for one in ("open", "show", "hide", "close")],
        ("POST", "desk/announcements/"),
        ("POST", "desk/pins/"),
        ("PUT", "desk/lanes/"),
        ("POST", f"desk/people/{room.other.pk}/mute/"),
    ]
    stages = [("POST", f"stage/questions/{question.pk}/{one}/") for one in ("say", "answer-live")]
    text = json.dumps(body).encode()
    statuses = {
        path: people[name].generic(method, root + path, text, "application/json").status_code
        for name, doors in (("doctor", doctors), ("moderator", desks), ("presenter", stages))
        for method, path in doors
    }
    reads = [people["doctor"].get(root + path).status_code for path in ("questions/", "polls/")]
    desk = [f"{root}desk/{path}/" for path in ("questions", "polls", "lanes", "log", "people")]
    reads += [people["moderator"].get(path).status_code for path in desk]

    assert set(statuses.values()) <= {200, 201, 204, 400, 403, 404, 409, 429}, statuses
    assert set(reads) == {200}


@QUIET
@given(query=st.dictionaries(st.sampled_from(["q", "page", "state", "other"]), st.text(max_size=130), max_size=4))
def test_any_search_at_the_desk_is_answered(room: World, people: dict[str, Client], query: dict[str, str]) -> None:
    response = people["moderator"].get(f"/api/v1/webinars/{room.webinar.pk}/desk/questions/?{urlencode(query)}")

    assert response.status_code == (400 if query.get("state") else 200)
