"""What the door of one lesson says is what the programme's page says, for fewer queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from courses.domain.availability import State
from courses.domain.queries import lesson_availability, outline_of
from courses.enums import PublishStatus
from courses.models import Course, CourseCompletion, Lesson, LessonCompletion
from tests.factories.courses import CohortFactory, CourseFactory, EnrolmentFactory, LessonFactory

pytestmark = pytest.mark.django_db
NOW = now()


class World:
    """A course of three lessons behind another one, and a doctor."""

    def __init__(self) -> None:
        self.before = CourseFactory.create()
        self.course = CourseFactory.create(programme=self.before.programme)
        self.lessons = [LessonFactory.create(course=self.course) for _ in range(3)]
        self.cohort = CohortFactory.create(programme=self.before.programme)
        self.enrolment = EnrolmentFactory.create(programme=self.before.programme, cohort=self.cohort)
        self.user: User = self.enrolment.user

    def require(self, status: str = PublishStatus.PUBLISHED) -> None:
        Course.objects.filter(pk=self.before.pk).update(status=status)
        self.course.prerequisites.add(self.before)

    def complete(self, *things: Any) -> None:
        for one in things:
            given = {"user": self.user, "completed_at": NOW}
            if isinstance(one, Lesson):
                LessonCompletion.objects.create(lesson=one, **given)
            else:
                CourseCompletion.objects.create(course=one, **given)

    def door(self, number: int) -> tuple[Any, int]:
        lesson = Lesson.objects.select_related("course__programme").get(pk=self.lessons[number].pk)
        with CaptureQueriesContext(connection) as queries:
            found = lesson_availability(lesson=lesson, user_id=self.user.pk, now=NOW)
        return found, len(queries)

    def page(self, number: int) -> Any:
        programme = Course.objects.select_related("programme").get(pk=self.course.pk).programme
        outline = outline_of(
            programme=programme, user_id=self.user.pk, enrolment=self.enrolment, now=NOW, drafts=True
        ).lesson(self.lessons[number].pk)
        assert outline is not None
        return outline.availability


def sequential(world: World) -> None:
    Course.objects.filter(pk=world.course.pk).update(is_sequential=True)


def sequential_and_begun(world: World) -> None:
    sequential(world)
    world.complete(world.lessons[0])


def behind(world: World) -> None:
    world.require()


def behind_a_draft(world: World) -> None:
    world.require(PublishStatus.DRAFT)


def behind_one_that_is_done(world: World) -> None:
    world.require()
    world.complete(world.before)


def completed_before_the_rule(world: World) -> None:
    world.require()
    world.complete(world.course)


def lesson_completed_before_the_rule(world: World) -> None:
    world.require()
    world.complete(world.lessons[2])


def not_yet_for_the_cohort(world: World) -> None:
    world.cohort.opens_at = NOW + timedelta(days=1)
    world.cohort.save()


def closed(world: World) -> None:
    Course.objects.filter(pk=world.course.pk).update(closes_at=NOW - timedelta(days=1))


def nothing(_world: World) -> None:
    """Open."""


CASES: dict[Any, tuple[list[State], int]] = {
    nothing: ([State.OPEN, State.OPEN, State.OPEN], 2),
    sequential: ([State.OPEN, State.LOCKED, State.LOCKED], 4),
    sequential_and_begun: ([State.OPEN, State.OPEN, State.LOCKED], 4),
    behind: ([State.LOCKED, State.LOCKED, State.LOCKED], 4),
    behind_a_draft: ([State.OPEN, State.OPEN, State.OPEN], 2),
    behind_one_that_is_done: ([State.OPEN, State.OPEN, State.OPEN], 2),
    completed_before_the_rule: ([State.OPEN, State.OPEN, State.OPEN], 3),
    lesson_completed_before_the_rule: ([State.LOCKED, State.LOCKED, State.OPEN], 4),
    not_yet_for_the_cohort: ([State.NOT_YET, State.NOT_YET, State.NOT_YET], 2),
    closed: ([State.CLOSED, State.CLOSED, State.CLOSED], 2),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_door_says_what_the_page_says(case: Any) -> None:
    world = World()
    case(world)
    states, queries = CASES[case]
    doors = [world.door(number) for number in range(3)]
    assert [door for door, _ in doors] == [world.page(number) for number in range(3)]
    assert [door.state for door, _ in doors] == states
    assert {count for _, count in doors} == {queries}
