"""What the app of a lesson kind does for its lessons: the one hook from courses up to webinars, quizzes and the rest.

Courses cannot import what is built on top of it, so such an app registers one object from `AppConfig.ready()`:

    lesson_kinds.register(LessonKind.WEBINAR, WebinarLessons())

A kind nobody registered for is a lesson without content of its own.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

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
