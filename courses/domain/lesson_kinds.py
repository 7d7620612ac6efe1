"""What the app of a lesson kind does for its lessons: the one hook from courses up to webinars, quizzes and the rest.

Courses cannot import what is built on top of it, so such an app registers one object from `AppConfig.ready()`:

    lesson_kinds.register(LessonKind.WEBINAR, WebinarLessons())

A kind nobody registered for is a lesson without content of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from accounts.models import User
from courses.models import Lesson


class LessonKindSupport(Protocol):
    def prepare(self, *, lesson: Lesson, now: datetime) -> None:
        """Make the content row of a lesson just written, if it is missing. Called in the lesson's transaction."""

    def copy(self, *, source: Lesson, target: Lesson, now: datetime) -> None:
        """Give `target` the settings of `source`: what an author chose, never what doctors did."""

    def is_used(self, *, lesson: Lesson) -> bool:
        """Whether anybody has done something in it that must not be lost."""

    def problems(self, *, lessons: Sequence[Lesson]) -> dict[int, str]:
        """By lesson id, in plain words, what a doctor would find missing in it. No more than one query for all."""

    def address(self, *, lesson: Lesson) -> str | None:
        """Where a doctor opens it; none while its content is missing."""


@runtime_checkable
class FollowUpSupport(Protocol):
    """Of a kind whose lessons ask about another lesson: at that one's end doctors are led on to them."""

    def asked_about(self, *, lessons: Sequence[Lesson]) -> dict[int, int]:
        """By lesson id, the id of the lesson it asks about; nothing for one that asks about none. One query."""


class Moment(StrEnum):
    """How it stands with a lesson within another one. It may be begun while it runs, and once that is recorded."""

    BEFORE = "before"
    RUNNING = "running"
    OVER = "over"
    RECORDED = "recorded"

    @property
    def lets_in(self) -> bool:
        return self in {Moment.RUNNING, Moment.RECORDED}


@dataclass(frozen=True, slots=True)
class Inner:
    """A lesson that is done within another one."""

    lesson_id: int
    title: str
    questions: int


@dataclass(frozen=True, slots=True)
class InnerOption:
    """`is_right` is None as long as nobody is to know."""

    label: str
    number: int
    is_right: bool | None


@dataclass(frozen=True, slots=True)
class InnerQuestion:
    """`options` are empty where answers are free."""

    text: str
    answers: int
    options: tuple[InnerOption, ...]

    @property
    def most(self) -> int:
        """Of a bar."""
        return max(self.answers, 1)


@dataclass(frozen=True, slots=True)
class InnerFigures:
    """How a room does, without names. `is_final`: nobody can change an answer any more, and the key may be told."""

    begun: int
    answered: int
    is_final: bool
    questions: tuple[InnerQuestion, ...]


@runtime_checkable
class InnerSupport(Protocol):
    """Of a kind whose lessons can be done within another one, at a moment of it: a check within a webinar."""

    def inner_of(self, *, lesson: Lesson) -> list[Inner]:
        """Those within this one. One query."""

    def end_inner(self, *, lesson_id: int) -> None:
        """Whoever is at it hands in what was saved. Part of the caller's transaction; waits for saves under way."""

    def figures_of_inner(self, *, lesson_id: int, since: datetime, until: datetime | None) -> InnerFigures:
        """Of those who began in that time."""


@runtime_checkable
class HostSupport(Protocol):
    """Of a kind within whose lessons others are done."""

    def moment_of(self, *, lesson: Lesson, inner_id: int, user: User, now: datetime, holds: bool) -> Moment:
        """`holds`: nobody ends it before the caller's transaction is over."""


_supports: dict[str, LessonKindSupport] = {}


def register(kind: str, support: LessonKindSupport) -> None:
    _supports[kind] = support


def prepare_lesson(*, lesson: Lesson, now: datetime) -> None:
    if support := _supports.get(lesson.kind):
        support.prepare(lesson=lesson, now=now)


def copy_content(*, source: Lesson, target: Lesson, now: datetime) -> None:
    if support := _supports.get(source.kind):
        support.copy(source=source, target=target, now=now)


def is_used(*, lesson: Lesson) -> bool:
    support = _supports.get(lesson.kind)
    return support is not None and support.is_used(lesson=lesson)


def problems_of(*, lessons: Sequence[Lesson]) -> dict[int, str]:
    found: dict[int, str] = {}
    for kind, support in _supports.items():
        if of_kind := [lesson for lesson in lessons if lesson.kind == kind]:
            found |= support.problems(lessons=of_kind)
    return found


def address_of(*, lesson: Lesson) -> str | None:
    support = _supports.get(lesson.kind)
    return support.address(lesson=lesson) if support else None


def asked_about(*, lessons: Sequence[Lesson]) -> dict[int, int]:
    """No query where none of them is of such a kind."""
    found: dict[int, int] = {}
    for kind, support in _supports.items():
        of_kind = [lesson for lesson in lessons if lesson.kind == kind]
        if of_kind and isinstance(support, FollowUpSupport):
            found |= support.asked_about(lessons=of_kind)
    return found


def inner_of(*, lesson: Lesson, beside: Sequence[Lesson] | None = None) -> list[Inner]:
    """What is done within this one. One query for each kind that can be, of those among `beside`."""
    found: list[Inner] = []
    for kind, support in _supports.items():
        may_be = beside is None or any(one.kind == kind for one in beside)
        if may_be and isinstance(support, InnerSupport):
            found += support.inner_of(lesson=lesson)
    return found


def inner_support(*, lesson: Lesson) -> InnerSupport:
    support = _supports[lesson.kind]
    if not isinstance(support, InnerSupport):
        raise TypeError(f"Lessons of kind {lesson.kind} are not done within others.")
    return support


def moment_of(*, lesson: Lesson, inner_id: int, user: User, now: datetime, holds: bool = False) -> Moment:
    """Within `lesson`. One of a kind that knows no moments is there all the time."""
    support = _supports.get(lesson.kind)
    if support is None or not isinstance(support, HostSupport):
        return Moment.RECORDED
    return support.moment_of(lesson=lesson, inner_id=inner_id, user=user, now=now, holds=holds)
