"""Reads that span models: what a doctor's programme looks like right now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch

from courses.domain.availability import Availability, state_of_course, state_of_lesson
from courses.enums import CompletionRule, PublishStatus
from courses.models import Cohort, Course, CourseCompletion, Enrolment, Lesson, LessonCompletion, Programme


@dataclass(frozen=True, slots=True)
class LessonOutline:
    lesson: Lesson
    availability: Availability
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CourseOutline:
    course: Course
    availability: Availability
    completed_at: datetime | None
    lessons: tuple[LessonOutline, ...]


@dataclass(frozen=True, slots=True)
class ProgrammeOutline:
    """`needed` of the counted courses complete the programme; `done` counts only those: `done/needed` is the ring."""

    programme: Programme
    cohort: Cohort | None
    courses: tuple[CourseOutline, ...]
    done: int
    needed: int
    completed_at: datetime | None

    def lesson(self, lesson_id: int) -> LessonOutline | None:
        return next((one for course in self.courses for one in course.lessons if one.lesson.pk == lesson_id), None)


def outline_of(
    *,
    programme: Programme,
    user_id: int | None,
    enrolment: Enrolment | None,
    now: datetime,
    drafts: bool = False,
) -> ProgrammeOutline:
    """One programme as one doctor sees it, in five queries. No `user_id`: a doctor who has done nothing (preview)."""
    return _outlines([(programme, enrolment)], user_id=user_id, now=now, drafts=drafts)[0]


def outlines_of(*, user_id: int, enrolments: Sequence[Enrolment], now: datetime) -> list[ProgrammeOutline]:
    """Every programme of a doctor in five queries, however many. Select the enrolments with programme and cohort."""
    return _outlines([(one.programme, one) for one in enrolments], user_id=user_id, now=now, drafts=False)


def lesson_availability(*, lesson: Lesson, user_id: int, now: datetime) -> Availability:
    """For the doors of one lesson; without an enrolment (a presenter, a moderator) the cohort's window is not asked.

    Every player asks this when it begins and twice a minute while it is live. Two queries; what is completed is looked
    up only where something has to come first. The lesson's course and programme are taken as they were read.
    """
    course = lesson.course
    enrolment = (
        Enrolment.objects.select_related("cohort").filter(user_id=user_id, programme=course.programme_id).first()
    )
    mine = CourseCompletion.objects.filter(user_id=user_id)
    before: list[Any] = list(
        course.prerequisites.filter(status=PublishStatus.PUBLISHED).annotate(
            is_done=Exists(mine.filter(course=OuterRef("pk")))
        )
    )
    completed = {one.pk for one in before if one.is_done}
    if len(completed) < len(before) and mine.filter(course=course).exists():
        completed.add(course.pk)
    course_state = state_of_course(
        course=course,
        programme=course.programme,
        cohort=enrolment.cohort if enrolment else None,
        prerequisites=before,
        completed_course_ids=completed,
        now=now,
    )
    lessons = list(course.lessons.all()) if course.is_sequential else []
    done: set[int] = set()
    if lessons or course_state.missing:
        done = set(
            LessonCompletion.objects.filter(user_id=user_id, lesson__course=course).values_list("lesson_id", flat=True)
        )
    return state_of_lesson(
        lesson=lesson,
        course=course,
        course_state=course_state,
        lessons=lessons,
        completed_lesson_ids=done,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class _Done:
    lessons: dict[int, datetime]
    courses: dict[int, datetime]


def _outlines(
    pairs: Sequence[tuple[Programme, Enrolment | None]],
    *,
    user_id: int | None,
    now: datetime,
    drafts: bool,
) -> list[ProgrammeOutline]:
    courses = _courses([programme.pk for programme, _ in pairs], drafts)
    done = _done(user_id, courses)
    by_programme: dict[int, list[Course]] = defaultdict(list)
    for course in courses:
        by_programme[course.programme_id].append(course)
    return [
        _programme(
            programme,
            enrolment,
            tuple(_course(course, programme, enrolment, done, now) for course in by_programme[programme.pk]),
        )
        for programme, enrolment in pairs
    ]


def _courses(programme_ids: Iterable[int], drafts: bool) -> list[Course]:
    found = Course.objects.filter(programme__in=list(programme_ids))
    found = found.exclude(status=PublishStatus.ARCHIVED) if drafts else found.filter(status=PublishStatus.PUBLISHED)
    first = Course.objects.filter(status=PublishStatus.PUBLISHED)
    return list(
        found.order_by("programme_id", "position").prefetch_related(
            "lessons", Prefetch("prerequisites", first, to_attr="published_prerequisites")
        )
    )


def _done(user_id: int | None, courses: Sequence[Course]) -> _Done:
    if user_id is None or not courses:
        return _Done({}, {})
    lessons = LessonCompletion.objects.filter(user_id=user_id, lesson__course__in=[course.pk for course in courses])
    # The whole programme's: a prerequisite may be outside the courses at hand.
    programmes = {course.programme_id for course in courses}
    completed = CourseCompletion.objects.filter(user_id=user_id, course__programme__in=programmes)
    return _Done(
        dict(lessons.values_list("lesson_id", "completed_at")), dict(completed.values_list("course_id", "completed_at"))
    )


def _programme(
    programme: Programme, enrolment: Enrolment | None, courses: tuple[CourseOutline, ...]
) -> ProgrammeOutline:
    counted = [one for one in courses if one.course.is_required] or list(courses)
    done = sum(one.completed_at is not None for one in counted)
    needed = len(counted)
    if programme.completion_rule == CompletionRule.N_OF_M and programme.required_count:
        needed = programme.required_count
    return ProgrammeOutline(
        programme=programme,
        cohort=enrolment.cohort if enrolment else None,
        courses=courses,
        done=min(done, needed),
        needed=needed,
        completed_at=enrolment.completed_at if enrolment else None,
    )


def _course(
    course: Course, programme: Programme, enrolment: Enrolment | None, done: _Done, now: datetime
) -> CourseOutline:
    lessons = list(course.lessons.all())
    state = state_of_course(
        course=course,
        programme=programme,
        cohort=enrolment.cohort if enrolment else None,
        prerequisites=course.published_prerequisites,  # type: ignore[attr-defined]  # named by the prefetch
        completed_course_ids=done.courses,
        now=now,
    )
    rows = tuple(
        LessonOutline(
            lesson,
            state_of_lesson(
                lesson=lesson,
                course=course,
                course_state=state,
                lessons=lessons,
                completed_lesson_ids=done.lessons,
                now=now,
            ),
            done.lessons.get(lesson.pk),
        )
        for lesson in lessons
    )
    return CourseOutline(course, state, done.courses.get(course.pk), rows)
