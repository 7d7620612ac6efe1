"""The next certificates of courses and programmes: how far, and the one tap that goes on."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from certification.domain.ahead import Ahead, certificates_ahead
from courses.enums import CompletionRule, EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Course, CourseCompletion, Enrolment, LessonCompletion, Programme
from tests.certification.earned import issuing_programme
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def course_of(programme: Programme, number: int, *, lessons: int = 2, **values: Any) -> Course:
    made: Course = CourseFactory.create(programme=programme, title=f"Course {number}", position=number, **values)
    for place in range(1, lessons + 1):
        LessonFactory.create(course=made, position=place, title=f"Lesson {number}.{place}")
    return made


def complete(user: User, course: Course, *, lessons: int | None = None) -> None:
    """So many lessons of it, or all and the course."""
    now = timezone.now()
    for lesson in course.lessons.order_by("position")[: lessons or 99]:
        LessonCompletion.objects.create(user=user, lesson=lesson, completed_at=now)
    if lessons is None:
        CourseCompletion.objects.create(user=user, course=course, completed_at=now)


def ahead(user: User) -> list[Ahead]:
    return certificates_ahead(user=user, now=timezone.now())


def told(user: User) -> list[tuple[str, str, str]]:
    return [(one.title, one.words, one.lesson) for one in ahead(user)]


@pytest.fixture
def programme() -> Programme:
    return issuing_programme()


@pytest.fixture
def user(programme: Programme) -> User:
    made: User = EnrolmentFactory.create(programme=programme).user
    return made


def test_programme_and_course_with_the_next_lesson(programme: Programme, user: User) -> None:
    first, second, _third = (course_of(programme, number) for number in (1, 2, 3))
    complete(user, first)
    complete(user, second, lessons=1)
    following = second.lessons.get(position=2)
    assert told(user) == [
        ("Cardiology", "1 of 3 courses to the programme's certificate.", "Lesson 2.2"),
        ("Course 2", "1 of 2 parts to the course's certificate.", "Lesson 2.2"),
    ]
    assert [one.address for one in ahead(user)] == [f"/lessons/{following.pk}/"] * 2


def test_what_was_watched_last_is_gone_on_with(programme: Programme, user: User) -> None:
    course_of(programme, 1)
    second = course_of(programme, 2, lessons=1)
    lecture = WebinarFactory.create(lesson__course=second, lesson__position=2, lesson__title="Half seen")
    WatchRecordFactory.create(user=user, webinar=lecture)
    assert [one.lesson for one in ahead(user)] == ["Half seen"] * 2
    LessonCompletion.objects.create(user=user, lesson=lecture.lesson, completed_at=timezone.now())
    assert [one.lesson for one in ahead(user)] == ["Lesson 2.1"] * 2


def test_of_one_course_only_the_programme_speaks(programme: Programme, user: User) -> None:
    course_of(programme, 1)
    assert told(user) == [("Cardiology", "0 of 1 course to the programme's certificate.", "Lesson 1.1")]


def test_some_of_the_parts_are_enough_where_the_rule_says_so(programme: Programme, user: User) -> None:
    Programme.objects.filter(pk=programme.pk).update(completion_rule=CompletionRule.N_OF_M, required_count=2)
    rule = {"completion_rule": CompletionRule.N_OF_M, "required_count": 3}
    for number in (1, 2, 3):
        course_of(programme, number, lessons=4, **rule)
    assert [(one.done, one.needed) for one in ahead(user)] == [(0, 2), (0, 3)]


def test_a_completed_course_may_wait_for_feedback_alone(programme: Programme, user: User) -> None:
    first = course_of(programme, 1)
    complete(user, first)
    form = LessonFactory.create(
        course=first, kind=LessonKind.EVALUATION, position=3, title="Feedback", is_required=False
    )
    Enrolment.objects.update(status=EnrolmentStatus.COMPLETED, completed_at=timezone.now())
    (only,) = ahead(user)
    assert (only.title, only.only_feedback, only.address) == ("Course 1", True, f"/lessons/{form.pk}/")
    assert only.words == "The course is completed. Only your feedback is missing for its certificate."


def test_what_opens_later_says_when(programme: Programme, user: User) -> None:
    opens_at = timezone.now() + timedelta(days=3)
    course_of(programme, 1, opens_at=opens_at)
    (only,) = ahead(user)
    assert (only.address, only.opens_at) == ("", opens_at)


def test_exactly_the_doctors_own_running_programmes_that_issue(programme: Programme, user: User) -> None:
    course_of(programme, 1)
    silent = ProgrammeFactory.create(slug="silent")
    closed = issuing_programme(slug="closed", closes_at=timezone.now() - timedelta(days=1))
    archived = issuing_programme(slug="archived", status=PublishStatus.ARCHIVED)
    left = issuing_programme(slug="left")
    foreign = issuing_programme(slug="foreign")
    for other in (silent, closed, archived, left, foreign):
        course_of(other, 1)
    for other in (silent, closed, archived):
        EnrolmentFactory.create(programme=other, user=user)
    EnrolmentFactory.create(programme=left, user=user, status=EnrolmentStatus.WITHDRAWN)
    EnrolmentFactory.create(programme=foreign)
    assert [one.programme for one in ahead(user)] == [programme.title]


def test_when_all_is_done_nothing_is_ahead(programme: Programme, user: User) -> None:
    complete(user, course_of(programme, 1))
    Enrolment.objects.update(status=EnrolmentStatus.COMPLETED, completed_at=timezone.now())
    assert ahead(user) == []


@pytest.mark.parametrize("programmes", [1, 3])
def test_seven_queries_however_many(programmes: int, user: User, programme: Programme, request: Any) -> None:
    course_of(programme, 1)
    for number in range(1, programmes):
        other = issuing_programme(slug=f"more-{number}")
        course_of(other, 1)
        course_of(other, 2)
        EnrolmentFactory.create(programme=other, user=user)
    count = request.getfixturevalue("django_assert_num_queries")
    with count(7):
        assert len(ahead(user)) == 1 + 2 * (programmes - 1)


def test_the_page_of_credits_has_the_tap(programme: Programme, user: User) -> None:
    first, _second = course_of(programme, 1), course_of(programme, 2)
    text = " ".join(signed_in(user).get("/credits/").content.decode().split())
    assert "Your next certificates" in text
    assert "0 of 2 courses to the programme&#x27;s certificate." in text
    lesson = first.lessons.get(position=1)
    assert f'<a class="button" href="/lessons/{lesson.pk}/">Go on' in text
    assert "No credit yet" not in text
