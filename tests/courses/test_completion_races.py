"""Real threads, real transactions: what the lock on the enrolment row is for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from core.processes import wait_until
from courses.domain.completion import Done, complete_lesson, complete_lessons
from courses.domain.enrolment import TransitionError, reinstate, suspend, withdraw
from courses.enums import EnrolmentStatus
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory
from tests.meanwhile import somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Each call in a thread and connection of its own, started together. An exception is a result."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            with connection.cursor() as cursor:  # connected before the race starts
                cursor.execute("SELECT 1")
            barrier.wait(timeout=60)
            return call()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [task.result(timeout=60) for task in [pool.submit(run, call) for call in calls]]


def test_two_devices_that_finish_the_last_two_lessons_complete_the_course_exactly_once() -> None:
    course = CourseFactory()
    lessons = [LessonFactory(course=course) for _ in range(2)]
    for _ in range(12):
        enrolment = EnrolmentFactory(programme=course.programme)

        def finish(lesson_id: int, user_id: int = enrolment.user_id) -> LessonCompletion:
            return complete_lesson(user_id=user_id, lesson_id=lesson_id, evidence={}, now=NOW)

        results = at_once(lambda: finish(lessons[0].pk), lambda: finish(lessons[1].pk))
        assert [one.lesson_id for one in results] == [lesson.pk for lesson in lessons]
        assert CourseCompletion.objects.filter(user=enrolment.user).count() == 1
        enrolment.refresh_from_db()
        assert enrolment.status == EnrolmentStatus.COMPLETED


def test_the_same_lesson_on_four_devices_is_completed_once() -> None:
    enrolment = EnrolmentFactory()
    lesson = LessonFactory(course__programme=enrolment.programme)
    results = at_once(
        *(
            lambda: complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={}, now=NOW)
            for _ in range(4)
        )
    )
    assert {one.pk for one in results} == {LessonCompletion.objects.get().pk}


def test_sweeps_over_the_same_people_in_different_orders_do_not_deadlock() -> None:
    course = CourseFactory()
    lessons = [LessonFactory(course=course) for _ in range(2)]
    people = [EnrolmentFactory(programme=course.programme) for _ in range(40)]
    pairs = [Done(one.user_id, lesson.pk) for lesson in lessons for one in people]
    results = at_once(
        lambda: complete_lessons(pairs, now=NOW),
        lambda: complete_lessons(pairs[::-1], now=NOW),
        lambda: complete_lessons(pairs[20:] + pairs[:20], now=NOW),
    )
    assert not [one for one in results if isinstance(one, Exception)]
    assert sum(len(one.lessons) for one in results) == 80
    assert sum(len(one.courses) for one in results) == CourseCompletion.objects.count() == 40
    assert set(Enrolment.objects.values_list("status", flat=True)) == {EnrolmentStatus.COMPLETED}


def test_a_suspension_under_way_is_waited_for_and_wins() -> None:
    """The completion sees the status of the row it locked, not the one it read before."""
    enrolment = EnrolmentFactory()
    lesson = LessonFactory(course__programme=enrolment.programme)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            suspend(enrolment=enrolment, now=NOW)
            other = pool.submit(at_once, lambda: complete_lessons([Done(enrolment.user_id, lesson.pk)], now=NOW))
            assert wait_until(somebody_waits, seconds=60)
        (raised,) = other.result(timeout=60)
    assert [one.user_id for one in raised.refused] == [enrolment.user_id]
    assert not LessonCompletion.objects.exists()


def test_two_moderators_at_once() -> None:
    enrolment = EnrolmentFactory()
    results = at_once(
        lambda: suspend(enrolment=enrolment, now=NOW).status, lambda: suspend(enrolment=enrolment, now=NOW).status
    )
    assert results == [EnrolmentStatus.SUSPENDED] * 2
    results = at_once(
        lambda: withdraw(enrolment=enrolment, now=NOW).status, lambda: reinstate(enrolment=enrolment, now=NOW).status
    )
    assert not [one for one in results if isinstance(one, TransitionError)]
    enrolment.refresh_from_db()
    assert enrolment.status in {EnrolmentStatus.WITHDRAWN, EnrolmentStatus.ACTIVE}
