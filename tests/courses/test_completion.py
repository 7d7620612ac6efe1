from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from courses.domain.completion import (
    Done,
    NotEnrolledError,
    UnknownLessonError,
    complete_lesson,
    complete_lessons,
    recount,
)
from courses.enums import CompletionRule, EnrolmentStatus, PublishStatus
from courses.models import Course, CourseCompletion, Enrolment, Lesson, LessonCompletion
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def enrolment() -> Enrolment:
    """Active in a programme that nothing completes by accident: it has a second course with one lesson."""
    one = EnrolmentFactory()
    LessonFactory(course=CourseFactory(programme=one.programme))
    return one


def course_of(enrolment: Enrolment, lessons: int, **given: object) -> tuple[Course, list[Lesson]]:
    course = CourseFactory(programme=enrolment.programme, **given)
    return course, [LessonFactory(course=course) for _ in range(lessons)]


def finish(enrolment: Enrolment, *lessons: Lesson, now: datetime = NOW) -> None:
    for lesson in lessons:
        complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={"seen_seconds": 60}, now=now)


def completed_courses(enrolment: Enrolment) -> set[int]:
    return set(CourseCompletion.objects.filter(user=enrolment.user).values_list("course_id", flat=True))


def test_the_first_evidence_and_date_stay(enrolment: Enrolment) -> None:
    _, (lesson, _) = course_of(enrolment, 2)
    first = complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={"seen": 90}, now=NOW)
    again = complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={"seen": 99}, now=LATER)
    assert again == first
    assert (again.completed_at, again.evidence) == (NOW, {"seen": 90})
    assert LessonCompletion.objects.count() == 1


def test_the_last_required_lesson_completes_the_course(enrolment: Enrolment) -> None:
    course, (first, second) = course_of(enrolment, 2)
    LessonFactory(course=course, is_required=False)
    finish(enrolment, first)
    assert completed_courses(enrolment) == set()
    finish(enrolment, second, now=LATER)
    assert CourseCompletion.objects.get().completed_at == LATER


def test_a_course_of_optional_lessons_takes_all_of_them(enrolment: Enrolment) -> None:
    course = CourseFactory(programme=enrolment.programme)
    first, second = (LessonFactory(course=course, is_required=False) for _ in range(2))
    finish(enrolment, first)
    assert completed_courses(enrolment) == set()
    finish(enrolment, second)
    assert completed_courses(enrolment) == {course.pk}


def test_two_of_three(enrolment: Enrolment) -> None:
    course, lessons = course_of(enrolment, 3, completion_rule=CompletionRule.N_OF_M, required_count=2)
    finish(enrolment, lessons[2])
    assert completed_courses(enrolment) == set()
    finish(enrolment, lessons[0])
    assert completed_courses(enrolment) == {course.pk}


def test_optional_lessons_do_not_count_towards_n_of_m(enrolment: Enrolment) -> None:
    course, (first, _) = course_of(enrolment, 2, completion_rule=CompletionRule.N_OF_M, required_count=2)
    finish(enrolment, first, LessonFactory(course=course, is_required=False))
    assert completed_courses(enrolment) == set()


def test_more_needed_than_there_are_is_never_met(enrolment: Enrolment) -> None:
    """Seven of ten stays seven while only two are there: the course is still growing."""
    _, lessons = course_of(enrolment, 2, completion_rule=CompletionRule.N_OF_M, required_count=3)
    finish(enrolment, *lessons)
    assert completed_courses(enrolment) == set()


def test_all_courses_complete_the_programme_once() -> None:
    enrolment = EnrolmentFactory()
    (_, (first,)), (_, (second,)) = course_of(enrolment, 1), course_of(enrolment, 1)
    CourseFactory(programme=enrolment.programme, status=PublishStatus.DRAFT)
    CourseFactory(programme=enrolment.programme, status=PublishStatus.ARCHIVED)
    course_of(enrolment, 1, is_required=False)
    finish(enrolment, first)
    enrolment.refresh_from_db()
    assert enrolment.status == EnrolmentStatus.ACTIVE
    finish(enrolment, second)
    finish(enrolment, second, now=LATER)
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.completed_at) == (EnrolmentStatus.COMPLETED, NOW)


def test_one_of_two_courses_completes_the_programme() -> None:
    enrolment = EnrolmentFactory(programme__completion_rule=CompletionRule.N_OF_M, programme__required_count=1)
    (_, (first,)), _ = course_of(enrolment, 1), course_of(enrolment, 1)
    finish(enrolment, first)
    enrolment.refresh_from_db()
    assert enrolment.status == EnrolmentStatus.COMPLETED


