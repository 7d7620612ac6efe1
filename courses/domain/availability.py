"""Whether a course or a lesson is open for one doctor at one moment. Pure: no query, no clock.

The windows of programme, cohort, course and lesson intersect: the latest opening and the earliest closing hold.
`courses.domain.queries` loads what these functions need.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from courses.models import Cohort, Course, Lesson, Programme


class State(StrEnum):
    OPEN = "open"
    NOT_YET = "not_yet"
    CLOSED = "closed"
    LOCKED = "locked"


class _Windowed(Protocol):
    @property
    def opens_at(self) -> datetime | None: ...

    @property
    def closes_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Missing:
    """A course or lesson to complete first."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Availability:
    """`opens_at` and `closes_at` are the intersected window in every state; `missing` is what locks, or would lock.

    A course that opens next month *and* waits for another one is `NOT_YET`: its date is the answer nobody can change.
    """

    state: State
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    def opens_after(self, lesson_id: int) -> bool:
        """Open, or locked by nothing but this lesson."""
        return self.is_open or (self.state is State.LOCKED and {one.id for one in self.missing} == {lesson_id})


def state_of_programme(*, programme: Programme, cohort: Cohort | None, now: datetime) -> Availability:
    """Never locked: nothing comes before a programme."""
    return _state([programme, *([cohort] if cohort else [])], (), now)


def state_of_course(
    *,
    course: Course,
    programme: Programme,
    cohort: Cohort | None,
    prerequisites: Iterable[Course],
    completed_course_ids: Collection[int],
    now: datetime,
) -> Availability:
    """`prerequisites` are the published ones only: a draft or archived course could never be completed."""
    windows: list[_Windowed] = [programme, course, *([cohort] if cohort else [])]
    missing = tuple(
        Missing(other.pk, other.title)
        for other in sorted(prerequisites, key=lambda other: other.position)
        if other.pk not in completed_course_ids
    )
    return _state(windows, () if course.pk in completed_course_ids else missing, now)


def state_of_lesson(
    *,
    lesson: Lesson,
    course: Course,
    course_state: Availability,
    lessons: Iterable[Lesson],
    completed_lesson_ids: Collection[int],
    now: datetime,
) -> Availability:
    """`lessons` are all of the course. A completed lesson is never locked: it may be watched again.

    In a sequential course the required lessons before this one come first; optional ones never hold anybody up.
    """
    missing = course_state.missing
    if course.is_sequential:
        missing += tuple(
            Missing(other.pk, other.title)
            for other in sorted(lessons, key=lambda other: other.position)
            if other.position < lesson.position and other.is_required and other.pk not in completed_lesson_ids
        )
    return _state((course_state, lesson), () if lesson.pk in completed_lesson_ids else missing, now)


def _state(windows: Iterable[_Windowed], missing: tuple[Missing, ...], now: datetime) -> Availability:
    windows = tuple(windows)
    opens_at = max((window.opens_at for window in windows if window.opens_at), default=None)
    closes_at = min((window.closes_at for window in windows if window.closes_at), default=None)
    never = opens_at is not None and closes_at is not None and closes_at <= opens_at
    if never or (closes_at is not None and closes_at <= now):
        state = State.CLOSED
    elif opens_at is not None and now < opens_at:
        state = State.NOT_YET
    elif missing:
        state = State.LOCKED
    else:
        state = State.OPEN
    return Availability(state, opens_at, closes_at, missing)
