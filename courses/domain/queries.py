"""Reads that span models: what a doctor's programme looks like right now."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef

from core.prepared import Prepared
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


_enrolment = Prepared[Enrolment](
    lambda user, programme: Enrolment.objects.select_related("cohort").filter(user=user, programme=programme)
)
_prerequisites = Prepared[Any](
    lambda course, user: Course.objects.filter(unlocks=course, status=PublishStatus.PUBLISHED).annotate(
        is_done=Exists(CourseCompletion.objects.filter(user=user, course=OuterRef("pk")))
    )
)


def lesson_availability(
    *,
    lesson: Lesson,
    user_id: int,
    now: datetime,
    enrolment: Enrolment | None = None,
    has_prerequisites: bool = True,
) -> Availability:
    """For the doors of one lesson; without an enrolment (a presenter, a moderator) the cohort's window is not asked.

    Every player asks this when it begins and twice a minute while it is live. Two queries, one where the enrolment is
    known (with its cohort), none where it is also known that the course has no prerequisites; what is completed is
    looked up only where something has to come first. The lesson's course and programme are taken as they were read.
    """
    course = lesson.course
    enrolment = enrolment or _enrolment.first(user=user_id, programme=course.programme_id)
    mine = CourseCompletion.objects.filter(user_id=user_id)
    before = _prerequisites.rows(course=course.pk, user=user_id) if has_prerequisites else []
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
class _Parts:
    course: Course
    lessons: list[Lesson]
    prerequisites: list[Course]


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
    programme_ids = sorted({programme.pk for programme, _ in pairs})
    by_programme: dict[int, list[_Parts]] = defaultdict(list)
    for parts in _parts(programme_ids, drafts):
        by_programme[parts.course.programme_id].append(parts)
    done = _done(user_id, programme_ids) if by_programme else _Done({}, {})
    return [
        _programme(
            programme,
            enrolment,
            tuple(_course(parts, programme, enrolment, done, now) for parts in by_programme[programme.pk]),
        )
        for programme, enrolment in pairs
    ]


_in_order = Course.objects.order_by("programme_id", "position")
_published = Prepared[Course](
    lambda programmes: _in_order.filter(programme__in=programmes, status=PublishStatus.PUBLISHED)
)
_with_drafts = Prepared[Course](
    lambda programmes: _in_order.filter(programme__in=programmes).exclude(status=PublishStatus.ARCHIVED)
)
_lessons_of = Prepared[Lesson](
    lambda programmes: Lesson.objects.filter(course__programme__in=programmes).order_by("course_id", "position")
)
_first_of = Prepared[Any](  # a row for each course that comes before one of these
    lambda programmes: Course.objects.filter(
        unlocks__programme__in=programmes, status=PublishStatus.PUBLISHED
    ).annotate(before=F("unlocks"))
)
_lessons_done = Prepared[tuple[int, datetime]](
    lambda programmes, user: LessonCompletion.objects.filter(
        user=user, lesson__course__programme__in=programmes
    ).values_list("lesson_id", "completed_at")
)
_courses_done = Prepared[tuple[int, datetime]](
    lambda programmes, user: CourseCompletion.objects.filter(user=user, course__programme__in=programmes).values_list(
        "course_id", "completed_at"
    )
)


def _parts(programme_ids: list[int], drafts: bool) -> Iterator[_Parts]:
    """Of every course. Three queries."""
    courses = (_with_drafts if drafts else _published).rows(programmes=programme_ids)
    if not courses:
        return
    lessons: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in _lessons_of.rows(programmes=programme_ids):
        lessons[lesson.course_id].append(lesson)
    before: dict[int, list[Course]] = defaultdict(list)
    for course in _first_of.rows(programmes=programme_ids):
        before[course.before].append(course)
    for course in courses:
        yield _Parts(course, lessons[course.pk], before[course.pk])


def _done(user_id: int | None, programme_ids: list[int]) -> _Done:
    """In whole programmes: a prerequisite may be outside the courses at hand."""
    if user_id is None:
        return _Done({}, {})
    return _Done(
        dict(_lessons_done.rows(programmes=programme_ids, user=user_id)),
        dict(_courses_done.rows(programmes=programme_ids, user=user_id)),
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
    parts: _Parts, programme: Programme, enrolment: Enrolment | None, done: _Done, now: datetime
) -> CourseOutline:
    course, lessons = parts.course, parts.lessons
    state = state_of_course(
        course=course,
        programme=programme,
        cohort=enrolment.cohort if enrolment else None,
        prerequisites=parts.prerequisites,
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
