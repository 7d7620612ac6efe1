"""A doctor's weeks, pace and forecast, on the doctor's own calendar."""

import statistics
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.forecasting import Forecast
from analytics.domain.learning import LEAST_COHORT, Cohort, cohort_of, learning_of, streak_of, weeks_of
from analytics.domain.progress import ProgrammeProgress, read_programme
from analytics.domain.stretches import Stretch
from analytics.enums import Outlook
from core.db import Interval
from courses.enums import EnrolmentStatus
from courses.models import CourseCompletion, Enrolment
from tests.analytics.audience import united
from tests.factories.accounts import UserFactory
from tests.factories.courses import CohortFactory, CourseFactory, EnrolmentFactory, LessonFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.webinars.watching import NOON, open_player
from webinars.domain.beats import Beat
from webinars.domain.watching import record_beats
from webinars.enums import Phase
from webinars.models import Webinar

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
FIRST = datetime(2026, 11, 14, tzinfo=UTC)
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
    weeks = weeks_of([Stretch(*one) for one in intervals], [], now=NOW, zone=there)
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


def test_two_devices_at_once_are_one_person_at_one_lecture(enrolment: Enrolment) -> None:
    _lectures(enrolment, number=2)
    begin = NOW - timedelta(days=2)
    for course in enrolment.programme.courses.all():
        WatchRecordFactory.create(
            user=enrolment.user, webinar=course.lessons.get().webinar, clock=[(begin, begin + timedelta(minutes=10))]
        )
    found = learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC)
    assert [week.seconds for week in found.weeks if week.seconds] == [600]


def test_a_player_that_stood_still_was_not_watched(enrolment: Enrolment) -> None:
    """A minute at noon, a pause of twelve hours, and half a minute more on the same page."""
    session = open_player(seconds=3600.0, enrolment=enrolment)
    for number, (spans, received) in enumerate((("{[0,60)}", 60), ("{[60,90)}", 12 * 3600)), 1):
        beats = [Beat(session.user_id, session.webinar_id, str(session.pk), number, spans, 90.0)]
        record_beats(beats, now=NOON + timedelta(seconds=received))
    found = learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=UTC)
    assert [week.seconds for week in found.weeks if week.seconds] == [90]
    # 3,240 - 90 seconds at the pace of 90 in 28 days
    assert found.forecast == Forecast(Outlook.FAR)


played = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9_000), st.integers(1, 4_000), st.integers(0, 100), st.booleans()),
    max_size=6,
)


@given(played=played, zone=st.sampled_from(ZONES))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_week_has_more_than_was_watched_in_it(db: None, played: list[Any], zone: str) -> None:
    """Players stand still now and then, live or recorded, on several devices: minute by minute over all of them."""
    enrolment = EnrolmentFactory.create()
    _lectures(enrolment, number=4)
    webinars = list(Webinar.objects.filter(lesson__course__programme=enrolment.programme).order_by("pk"))
    records: dict[tuple[int, Phase], tuple[list[tuple[int, int]], int]] = {}
    for place, start, length, percent, is_live in played:
        key = (place, Phase.LIVE if is_live else Phase.ON_DEMAND)
        clock, seen = records.get(key, ([], 0))
        records[key] = ([*clock, (start, start + length)], seen + length * 60 * percent // 100)
    shares: dict[int, float] = {}
    for (place, phase), (clock, seen) in records.items():
        open_minutes = {minute for start, end in clock for minute in range(start, end)}
        WatchRecordFactory.create(
            user=enrolment.user, webinar=webinars[place], phase=phase, coverage=((0, seen),) if seen else (),
            clock=united([(FIRST + timedelta(minutes=a), FIRST + timedelta(minutes=b)) for a, b in clock]),
        )  # fmt: skip
        for minute in open_minutes:
            shares[minute] = shares.get(minute, 0.0) + min(1.0, seen / 60 / len(open_minutes))
    there = ZoneInfo(zone)
    expected: dict[date, float] = {}
    for minute, share in shares.items():
        day = (FIRST + timedelta(minutes=minute)).astimezone(there).date()
        monday = day - timedelta(days=day.weekday())
        expected[monday] = expected.get(monday, 0.0) + 60 * min(1.0, share)
    found = learning_of(_progress(enrolment), user=enrolment.user, now=NOW, zone=there)
    weeks = {week.begins: week.seconds for week in found.weeks}
    for monday in {*weeks, *expected}:
        assert weeks.get(monday, 0) == pytest.approx(expected.get(monday, 0.0), abs=1)


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
    assert found == Cohort(people=LEAST_COHORT, mine=0, median_courses=0.0, ahead_percent=0)
    CourseCompletion.objects.create(user=enrolment.user, course=course, completed_at=NOW)
    found = cohort_of(enrolment)
    assert found == Cohort(people=LEAST_COHORT, mine=1, median_courses=0.0, ahead_percent=75)


def test_a_group_is_compared_with_itself_alone(enrolment: Enrolment) -> None:
    group = CohortFactory.create(programme=enrolment.programme)
    for _ in range(LEAST_COHORT):
        EnrolmentFactory.create(programme=enrolment.programme)
    Enrolment.objects.filter(pk=enrolment.pk).update(cohort=group)
    enrolment.refresh_from_db()
    assert cohort_of(enrolment) is None


@given(numbers=st.lists(st.integers(0, 4), min_size=18, max_size=27), mine=st.integers(0, 4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_cohort_is_what_counting_one_by_one_gives(db: None, numbers: list[int], mine: int) -> None:
    enrolment = EnrolmentFactory.create()
    courses = [CourseFactory.create(programme=enrolment.programme) for _ in range(4)]
    elsewhere = CourseFactory.create()
    left = EnrolmentFactory.create(programme=enrolment.programme, status=EnrolmentStatus.WITHDRAWN)
    people = [EnrolmentFactory.create(programme=enrolment.programme).user for _ in numbers]
    done = [(enrolment.user, mine), (left.user, 4), *zip(people, numbers, strict=True)]
    CourseCompletion.objects.bulk_create(
        CourseCompletion(user=user, course=course, completed_at=NOW)
        for user, number in done
        for course in [*courses[:number], elsewhere]
    )
    expected = Cohort(
        people=len(numbers),
        mine=mine,
        median_courses=statistics.median(numbers),
        ahead_percent=100 * len([one for one in numbers if one < mine]) // len(numbers),
    )
    assert cohort_of(enrolment) == (expected if len(numbers) >= LEAST_COHORT else None)
