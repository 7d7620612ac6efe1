from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.domain import authoring
from courses.domain.completion import complete_lesson
from courses.enums import CompletionRule, EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Course, CourseCompletion, Lesson, LessonCompletion
from media.enums import VideoStatus
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.media import VideoFactory
from webinars.models import Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_courses_change_places_in_one_statement() -> None:
    programme = ProgrammeFactory()
    first, second, third = (CourseFactory(programme=programme) for _ in range(3))
    other = CourseFactory()
    with CaptureQueriesContext(connection) as queries:
        authoring.reorder_courses(programme=programme, course_ids=[third.pk, first.pk, second.pk])
    assert sum("UPDATE" in query["sql"] and "position" in query["sql"] for query in queries) == 1
    assert list(programme.courses.values_list("pk", "position")) == [(third.pk, 1), (first.pk, 2), (second.pk, 3)]
    other.refresh_from_db()
    assert other.position == 1


def test_lessons_change_places() -> None:
    course = CourseFactory()
    first, second = (LessonFactory(course=course) for _ in range(2))
    authoring.reorder_lessons(course=course, lesson_ids=[second.pk, first.pk])
    assert list(course.lessons.values_list("pk", flat=True)) == [second.pk, first.pk]


def test_an_order_that_names_not_exactly_the_present_ones_is_refused() -> None:
    programme = ProgrammeFactory()
    first, second = (CourseFactory(programme=programme) for _ in range(2))
    for ids in ([first.pk], [first.pk, first.pk], [first.pk, second.pk, CourseFactory().pk], []):
        with pytest.raises(authoring.OrderError):
            authoring.reorder_courses(programme=programme, course_ids=ids)
    assert list(programme.courses.values_list("pk", flat=True)) == [first.pk, second.pk]


def test_a_new_lesson_goes_to_the_end_and_gets_what_its_kind_needs() -> None:
    course = CourseFactory()
    LessonFactory(course=course)
    made = authoring.save_lesson(lesson=Lesson(course=course, kind=LessonKind.WEBINAR, title="PCOS"), now=NOW)
    assert made.position == 2
    assert Webinar.objects.get(lesson=made).completion_percent == 90
    document = authoring.save_lesson(lesson=Lesson(course=course, kind=LessonKind.DOCUMENT, title="PDF"), now=NOW)
    authoring.save_lesson(lesson=made, now=NOW)
    assert list(Webinar.objects.values_list("lesson", flat=True)) == [made.pk]
    assert document.position == 3


def test_a_copy_is_a_draft_at_the_end_with_everything_but_progress() -> None:
    enrolment = EnrolmentFactory()
    first = CourseFactory(programme=enrolment.programme)
    course = CourseFactory(
        programme=enrolment.programme,
        summary="What the tests mean",
        opens_at=NOW,
        closes_at=NOW + timedelta(days=9),
        is_sequential=True,
        is_required=False,
        completion_rule=CompletionRule.N_OF_M,
        required_count=1,
    )
    course.prerequisites.add(first)
    lesson = authoring.save_lesson(
        lesson=Lesson(course=course, kind=LessonKind.WEBINAR, title="AMH", is_required=True, opens_at=NOW), now=NOW
    )
    LessonFactory(course=course, kind=LessonKind.QUIZ, is_required=False)
    presenter, video = UserFactory(), VideoFactory()
    Webinar.objects.filter(lesson=lesson).update(video=video, completion_percent=75)
    Webinar.objects.get(lesson=lesson).presenters.add(presenter)
    complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={}, now=NOW)

    copy = authoring.duplicate_course(course=course, title="AMH again", now=NOW)

    same = ("summary", "opens_at", "closes_at", "is_sequential", "is_required", "completion_rule", "required_count")
    assert {name: getattr(copy, name) for name in same} == {name: getattr(course, name) for name in same}
    assert (copy.title, copy.status, copy.position) == ("AMH again", PublishStatus.DRAFT, 3)
    assert list(copy.prerequisites.all()) == [first]
    fields = ("position", "kind", "title", "summary", "is_required", "opens_at", "closes_at")
    assert list(copy.lessons.values_list(*fields)) == list(course.lessons.values_list(*fields))
    webinar = Webinar.objects.get(lesson__course=copy)
    assert (webinar.video, webinar.completion_percent) == (video, 75)
    assert list(webinar.presenters.all()) == [presenter]
    assert not LessonCompletion.objects.filter(lesson__course=copy).exists()
    assert not CourseCompletion.objects.filter(course=copy).exists()
    course.refresh_from_db()
    assert (course.title, course.status, course.lessons.count()) != (copy.title, copy.status, 0)


