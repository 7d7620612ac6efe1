"""How a broadcast plays at this moment, country by country, on random data beside a count of what players told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.quality import live_now
from analytics.domain.rollups.refreshing import refresh
from analytics.enums import DeviceKind, NetworkKind
from analytics.models import PlaybackReport
from courses.models import Course
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, LessonFactory
from tests.factories.webinars import LiveWebinarFactory
from tests.webinars.watching import make_device
from webinars.enums import Phase
from webinars.models import Broadcast, PlaySession, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, 20, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
MINUTE = 60_000

told = st.fixed_dictionaries(
    {
        "who": st.integers(0, 7),
        "player": st.integers(0, 1),
        "lecture": st.sampled_from((0, 0, 0, 1, 2, 3)),  # two of the programme are live, one is over, one is foreign
        "phase": st.sampled_from((Phase.LIVE, Phase.LIVE, Phase.LIVE, Phase.ON_DEMAND)),
        "ago": st.sampled_from((0, 15, 30, 200, 570, 599, 600, 601, 625, 1_200)),  # seconds
        "country": st.sampled_from(("KE", "KE", "KE", "IN", "")),
        "play": st.sampled_from((0, 0, 0, MINUTE, 9 * MINUTE, 19 * MINUTE)),
        "stall": st.sampled_from((0, 0, 1_000, MINUTE, 3 * MINUTE)),
        "errors": st.sampled_from((0, 1, 3)),
    }
)

# Of so many people nothing plays in Kenya: five are enough for the alert, unless ten times as many watch.
DARK = {"player": 0, "lecture": 0, "phase": Phase.LIVE, "ago": 30, "country": "KE", "play": 0, "stall": 0, "errors": 1}


def _lectures() -> list[Webinar]:
    course: Course = CourseFactory.create()
    found: list[Webinar] = [
        LiveWebinarFactory.create(lesson=LessonFactory.create(course=course), starts_at=NOW, live_at=NOW)
        for course in (course, course, course, CourseFactory.create())
    ]
    for number, webinar in enumerate(found):
        began = NOW - timedelta(hours=1)
        Broadcast.objects.create(webinar=webinar, started_at=began, ended_at=NOW if number == 2 else None)
    return found


def _tell(lectures: list[Webinar], drawn: list[dict[str, Any]]) -> None:
    people = UserFactory.create_batch(8)
    device = make_device(people[0])
    sessions: dict[Any, PlaySession] = {}
    for one in drawn:
        key = (one["who"], one["player"], one["lecture"], one["phase"])
        if key not in sessions:
            sessions[key] = PlaySession.objects.create(
                user=people[one["who"]], webinar=lectures[one["lecture"]], phase=one["phase"], device=device,
                media_seconds=3600, required_seconds=3240, started_at=NOW - timedelta(hours=1),
                epoch=NOW if one["phase"] == Phase.LIVE else None,
            )  # fmt: skip
        session = sessions[key]
        PlaybackReport.objects.create(
            session_started_at=session.started_at,
            session=session,
            number=PlaybackReport.objects.filter(session=session).count() + 1,
            webinar=session.webinar,
            phase=one["phase"],
            received_at=NOW - timedelta(seconds=one["ago"]),
            country=one["country"],
            device=DeviceKind.PHONE,
            network=NetworkKind.FOURTH,
            play_ms=one["play"],
            stall_ms=one["stall"],
            stalls=0,
            kbits=0,
            errors=one["errors"],
        )


def _counted(webinar: Webinar) -> dict[str, tuple[Any, ...]]:
    """Times are of whole minutes, those that began in the last ten; players and people are of the very moment."""
    found = {}
    reports = list(PlaybackReport.objects.filter(webinar=webinar, phase=Phase.LIVE))
    for country in {one.country for one in reports}:
        mine = [one for one in reports if one.country == country]
        timed = [one for one in mine if one.received_at.replace(second=0, microsecond=0) > NOW - TEN_MINUTES]
        recent = [one for one in mine if one.received_at > NOW - TEN_MINUTES]
        if not timed and not recent:
            continue
        play, stall = sum(one.play_ms for one in timed), sum(one.stall_ms for one in timed)
        stuck = {one.session_id for one in recent if one.errors and not one.play_ms}
        owners = {PlaySession.objects.get(pk=session).user_id for session in stuck}
        players = {one.session_id for one in recent}
        waits = play + stall >= 20 * MINUTE and stall > (play + stall) / 10
        is_dark = len(owners) >= 5 and len(stuck) > len(players) / 10
        found[country] = (play, stall, len(players), len(stuck), len(owners), waits, is_dark, waits or is_dark)
    return found


@given(drawn=st.lists(told, max_size=30), dark=st.sampled_from((0, 4, 5)))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_last_ten_minutes(drawn: list[dict[str, Any]], dark: int) -> None:
    lectures = _lectures()
    _tell(lectures, [*({**DARK, "who": number} for number in range(dark)), *drawn])
    for webinar in lectures:
        refresh(webinar_id=webinar.pk, now=NOW, whole=True)
    got = live_now(lectures[0].lesson.course.programme, now=NOW)
    expected = {webinar.pk: found for webinar in lectures[:2] if (found := _counted(webinar))}
    assert {
        webinar: {
            one.country: (
                one.play_ms, one.stall_ms, one.players, one.stuck, one.stuck_people,
                one.keeps_stopping, one.has_no_picture, one.is_degraded,
            )
            for one in lines
        }
        for webinar, lines in got.items()
    } == expected  # fmt: skip
    for lines in got.values():
        shares = [one.stall_ms / (one.play_ms + one.stall_ms) if one.play_ms + one.stall_ms else 0.0 for one in lines]
        assert shares == sorted(shares, reverse=True)
