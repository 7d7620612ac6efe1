"""Completing lessons, and through them courses and programmes.

One path for one completion and for thousands: lock the enrolments, write, count again, raise. The lock on the
enrolment row makes two devices that finish the last two lessons at the same moment queue up, and the second one counts
what the first has committed. Nothing here ever takes a completion away.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from courses.enums import OPEN_ENROLMENTS, CompletionRule, EnrolmentStatus, PublishStatus
from courses.models import Course, CourseCompletion, Enrolment, Lesson, LessonCompletion, Programme

BATCH = 2_000


class CompletionError(Exception):
    """The completion was not written."""


class NotEnrolledError(CompletionError):
    def __init__(self) -> None:
        super().__init__("The person has no open enrolment in the lesson's programme.")


class UnknownLessonError(CompletionError):
    def __init__(self, lesson_ids: Collection[int]) -> None:
        super().__init__(f"No such lesson: {', '.join(map(str, sorted(lesson_ids)))}.")


@dataclass(frozen=True, slots=True)
class Done:
    """That somebody completed a lesson. `evidence` is JSON that an auditor can read years later."""

    user_id: int
    lesson_id: int
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raised:
    """What one call changed. `refused` had no open enrolment; what was complete already is in none of these."""

    lessons: frozenset[tuple[int, int]] = frozenset()
    courses: frozenset[tuple[int, int]] = frozenset()
    programmes: frozenset[tuple[int, int]] = frozenset()
    refused: tuple[Done, ...] = ()


def complete_lesson(*, user_id: int, lesson_id: int, evidence: dict[str, Any], now: datetime) -> LessonCompletion:
    """Idempotent: the first evidence and date stay. Raises the course and the programme where their rules are met."""
    raised = complete_lessons([Done(user_id, lesson_id, evidence)], now=now)
    if raised.refused:
        raise NotEnrolledError
    return LessonCompletion.objects.get(user_id=user_id, lesson_id=lesson_id)


def complete_lessons(done: Sequence[Done], *, now: datetime) -> Raised:
    """For sweeps: each 2,000 are one transaction of about ten statements, whatever the number of people.

    A pair without an open enrolment is refused, not an error: one suspended doctor must not hold up ten thousand.
    """
    parts = [_complete(done[start : start + BATCH], now) for start in range(0, len(done), BATCH)]
    return Raised(
        frozenset().union(*(part.lessons for part in parts)),
        frozenset().union(*(part.courses for part in parts)),
        frozenset().union(*(part.programmes for part in parts)),
        tuple(one for part in parts for one in part.refused),
    )


def recount(*, programme: Programme, now: datetime) -> Raised:
    """Raises what a changed rule, an archived course or a lesson made optional has completed."""
    users = list(programme.enrolments.filter(status__in=OPEN_ENROLMENTS).values_list("user_id", flat=True))
    course_ids = set(programme.courses.values_list("pk", flat=True))
    courses: set[tuple[int, int]] = set()
    programmes: set[tuple[int, int]] = set()
    for start in range(0, len(users), BATCH):
        with transaction.atomic():
            enrolled = _lock(users[start : start + BATCH], {programme.pk})
            courses |= _raise_courses(course_ids, enrolled, now)
            programmes |= _raise_programmes(enrolled, now)
    return Raised(courses=frozenset(courses), programmes=frozenset(programmes))


@transaction.atomic
def _complete(done: Sequence[Done], now: datetime) -> Raised:
    lessons = Lesson.objects.select_related("course").in_bulk({one.lesson_id for one in done})
    if unknown := {one.lesson_id for one in done} - lessons.keys():
        raise UnknownLessonError(unknown)
    programme_of = {pk: lesson.course.programme_id for pk, lesson in lessons.items()}
    enrolled = _lock({one.user_id for one in done}, set(programme_of.values()))
    accepted = [one for one in done if (one.user_id, programme_of[one.lesson_id]) in enrolled]
    pairs = {(one.user_id, one.lesson_id) for one in accepted}
    known = set(
        LessonCompletion.objects.filter(
            user_id__in={user for user, _ in pairs}, lesson_id__in={lesson for _, lesson in pairs}
        ).values_list("user_id", "lesson_id")
    )
    LessonCompletion.objects.bulk_create(
        [
            LessonCompletion(user_id=one.user_id, lesson_id=one.lesson_id, completed_at=now, evidence=one.evidence)
            for one in accepted
            if (one.user_id, one.lesson_id) not in known
        ],
        ignore_conflicts=True,  # the same pair twice in one call: the first one stays
    )
    courses = _raise_courses({lesson.course_id for lesson in lessons.values()}, enrolled, now)
    programmes = _raise_programmes(enrolled, now)
    refused = tuple(one for one in done if (one.user_id, programme_of[one.lesson_id]) not in enrolled)
    return Raised(frozenset(pairs - known), frozenset(courses), frozenset(programmes), refused)


def _lock(user_ids: Iterable[int], programme_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Open enrolments as (user, programme), locked. Always in the order of their ids, so that sweeps never deadlock."""
    return set(
        Enrolment.objects.select_for_update()
        .filter(user_id__in=list(user_ids), programme_id__in=list(programme_ids), status__in=OPEN_ENROLMENTS)
        .order_by("pk")
        .values_list("user_id", "programme_id")
    )


