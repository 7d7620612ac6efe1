"""Home, the lists of the API, the player's API and the watch page say the same of a lecture."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from analytics.domain.progress import read_home
from core.ranges import Ranges
from core.templatetags.ui import duration, duration_left
from courses.models import Lesson
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, LessonFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in
from webinars.domain.course_page import read_course_page
from webinars.enums import Phase
from webinars.models import Webinar

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor() -> User:
    return UserFactory.create(timezone="UTC")


@pytest.fixture
def webinar(doctor: User) -> Webinar:
    lesson: Lesson = LessonFactory.create()
    EnrolmentFactory.create(user=doctor, programme=lesson.course.programme)
    made: Webinar = WebinarFactory.create(lesson=lesson)
    return made


def get(client: Client, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, path
    return response


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        pytest.param((((0, 1446),), 1450.25), (1450.25, 1446, 2154), id="in the middle"),
        pytest.param((((0, 1000), (2000, 3590)), 3590.0), (3590.0, 2590, 1010), id="ten seconds before the end"),
        pytest.param((((0, 1000), (2000, 3597)), 3597.0), (1000.0, 2597, 1003), id="three seconds before the end"),
        pytest.param((((0, 1000), (1001, 3600)), 3600.0), (0.0, 3599, 0), id="one second missing"),
        pytest.param((((0, 500), (502, 3600)), 3600.0), (500.0, 3598, 2), id="two seconds missing"),
        pytest.param((((0, 3600),), 3600.0), (0.0, 3600, 0), id="everything"),
        pytest.param((((100, 200), (3000, 9000)), 8000.0), (0.0, 700, 2900), id="of a longer version"),
    ],
)
@pytest.mark.parametrize("live", [(), ((0, 900),)], ids=["recorded", "and live"])
def test_everybody_says_the_same(
    doctor: User, webinar: Webinar, watched: tuple[Ranges, float], expected: tuple[float, int, int], live: Ranges
) -> None:
    """Live seconds count as far as the timeline maps them to the recording; without a broadcast that is nowhere."""
    coverage, position = watched
    WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=coverage, position_seconds=position)
    if live:
        WatchRecordFactory.create(
            user=doctor, webinar=webinar, coverage=live, phase=Phase.LIVE, last_beat_at=now() - timedelta(days=1)
        )
    client = signed_in(doctor)

    (programme,) = read_home(user=doctor, now=now())
    at_home = programme.courses[0].lessons[0]
    page = read_course_page(webinar=webinar, user=doctor, now=now())
    (listed,) = get(client, f"/api/v1/courses/{webinar.lesson.course_id}/lessons/").json()["results"]
    playback = get(client, f"/api/v1/webinars/{webinar.pk}/playback/").json()
    watch = get(client, f"/webinars/{webinar.pk}/").content.decode()
    player = json.loads(re.search(r'id="player-config" type="application/json">(.*?)</script>', watch, re.DOTALL)[1])  # type: ignore[index]

    assert (at_home.resume_seconds, at_home.seen_seconds, at_home.unseen_seconds) == expected
    assert (page.resume_at, page.watched.seen, page.watched.unseen) == expected
    assert (listed["watch"]["resume_seconds"], listed["watch"]["seen_seconds"]) == expected[:2]
    assert (playback["position"], playback["seen"]) == (player["position"], page.watched.seen) == expected[:2]
    assert playback["coverage"] == player["coverage"] == [list(part) for part in at_home.coverage]
    needed = max(0, playback["required"] - playback["seen"])
    assert needed == at_home.needed_seconds == listed["watch"]["needed_seconds"] == page.watched.needed

    said = [text_of(watch), text_of(get(client, "/").content.decode())]
    _, seen, unseen = expected
    assert all(f"{duration(seen)} seen" in words for words in said)
    assert (f"{duration_left(unseen)} still unseen" if unseen else "You have seen everything") in said[0]
    assert f"{duration_left(unseen)} still unseen" in said[1]
