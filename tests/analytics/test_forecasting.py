"""The day of the certificate: what is left at the pace of four weeks, and honest words where no day can be said."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from analytics.domain.forecasting import PACE_DAYS, Forecast
from analytics.domain.learning import learning_of
from analytics.domain.progress import read_programme
from analytics.enums import Outlook
from courses.enums import CompletionRule, LessonKind, PublishStatus
from courses.models import Course, Enrolment, Programme
from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.pages.world import World, complete, make_world
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = 3600
NEEDED = 3240  # 90 % of an hour


def _forecast(user: User, programme: Programme, zone: str = "UTC") -> Forecast:
    there = ZoneInfo(zone)
    enrolment = Enrolment.objects.select_related("programme", "cohort").get(user=user, programme=programme)
    progress = read_programme(programme=enrolment.programme, enrolment=enrolment, user=user, now=NOW)
    return learning_of(progress, user=user, now=NOW, zone=there).forecast


def _watch(user: User, course: Course, *, seconds: int, days_ago: float = 10, **fields: Any) -> WatchRecord:
    begin = NOW - timedelta(days=days_ago)
    record: WatchRecord = WatchRecordFactory.create(
        user=user,
        webinar=course.lessons.order_by("position")[0].webinar,
        coverage=((0, seconds),),
        clock=[(begin, begin + timedelta(seconds=seconds))],
        **fields,
    )
    return record


@pytest.fixture
def world() -> World:
    return make_world(2)


@pytest.fixture
def doctor(world: World) -> User:
    return world.doctor()


def test_what_is_left_at_the_pace_of_four_weeks(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=1800)
    # 4,680 s are left, and 1,800 s in 28 days are the pace: 72.8 days.
    assert _forecast(doctor, world.programme) == Forecast(Outlook.READY, (NOW + timedelta(days=72.8)).date())


def test_the_day_is_one_in_the_doctors_own_calendar(world: World, doctor: User) -> None:
    complete(doctor, world.courses[0], at=NOW - DAY)
    Course.objects.filter(pk=world.courses[1].pk).update(opens_at=NOW + timedelta(hours=11))
    _watch(doctor, world.courses[1], seconds=NEEDED - 1)
    assert _forecast(doctor, world.programme, "Pacific/Kiritimati").day == (NOW + DAY).date()
    assert _forecast(doctor, world.programme, "Pacific/Pago_Pago").day == NOW.date()


def test_no_pace_no_day(world: World, doctor: User) -> None:
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NO_PACE)
    _watch(doctor, world.courses[0], seconds=1800, days_ago=PACE_DAYS + 1)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NO_PACE)


def test_too_late_says_what_pace_would_do(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=1800)
    Programme.objects.update(closes_at=NOW + 14 * DAY)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.TOO_LATE, weekly_seconds=4680 // 2)
    Programme.objects.update(closes_at=NOW + DAY)  # no week is left: everything has to be done in what there is
    assert _forecast(doctor, world.programme) == Forecast(Outlook.TOO_LATE, weekly_seconds=4680)
    Programme.objects.update(closes_at=NOW + 73 * DAY)
    assert _forecast(doctor, world.programme).outlook is Outlook.READY


def test_what_comes_after_the_end_is_too_late_at_any_pace(world: World, doctor: User) -> None:
    course = CourseFactory.create(programme=world.programme, position=3)
    WebinarFactory.create(lesson=LessonFactory.create(course=course), video=None, starts_at=NOW + 20 * DAY)
    Programme.objects.update(closes_at=NOW + 14 * DAY)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.TOO_LATE)
    _watch(doctor, world.courses[0], seconds=1800)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.TOO_LATE)


def test_a_pace_that_takes_years_is_no_day(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=60)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.FAR)


def test_nothing_is_ready_before_it_opens_or_takes_place(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=NEEDED - 60)
    Course.objects.filter(pk=world.courses[1].pk).update(opens_at=NOW + 90 * DAY)
    assert _forecast(doctor, world.programme).day == (NOW + 90 * DAY).date()
    course = CourseFactory.create(programme=world.programme, position=3)
    WebinarFactory.create(
        lesson=LessonFactory.create(course=course), video=None, starts_at=NOW + 120 * DAY, planned_minutes=720
    )
    assert _forecast(doctor, world.programme).day == (NOW + 120.5 * DAY).date()


def test_a_lecture_that_waits_for_its_recording_is_counted_as_long_as_planned(world: World, doctor: User) -> None:
    course = CourseFactory.create(programme=world.programme, position=3)
    webinar = WebinarFactory.create(
        lesson=LessonFactory.create(course=course),
        video=None,
        starts_at=NOW - 2 * DAY,
        live_at=NOW - 2 * DAY,
        ended_at=NOW - 2 * DAY + timedelta(hours=1),
        planned_minutes=60,
        completion_percent=90,
    )
    complete(doctor, *world.courses, at=NOW - DAY)
    _watch(doctor, course, seconds=900, days_ago=2, phase=Phase.LIVE)
    # 3,240 − 900 s at 900 s in 28 days: 72.8 days.
    assert _forecast(doctor, world.programme).day == (NOW + timedelta(days=72.8)).date()
    Webinar.objects.filter(pk=webinar.pk).update(cancelled_at=NOW, live_at=None, ended_at=None)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NOT_ANNOUNCED)


def test_what_has_no_date_yet_gives_no_day(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=1800)
    third = CourseFactory.create(programme=world.programme, position=3)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NOT_ANNOUNCED)  # a course without lessons
    WebinarFactory.create(lesson=LessonFactory.create(course=third), video=None)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NOT_ANNOUNCED)
    third.is_required = False
    third.save()
    Course.objects.exclude(pk=third.pk).update(is_required=True)
    assert _forecast(doctor, world.programme).outlook is Outlook.READY


def test_courses_that_are_still_drafts_give_no_day(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=1800)
    Programme.objects.update(completion_rule=CompletionRule.N_OF_M, required_count=2)
    Course.objects.filter(pk=world.courses[1].pk).update(status=PublishStatus.DRAFT)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NOT_ANNOUNCED)


def test_what_has_closed_is_out_of_reach(world: World, doctor: User) -> None:
    _watch(doctor, world.courses[0], seconds=1800)
    Course.objects.filter(pk=world.courses[1].pk).update(closes_at=NOW - DAY)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.OUT_OF_REACH)
    Programme.objects.update(completion_rule=CompletionRule.N_OF_M, required_count=1)
    assert _forecast(doctor, world.programme).outlook is Outlook.READY


def test_only_a_test_is_left(world: World, doctor: User) -> None:
    LessonFactory.create(course=world.courses[1], kind=LessonKind.QUIZ)
    complete(doctor, world.courses[0], at=NOW - DAY)
    _watch(doctor, world.courses[1], seconds=HOUR, reached_at=NOW - DAY)
    assert _forecast(doctor, world.programme) == Forecast(Outlook.NOTHING_TO_WATCH)


def test_finished_ended_and_not_begun() -> None:
    made = make_world(1)
    finished, idle = made.doctor(), made.doctor()
    complete(finished, *made.courses, at=NOW - DAY)
    assert _forecast(finished, made.programme) == Forecast(Outlook.FINISHED)
    Programme.objects.update(closes_at=NOW - DAY)
    assert _forecast(idle, made.programme) == Forecast(Outlook.ENDED)
    Programme.objects.update(closes_at=None, opens_at=NOW + DAY)
    assert _forecast(idle, made.programme) == Forecast(Outlook.BEGINS_LATER)


@given(
    watched=st.lists(st.tuples(st.integers(0, 70), st.integers(1, 60)), min_size=1, max_size=4),
    needed=st.integers(1, 4),
    opens=st.lists(st.integers(0, 200), min_size=4, max_size=4),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_day_against_a_count_second_by_second(
    watched: list[tuple[int, int]], needed: int, opens: list[int]
) -> None:
    """(minutes of a lecture of an hour, so many days ago) and the days after which each course opens."""
    needed = min(needed, len(watched))
    programme = ProgrammeFactory.create(completion_rule=CompletionRule.N_OF_M, required_count=needed)
    doctor = World(programme, []).doctor()
    recent: set[int] = set()  # seconds before now
    for place, (minutes, days_ago) in enumerate(watched):
        course = CourseFactory.create(
            programme=programme, position=place + 1, opens_at=NOW + opens[place] * DAY if opens[place] else None
        )
        WebinarFactory.create(lesson=LessonFactory.create(course=course), video__duration_seconds=float(HOUR))
        if minutes:
            _watch(doctor, course, seconds=minutes * 60, days_ago=days_ago)
        recent |= set(range(days_ago * 86_400 - minutes * 60, days_ago * 86_400))
    left = sorted(max(0, NEEDED - minutes * 60) for minutes, _ in watched)[:needed]
    wait = sorted(opens[: len(watched)])[needed - 1]
    pace = len([second for second in recent if second < PACE_DAYS * 86_400]) / PACE_DAYS
    assert _forecast(doctor, programme) == _expected(sum(left), wait, pace)


def _expected(left: int, wait: int, pace: float) -> Forecast:
    if not left and not wait:
        return Forecast(Outlook.NOTHING_TO_WATCH)
    if left and not pace:
        return Forecast(Outlook.NO_PACE)
    days = left / pace if left else 0.0
    if days > 730:
        return Forecast(Outlook.FAR)
    return Forecast(Outlook.READY, (NOW + timedelta(days=max(days, wait))).date())
