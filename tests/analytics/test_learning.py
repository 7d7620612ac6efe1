"""A doctor's weeks, pace and forecast, on the doctor's own calendar."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.learning import LEAST_COHORT, cohort_of, learning_of, streak_of, weeks_of
from analytics.domain.progress import ProgrammeProgress, read_programme
from core.db import Interval
from courses.models import CourseCompletion, Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
ZONES = ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris", "Asia/Kolkata", "America/Sao_Paulo", "UTC")


def _reference(intervals: list[Interval], zone: ZoneInfo) -> dict[date, int]:
    """Minute by minute: to which local Monday does it belong?"""
    found: dict[date, int] = {}
    for start, end in intervals:
        at = start
        while at < end:
            day = at.astimezone(zone).date()
            monday = day - timedelta(days=day.weekday())
            found[monday] = found.get(monday, 0) + 60
            at += timedelta(minutes=1)
    return found


minutes = st.integers(0, 60 * 24 * 40)


@given(
    pieces=st.lists(st.tuples(minutes, st.integers(1, 60 * 30)), max_size=4),
    zone=st.sampled_from(ZONES),
)
def test_every_minute_belongs_to_the_doctors_own_week(pieces: list[tuple[int, int]], zone: str) -> None:
    """The forty days hold the end of summer time in Europe."""
    start = datetime(2026, 10, 10, tzinfo=UTC)
    there = ZoneInfo(zone)
    intervals: list[Interval] = []
    for at, length in sorted(pieces):
        begin = max(start + timedelta(minutes=at), intervals[-1][1] if intervals else start)
        intervals.append((begin, begin + timedelta(minutes=length)))
    weeks = weeks_of(intervals, [], now=NOW, zone=there)
    expected = _reference(intervals, there)
    assert {week.begins: week.seconds for week in weeks if week.is_active} == expected
    assert all(later.begins - week.begins == timedelta(days=7) for week, later in pairwise(weeks))
    monday = NOW.astimezone(there).date() - timedelta(days=NOW.astimezone(there).weekday())
    assert weeks[-1].begins >= monday


def _streak(*days: int) -> int:
    deeds = [NOW - timedelta(days=one) for one in days]
    return streak_of(weeks_of([], deeds, now=NOW, zone=UTC))


def test_a_streak_counts_weeks_in_a_row_and_a_week_that_has_just_begun_breaks_nothing() -> None:
    assert _streak() == 0
    assert _streak(0) == 1
    assert _streak(7) == 1
    assert _streak(0, 7, 14) == 3
    assert _streak(7, 14, 28) == 2
    assert _streak(14) == 0


@pytest.fixture
def enrolment(db: None) -> Enrolment:
    return EnrolmentFactory.create(user=UserFactory.create(timezone="Europe/Paris"))


def _lectures(enrolment: Enrolment, *, number: int) -> None:
    for _ in range(number):
        course = CourseFactory.create(programme=enrolment.programme)
        WebinarFactory.create(lesson=LessonFactory.create(course=course), video__duration_seconds=3600.0)


def _progress(enrolment: Enrolment) -> ProgrammeProgress:
    return read_programme(programme=enrolment.programme, enrolment=enrolment, user=enrolment.user, now=NOW)


def test_the_forecast_is_what_is_left_at_the_pace_of_four_weeks(enrolment: Enrolment) -> None:
    _lectures(enrolment, number=2)
    progress = _progress(enrolment)
    assert progress.needed_seconds == 6480
    assert learning_of(progress, user=enrolment.user, now=NOW, zone=UTC).forecast is None
    webinar = enrolment.programme.courses.order_by("position").first().lessons.get().webinar  # type: ignore[union-attr]
    WatchRecordFactory.create(
        user=enrolment.user,
        webinar=webinar,
        coverage=((0, 1800),),
        clock=[(NOW - timedelta(days=10), NOW - timedelta(days=10) + timedelta(minutes=30))],
    )
    found = learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC)
    # 4,680 s are left, and 1,800 s in 28 days are the pace: 72.8 days.
    assert found.needed_seconds == 4680
    assert found.forecast == (NOW + timedelta(days=72.8)).date()
    assert found.watched_seconds == 1800
    assert found.watched_percent == 1800 * 100 // 6480


def test_no_forecast_that_comes_after_the_programme_has_closed(enrolment: Enrolment) -> None:
    _lectures(enrolment, number=1)
    webinar = enrolment.programme.courses.get().lessons.get().webinar
    WatchRecordFactory.create(
        user=enrolment.user,
        webinar=webinar,
        coverage=((0, 60),),
        clock=[(NOW - timedelta(days=1), NOW - timedelta(hours=23))],
    )
    assert learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC).forecast
    enrolment.programme.closes_at = NOW + timedelta(hours=1)
    enrolment.programme.save()
    assert learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC).forecast is None


def test_two_devices_at_once_are_one_person_at_one_lecture(enrolment: Enrolment) -> None:
    _lectures(enrolment, number=2)
    begin = NOW - timedelta(days=2)
    for course in enrolment.programme.courses.all():
        WatchRecordFactory.create(
            user=enrolment.user, webinar=course.lessons.get().webinar, clock=[(begin, begin + timedelta(minutes=10))]
        )
    found = learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC)
    assert [week.seconds for week in found.weeks if week.seconds] == [600]


def test_a_cohort_is_compared_only_where_nobody_can_be_told_by_name(enrolment: Enrolment) -> None:
    course = CourseFactory.create(programme=enrolment.programme)
    others = [EnrolmentFactory.create(programme=enrolment.programme) for _ in range(LEAST_COHORT - 1)]
    assert cohort_of(enrolment) is None
    others.append(EnrolmentFactory.create(programme=enrolment.programme))
    EnrolmentFactory.create()
    for one in others[:5]:
        CourseCompletion.objects.create(user=one.user, course=course, completed_at=NOW)
    found = cohort_of(enrolment)
    assert found is not None
    assert (found.people, found.median_courses, found.ahead_percent) == (LEAST_COHORT, 0.0, 0)
    CourseCompletion.objects.create(user=enrolment.user, course=course, completed_at=NOW)
    found = cohort_of(enrolment)
    assert found is not None
    assert found.ahead_percent == 75
