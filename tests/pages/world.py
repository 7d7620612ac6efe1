"""A programme of lectures of one hour each, and people who have got somewhere in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from core.ranges import Range
from courses.domain.completion import complete_lesson
from courses.models import Course, Programme
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.pages.html import Page
from tests.signing_in import signed_in
from webinars.models import WatchRecord

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class World:
    programme: Programme
    courses: list[Course]

    def doctor(self, **fields: Any) -> User:
        """Enrolled and active."""
        user = UserFactory.create(**fields)
        EnrolmentFactory.create(user=user, programme=self.programme)
        return user


def make_world(number: int = 3, *, duration: float = 3600.0, **programme: Any) -> World:
    made = ProgrammeFactory.create(**programme)
    courses = []
    for position in range(1, number + 1):
        course = CourseFactory.create(programme=made, position=position, title=f"{made.title}: course {position}")
        add_lecture(course, duration=duration)
        courses.append(course)
    return World(made, courses)


def add_lecture(course: Course, *, duration: float = 3600.0, **lesson: Any) -> Any:
    webinar = WebinarFactory.create(
        lesson=LessonFactory.create(course=course, **lesson), video__duration_seconds=duration
    )
    webinar.presenters.add(UserFactory.create(title="Prof.", first_name="Ana", last_name=f"Ribeiro {course.position}"))
    return webinar


def watch(user: User, course: Course, *coverage: Range, at: datetime | None = None, **fields: Any) -> WatchRecord:
    webinar = course.lessons.order_by("position")[0].webinar
    record: WatchRecord = WatchRecordFactory.create(
        user=user, webinar=webinar, coverage=coverage, last_beat_at=at or now(), **fields
    )
    return record


def complete(user: User, *courses: Course, at: datetime | None = None) -> None:
    for course in courses:
        for lesson in course.lessons.all():
            complete_lesson(user_id=user.pk, lesson_id=lesson.pk, evidence={}, now=at or now())


def read(client: Client, path: str, status: int = 200) -> Page:
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return Page(response.content.decode())


def read_as(user: User, path: str, status: int = 200) -> Page:
    return read(signed_in(user), path, status)