def _raise_courses(course_ids: set[int], enrolled: set[tuple[int, int]], now: datetime) -> set[tuple[int, int]]:
    """`enrolled` holds the locked enrolments: nothing is raised for anybody else."""
    user_ids = {user for user, _ in enrolled}
    courses = Course.objects.in_bulk(course_ids)
    parts: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in Lesson.objects.filter(course_id__in=course_ids):
        parts[lesson.course_id].append(lesson)
    counted = {pk: _counted(parts[pk]) for pk in course_ids}
    needed = {pk: _needed(courses[pk], len(counted[pk])) for pk in course_ids}
    rows = (
        LessonCompletion.objects.filter(user_id__in=user_ids, lesson_id__in=set().union(*counted.values()))
        .values_list("user_id", "lesson__course_id")
        .annotate(done=Count("pk"))
        .order_by()
    )
    met = {
        (user, course)
        for user, course, number in rows
        if (n := needed[course]) is not None and number >= n and (user, courses[course].programme_id) in enrolled
    }
    if not met:
        return set()
    known = CourseCompletion.objects.filter(user_id__in=user_ids, course_id__in=course_ids)
    fresh = met - set(known.values_list("user_id", "course_id"))
    CourseCompletion.objects.bulk_create(
        [CourseCompletion(user_id=user, course_id=course, completed_at=now) for user, course in sorted(fresh)]
    )
    return fresh


def _raise_programmes(enrolled: set[tuple[int, int]], now: datetime) -> set[tuple[int, int]]:
    """Only published courses count, so that a forgotten draft does not hold back ten thousand certificates."""
    raised: set[tuple[int, int]] = set()
    for programme in Programme.objects.filter(pk__in={programme for _, programme in enrolled}):
        user_ids = [user for user, other in enrolled if other == programme.pk]
        courses = Course.objects.filter(programme=programme, status=PublishStatus.PUBLISHED)
        counted = _counted(list(courses))
        needed = _needed(programme, len(counted))
        if needed is None:
            continue
        met = (
            CourseCompletion.objects.filter(user_id__in=user_ids, course_id__in=counted)
            .values("user_id")
            .annotate(done=Count("pk"))
            .filter(done__gte=needed)
            .order_by()
            .values_list("user_id", flat=True)
        )
        fresh = Enrolment.objects.filter(
            Q(completed_at=None), programme=programme, user_id__in=list(met), status__in=OPEN_ENROLMENTS
        )
        people = set(fresh.values_list("user_id", flat=True))
        fresh.update(status=EnrolmentStatus.COMPLETED, completed_at=now)
        raised |= {(user, programme.pk) for user in people}
    return raised


def _counted(parts: Sequence[Lesson] | Sequence[Course]) -> set[int]:
    """The required parts; all of them where none is required, or nothing could ever be completed."""
    return {part.pk for part in parts if part.is_required} or {part.pk for part in parts}


def _needed(whole: Course | Programme, available: int) -> int | None:
    """How many parts complete the whole. Nothing completes an empty one.

    "Seven of ten" stays seven while only two are published: fewer would complete a programme that is still growing.
    """
    if not available:
        return None
    if whole.completion_rule == CompletionRule.N_OF_M:
        return whole.required_count
    return available
