"""The read model: figures, states and the one next step, with the clock passed in."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from analytics.domain.progress import ProgrammeProgress, pick_first, read_home, read_programme
from analytics.enums import Standing, State, Step
from courses.enums import CompletionRule, EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Enrolment
from media.enums import VideoStatus
from tests.factories.accounts import UserFactory
from tests.factories.courses import CohortFactory, CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.media import VideoFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.pages.world import DAY, NOON, add_lecture, complete, make_world, watch
from webinars.enums import Phase

pytestmark = pytest.mark.django_db


def read_one(user: User, now: datetime = NOON) -> ProgrammeProgress:
    (programme,) = read_home(user=user, now=now)
    return programme


def states(programme: ProgrammeProgress) -> list[State]:
    return [course.state for course in programme.courses]


def test_a_fresh_doctor_starts_with_the_first_course() -> None:
    world = make_world(3)
    programme = read_one(world.doctor())
    assert states(programme) == [State.NOT_STARTED] * 3
    assert (programme.done, programme.needed, programme.remaining) == (0, 3, 3)
    assert programme.step is Step.START
    assert programme.next_course is not None
    assert programme.next_course.position == 1
    assert not programme.is_started
    assert programme.needed_seconds == 3 * 3240


def test_watching_makes_the_course_current_and_leaves_what_is_needed() -> None:
    world = make_world(3)
    user = world.doctor()
    watch(user, world.courses[1], (0, 1446), position_seconds=1450.4, at=NOON)
    programme = read_one(user)
    assert programme.step is Step.CONTINUE
    assert programme.current is not None
    course, lesson = programme.current
    assert (course.position, lesson.seen_seconds, lesson.unseen_seconds, lesson.total_seconds) == (2, 1446, 2154, 3600)
    assert lesson.resume_seconds == 1450.4
    assert lesson.presenters == ("Prof. Ana Ribeiro 2",)
    assert course.needed_seconds == 3240 - 1446
    assert programme.next_course is not None
    assert programme.next_course.position == 1
    assert programme.is_started


def test_of_two_lectures_the_one_watched_last_is_current() -> None:
    world = make_world(3)
    user = world.doctor()
    watch(user, world.courses[0], (0, 60), at=NOON - DAY)
    watch(user, world.courses[2], (0, 60), at=NOON)
    programme = read_one(user)
    assert programme.current is not None
    assert programme.current[0].position == 3
    assert programme.watched_at == NOON


@pytest.mark.parametrize(
    ("coverage", "position", "resume"),
    [
        (((0, 100),), 100.0, 100.0),
        (((0, 100),), 2000.5, 2000.5),
        (((0, 200), (1000, 3600)), 3595.0, 200.0),
        (((100, 3600),), 3600.0, 0.0),
    ],
)
def test_continue_after_the_end_means_the_first_unseen_part(
    coverage: tuple[tuple[int, int], ...], position: float, resume: float
) -> None:
    world = make_world(1)
    user = world.doctor()
    watch(user, world.courses[0], *coverage, position_seconds=position)
    assert read_one(user).courses[0].lessons[0].resume_seconds == resume


def test_completed_lectures_are_never_current() -> None:
    world = make_world(2)
    user = world.doctor()
    watch(user, world.courses[0], (0, 3300))
    complete(user, world.courses[0], at=NOON)
    programme = read_one(user)
    assert states(programme) == [State.COMPLETED, State.NOT_STARTED]
    assert programme.current is None
    assert programme.courses[0].bar == (((0, 1),), 1)
    assert programme.courses[0].needed_seconds == 0
    assert programme.courses[0].completed_at == NOON


def test_the_last_course_finishes_the_programme() -> None:
    world = make_world(2)
    user = world.doctor()
    complete(user, *world.courses, at=NOON)
    programme = read_one(user)
    assert (programme.standing, programme.step) == (Standing.COMPLETED, Step.FINISHED)
    assert (programme.done, programme.remaining, programme.completed_at) == (2, 0, NOON)


def test_n_of_m_needs_only_the_shortest_of_the_rest() -> None:
    world = make_world(3, completion_rule=CompletionRule.N_OF_M, required_count=2)
    add_lecture(world.courses[0], duration=1000.0)
    user = world.doctor()
    programme = read_one(user)
    assert (programme.needed, programme.remaining, programme.needed_seconds) == (2, 2, 2 * 3240)
    complete(user, *world.courses[1:], at=NOON)
    programme = read_one(user)
    assert (programme.done, programme.needed, programme.step) == (2, 2, Step.FINISHED)


def test_optional_courses_do_not_count() -> None:
    world = make_world(2)
    CourseFactory.create(programme=world.programme, position=3, is_required=False)
    programme = read_one(world.doctor())
    assert (programme.needed, len(programme.counted), len(programme.courses)) == (2, 2, 3)


def test_dates_prerequisites_and_closing_give_each_course_its_state() -> None:
    world = make_world(4)
    first, second, third, fourth = world.courses
    second.prerequisites.add(first)
    third.opens_at = NOON + DAY
    third.save()
    fourth.closes_at = NOON - DAY
    fourth.save()
    programme = read_one(world.doctor())
    assert states(programme) == [State.NOT_STARTED, State.LOCKED, State.LATER, State.CLOSED]
    assert [missing.title for missing in programme.courses[1].availability.missing] == [first.title]
    assert [course.only_webinar_id is not None for course in programme.courses] == [True, False, False, False]


def test_when_only_dates_are_ahead_the_soonest_is_what_to_wait_for() -> None:
    world = make_world(3)
    for course, days in zip(world.courses, (5, 2, 9), strict=True):
        course.opens_at = NOON + days * DAY
        course.save()
    programme = read_one(world.doctor())
    assert programme.step is Step.WAIT
    assert programme.next_course is not None
    assert programme.next_course.position == 2


def test_nothing_open_and_nothing_ahead() -> None:
    world = make_world(1)
    world.courses[0].closes_at = NOON - DAY
    world.courses[0].save()
    assert read_one(world.doctor()).step is Step.NOTHING_OPEN


def test_a_programme_without_courses_waits() -> None:
    programme = read_one(make_world(0).doctor())
    assert (programme.courses, programme.needed, programme.step) == ((), 0, Step.NOTHING_OPEN)


def test_standing_follows_the_window_of_programme_and_cohort() -> None:
    world = make_world(1, opens_at=NOON - DAY, closes_at=NOON + 10 * DAY)
    enrolment = Enrolment.objects.get(user=(user := world.doctor()))
    assert read_one(user).standing is Standing.RUNNING
    assert read_one(user, NOON - 2 * DAY).step is Step.BEGINS_LATER
    assert read_one(user, NOON + 10 * DAY).step is Step.ENDED
    enrolment.cohort = CohortFactory.create(programme=world.programme, opens_at=NOON + DAY)
    enrolment.save()
    assert read_one(user).standing is Standing.LATER


def test_a_sequential_course_locks_the_lessons_behind_the_first_open_one() -> None:
    world = make_world(1)
    course = world.courses[0]
    course.is_sequential = True
    course.save()
    add_lecture(course, title="Second")
    LessonFactory.create(course=course, kind=LessonKind.QUIZ, title="Third")
    lessons = read_one(world.doctor()).courses[0].lessons
    assert [lesson.state for lesson in lessons] == [State.NOT_STARTED, State.LOCKED, State.LOCKED]
    assert [lesson.webinar_id is not None for lesson in lessons] == [True, True, False]


def test_course_bar_lays_its_lessons_end_to_end() -> None:
    world = make_world(1, duration=100.0)
    second = add_lecture(world.courses[0], duration=50.0)
    user = world.doctor()
    watch(user, world.courses[0], (10, 30), (90, 400))
    WatchRecordFactory.create(user=user, webinar=second, coverage=((0, 20),))
    assert read_one(user).courses[0].bar == (((10, 30), (90, 120)), 150)


def test_without_a_video_the_bar_counts_lessons() -> None:
    course = CourseFactory.create()
    lessons = [LessonFactory.create(course=course, kind=LessonKind.DOCUMENT) for _ in range(2)]
    WebinarFactory.create(
        lesson=LessonFactory.create(course=course), video=VideoFactory.create(status=VideoStatus.EMPTY)
    )
    WebinarFactory.create(lesson=LessonFactory.create(course=course), video=None)
    user = EnrolmentFactory.create(programme=course.programme).user
    programme = read_one(user)
    assert (programme.courses[0].total_seconds, programme.courses[0].bar) == (0, (((0, 0),), 4))
    from courses.domain.completion import complete_lesson

    complete_lesson(user_id=user.pk, lesson_id=lessons[0].pk, evidence={}, now=NOON)
    programme = read_one(user)
    assert (programme.courses[0].state, programme.courses[0].bar) == (State.UNDER_WAY, (((0, 1),), 4))


def test_live_seconds_do_not_fill_the_recording() -> None:
    world = make_world(1)
    user = world.doctor()
    watch(user, world.courses[0], (0, 600), phase=Phase.LIVE)
    assert read_one(user).courses[0].seen_seconds == 0


def test_only_own_records_and_own_open_enrolments_are_read() -> None:
    world, foreign = make_world(2), make_world(2)
    user, other = world.doctor(), world.doctor()
    EnrolmentFactory.create(user=other, programme=foreign.programme)
    watch(other, world.courses[0], (0, 3000))
    complete(other, world.courses[1], at=NOON)
    for status in (EnrolmentStatus.INVITED, EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN):
        EnrolmentFactory.create(user=user, status=status)
    EnrolmentFactory.create(user=user, programme=ProgrammeFactory.create(status=PublishStatus.DRAFT))
    EnrolmentFactory.create(user=user, programme=ProgrammeFactory.create(status=PublishStatus.ARCHIVED))
    CourseFactory.create(programme=world.programme, position=3, status=PublishStatus.DRAFT)
    programmes = read_home(user=user, now=NOON)
    assert [programme.id for programme in programmes] == [world.programme.pk]
    assert states(programmes[0]) == [State.NOT_STARTED] * 2
    assert [course.seen_seconds for course in programmes[0].courses] == [0, 0]


def test_a_look_without_an_enrolment_shows_drafts_and_nobody_s_progress() -> None:
    world = make_world(1)
    CourseFactory.create(programme=world.programme, position=2, status=PublishStatus.DRAFT)
    staff = UserFactory.create()
    watch(staff, world.courses[0], (0, 3000))
    watch(world.doctor(), world.courses[0], (0, 3000))
    programme = read_programme(programme=world.programme, enrolment=None, user=staff, now=NOON)
    assert [course.is_draft for course in programme.courses] == [False, True]
    assert programme.courses[0].seen_seconds == 0


@pytest.mark.parametrize(
    ("closes_in", "zone", "days"),
    [
        (timedelta(hours=2), "UTC", 0),
        (timedelta(hours=13), "UTC", 1),
        (timedelta(hours=8), "Asia/Kolkata", 1),
        (timedelta(days=12), "UTC", 12),
    ],
)
def test_days_left_are_counted_on_the_reader_s_calendar(closes_in: timedelta, zone: str, days: int) -> None:
    programme = read_one(make_world(1, closes_at=NOON + closes_in).doctor())
    assert programme.days_left(now=NOON, zone=ZoneInfo(zone)) == days


def test_no_days_left_without_an_end_or_after_it() -> None:
    zone = ZoneInfo("UTC")
    assert read_one(make_world(1).doctor()).days_left(now=NOON, zone=zone) is None
    ended = read_one(make_world(1, closes_at=NOON).doctor())
    assert ended.days_left(now=NOON, zone=zone) is None


def test_the_start_page_is_about_the_running_programme_watched_last() -> None:
    ended, old, recent, later = (
        make_world(1, title="Ended", closes_at=NOON - DAY),
        make_world(1, title="Old"),
        make_world(1, title="Recent"),
        make_world(1, title="Later", opens_at=NOON + DAY),
    )
    user = UserFactory.create()
    for world in (ended, old, recent, later):
        EnrolmentFactory.create(user=user, programme=world.programme)
    watch(user, ended.courses[0], (0, 60), at=NOON)
    watch(user, old.courses[0], (0, 60), at=NOON - 2 * DAY)
    watch(user, recent.courses[0], (0, 60), at=NOON - DAY)
    first = pick_first(read_home(user=user, now=NOON))
    assert first is not None
    assert first.title == "Recent"
    assert pick_first([]) is None


@pytest.mark.parametrize("size", [1, 3, 10])
def test_reading_costs_the_same_for_any_size(size: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    worlds = [make_world(size) for _ in range(3 if size == 3 else 1)]
    user = UserFactory.create()
    for world in worlds:
        EnrolmentFactory.create(user=user, programme=world.programme)
        for course in world.courses:
            watch(user, course, (0, 60))
            course.prerequisites.add(world.courses[0])
    with django_assert_num_queries(7):
        read_home(user=user, now=NOON)


def test_nobody_s_home_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = UserFactory.create()
    with django_assert_num_queries(1):
        assert read_home(user=user, now=NOON) == []