@pytest.mark.parametrize(("title", "copied"), [("PCOS", "PCOS (copy)"), ("x" * 200, "x" * 199 + "…")])
def test_a_copied_title_fits(title: str, copied: str) -> None:
    assert authoring.duplicate_course(course=CourseFactory(title=title), now=NOW).title == copied


def test_an_empty_course_and_an_impossible_rule_are_not_published() -> None:
    empty = CourseFactory(status=PublishStatus.DRAFT)
    with pytest.raises(authoring.NotReadyError, match="no lesson"):
        authoring.publish_course(course=empty, now=NOW)
    greedy = CourseFactory(status=PublishStatus.DRAFT, completion_rule=CompletionRule.N_OF_M, required_count=2)
    LessonFactory(course=greedy)
    LessonFactory(course=greedy, is_required=False)
    with pytest.raises(authoring.NotReadyError, match=r"asks for 2 .* only 1"):
        authoring.publish_course(course=greedy, now=NOW)
    assert set(Course.objects.values_list("status", flat=True)) == {PublishStatus.DRAFT}


def test_publishing_tells_what_doctors_would_miss() -> None:
    course = CourseFactory(status=PublishStatus.DRAFT)
    for title, video in (
        ("No video", None),
        ("Half done", VideoFactory(status=VideoStatus.EMPTY)),
        ("Ready", VideoFactory()),
    ):
        made = authoring.save_lesson(lesson=Lesson(course=course, kind=LessonKind.WEBINAR, title=title), now=NOW)
        Webinar.objects.filter(lesson=made).update(video=video)
    warned = authoring.publish_course(course=course, now=NOW)
    assert course.status == PublishStatus.PUBLISHED
    assert warned.warnings == (
        "“No video”: no video is chosen yet.",
        "“Half done”: its video is not ready to be watched yet.",
    )


def test_a_programme_needs_a_published_course() -> None:
    programme = ProgrammeFactory(status=PublishStatus.DRAFT, completion_rule=CompletionRule.N_OF_M, required_count=2)
    CourseFactory(programme=programme, status=PublishStatus.DRAFT)
    with pytest.raises(authoring.NotReadyError):
        authoring.publish_programme(programme=programme)
    CourseFactory(programme=programme)
    assert len(authoring.publish_programme(programme=programme).warnings) == 1
    programme.refresh_from_db()
    assert programme.status == PublishStatus.PUBLISHED


def test_archiving_the_last_missing_course_completes_the_programme_for_those_who_did_the_rest() -> None:
    enrolment = EnrolmentFactory()
    lesson = LessonFactory(course__programme=enrolment.programme)
    forgotten = CourseFactory(programme=enrolment.programme)
    complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={}, now=NOW)
    authoring.archive_course(course=forgotten, now=NOW + timedelta(days=1))
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.completed_at) == (EnrolmentStatus.COMPLETED, NOW + timedelta(days=1))


def test_a_saved_easier_rule_is_applied_at_once() -> None:
    enrolment = EnrolmentFactory()
    lesson = LessonFactory(course__programme=enrolment.programme)
    LessonFactory(course=lesson.course)
    CourseFactory(programme=enrolment.programme)
    complete_lesson(user_id=enrolment.user_id, lesson_id=lesson.pk, evidence={}, now=NOW)
    course = Course.objects.get(pk=lesson.course_id)
    course.completion_rule, course.required_count = CompletionRule.N_OF_M, 1
    authoring.save_course(course=course, now=NOW)
    assert CourseCompletion.objects.get().course == course
    programme = course.programme
    programme.completion_rule, programme.required_count = CompletionRule.N_OF_M, 1
    authoring.save_programme(programme=programme, now=NOW)
    enrolment.refresh_from_db()
    assert enrolment.status == EnrolmentStatus.COMPLETED


def test_waiting_is_found_over_any_number_of_steps() -> None:
    programme = ProgrammeFactory()
    first, second, third, apart = (CourseFactory(programme=programme) for _ in range(4))
    second.prerequisites.add(first)
    third.prerequisites.add(second)
    assert authoring.waits_for(third, first)
    assert not authoring.waits_for(first, third)
    assert not authoring.waits_for(apart, first)