def test_a_lesson_added_later_takes_nothing_away(enrolment: Enrolment) -> None:
    course, (lesson,) = course_of(enrolment, 1)
    finish(enrolment, lesson)
    added = LessonFactory(course=course)
    finish(enrolment, lesson, now=LATER)
    recount(programme=enrolment.programme, now=LATER)
    assert CourseCompletion.objects.get().completed_at == NOW
    finish(enrolment, added, now=LATER)
    assert CourseCompletion.objects.get().completed_at == NOW


@pytest.mark.parametrize("status", [EnrolmentStatus.INVITED, EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN])
def test_without_an_open_enrolment_nothing_is_written(status: str) -> None:
    enrolment = EnrolmentFactory(status=status)
    _, (lesson,) = course_of(enrolment, 1)
    with pytest.raises(NotEnrolledError):
        finish(enrolment, lesson)
    assert not LessonCompletion.objects.exists()


def test_an_enrolment_elsewhere_does_not_help(enrolment: Enrolment) -> None:
    _, (foreign,) = course_of(EnrolmentFactory(), 1)
    with pytest.raises(NotEnrolledError):
        finish(enrolment, foreign)
    assert not LessonCompletion.objects.exists()


def test_an_unknown_lesson_is_an_error_and_the_whole_call_is_undone(enrolment: Enrolment) -> None:
    _, (lesson,) = course_of(enrolment, 1)
    with pytest.raises(UnknownLessonError):
        complete_lessons([Done(enrolment.user_id, lesson.pk), Done(enrolment.user_id, 10**9)], now=NOW)
    assert not LessonCompletion.objects.exists()


def test_the_sweep_refuses_some_and_completes_the_others(enrolment: Enrolment) -> None:
    course, (lesson,) = course_of(enrolment, 1)
    colleague = EnrolmentFactory(programme=enrolment.programme)
    suspended = EnrolmentFactory(programme=enrolment.programme, status=EnrolmentStatus.SUSPENDED)
    people = (enrolment, suspended, colleague)
    raised = complete_lessons([Done(one.user_id, lesson.pk) for one in people], now=NOW)
    assert raised.lessons == {(enrolment.user_id, lesson.pk), (colleague.user_id, lesson.pk)}
    assert raised.courses == {(enrolment.user_id, course.pk), (colleague.user_id, course.pk)}
    assert [one.user_id for one in raised.refused] == [suspended.user_id]
    assert complete_lessons([Done(enrolment.user_id, lesson.pk)], now=LATER).lessons == frozenset()


def test_the_same_pair_twice_in_one_sweep(enrolment: Enrolment) -> None:
    _, (lesson,) = course_of(enrolment, 1)
    pair = (enrolment.user_id, lesson.pk)
    complete_lessons([Done(*pair, {"first": True}), Done(*pair, {"first": False})], now=NOW)
    assert LessonCompletion.objects.get().evidence == {"first": True}


def test_a_sweep_costs_the_same_number_of_queries_for_one_and_for_thirty(enrolment: Enrolment) -> None:
    _, (first, second) = course_of(enrolment, 2)
    people = [EnrolmentFactory(programme=enrolment.programme) for _ in range(30)]
    with CaptureQueriesContext(
        connection,
    ) as for_one:
        complete_lessons([Done(enrolment.user_id, first.pk), Done(enrolment.user_id, second.pk)], now=NOW)
    with CaptureQueriesContext(connection) as for_many:
        complete_lessons([Done(one.user_id, lesson.pk) for one in people for lesson in (first, second)], now=NOW)
    assert len(for_many) == len(for_one) <= 14


def test_recount_raises_what_a_changed_rule_allows(enrolment: Enrolment) -> None:
    course, (first, second) = course_of(enrolment, 2)
    finish(enrolment, first)
    Lesson.objects.filter(pk=second.pk).update(is_required=False)
    raised = recount(programme=enrolment.programme, now=LATER)
    assert raised.courses == {(enrolment.user_id, course.pk)}
    assert recount(programme=enrolment.programme, now=LATER).courses == frozenset()


def test_recount_leaves_the_suspended_alone() -> None:
    enrolment = EnrolmentFactory()
    _, (first, second) = course_of(enrolment, 2)
    finish(enrolment, first)
    Lesson.objects.filter(pk=second.pk).update(is_required=False)
    Enrolment.objects.update(status=EnrolmentStatus.SUSPENDED)
    assert recount(programme=enrolment.programme, now=LATER).courses == frozenset()
    enrolment.refresh_from_db()
    assert enrolment.completed_at is None


def test_what_was_completed_cannot_be_deleted(enrolment: Enrolment) -> None:
    course, (lesson,) = course_of(enrolment, 1)
    finish(enrolment, lesson)
    for thing in (lesson, course, enrolment.programme):
        with pytest.raises(ProtectedError):
            thing.delete()
