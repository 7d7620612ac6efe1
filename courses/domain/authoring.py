"""Writing programmes: order, copies, publishing. Saving a changed rule raises whatever it has completed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.db.models import Case, Max, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from courses.domain import lesson_kinds
from courses.domain.completion import recount
from courses.enums import CompletionRule, PublishStatus
from courses.models import Course, Lesson, Programme

Part = TypeVar("Part", Course, Lesson)
TITLE_LENGTH = 200


class AuthoringError(Exception):
    """The text is for the author."""


class OrderError(AuthoringError):
    def __init__(self) -> None:
        super().__init__(_("The list has changed meanwhile. Please reload the page and order it again."))


class NotReadyError(AuthoringError):
    """The course cannot be published; each of `reasons` is a sentence."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class InUseError(AuthoringError):
    def __init__(self, lesson: Lesson) -> None:
        super().__init__(
            _(
                "“%(lesson)s” cannot be deleted: people have opened or completed it, and that would be lost. "
                "Make it optional instead, or archive the course."
            )
            % {"lesson": lesson.title}
        )


@dataclass(frozen=True, slots=True)
class Warned:
    """Published, but a doctor would miss something; each of `warnings` is a sentence."""

    warnings: tuple[str, ...] = ()


@transaction.atomic
def save_programme(*, programme: Programme, now: datetime) -> Programme:
    before = Programme.objects.select_for_update().filter(pk=programme.pk).first()
    programme.save()
    if before and _rule(before) != _rule(programme):
        recount(programme=programme, now=now)
    return programme


@transaction.atomic
def save_course(*, course: Course, now: datetime) -> Course:
    """A course without a position goes to the end."""
    before = Course.objects.filter(pk=course.pk).first()
    if not course.position:
        course.position = next_course_position(course.programme)
    course.save()
    if before and (_rule(before), before.is_required) != (_rule(course), course.is_required):
        recount(programme=course.programme, now=now)
    return course


@transaction.atomic
def save_lesson(*, lesson: Lesson, now: datetime) -> Lesson:
    """Writes the lesson and, by its kind, the content row it needs."""
    before = Lesson.objects.filter(pk=lesson.pk).first()
    if not lesson.position:
        lesson.position = _next_lesson_position(lesson.course)
    lesson.save()
    lesson_kinds.prepare_lesson(lesson=lesson, now=now)
    if before and before.is_required and not lesson.is_required:
        recount(programme=lesson.course.programme, now=now)
    return lesson


def check_deletable(*, lesson: Lesson) -> None:
    """Raises InUseError, whatever the kind of the lesson says it is now: completions count for every kind."""
    if lesson.completions.exists() or lesson_kinds.is_used(lesson=lesson):
        raise InUseError(lesson)


@transaction.atomic
def delete_lesson(*, lesson: Lesson, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    """Only what nobody has used. Fewer lessons may complete the course for those who did the rest.

    Somebody who opens it at this very moment makes the database refuse: what they watch is protected there.
    """
    course = lesson.course
    Course.objects.select_for_update().get(pk=course.pk)
    check_deletable(lesson=lesson)
    details = {"title": lesson.title, "kind": lesson.kind, "course": course.title, "programme": course.programme.slug}
    audit.record("lesson.deleted", actor=actor, subject=lesson, request=request, details=details, now=now)
    lesson.delete()
    recount(programme=course.programme, now=now)


def waits_for(course: Course, other: Course) -> bool:
    """Whether `other` comes before `course`, directly or over others: one query for each step of the chain."""
    seen: set[int] = set()
    ahead = {course.pk}
    while ahead := set(Course.objects.filter(unlocks__in=ahead).values_list("pk", flat=True)) - seen:
        if other.pk in ahead:
            return True
        seen |= ahead
    return False


def next_course_position(programme: Programme) -> int:
    return int(programme.courses.aggregate(last=Max("position"))["last"] or 0) + 1


def _next_lesson_position(course: Course) -> int:
    return int(course.lessons.aggregate(last=Max("position"))["last"] or 0) + 1


@transaction.atomic
def reorder_courses(*, programme: Programme, course_ids: Sequence[int]) -> None:
    """`course_ids` are all courses of the programme in the new order, archived ones included."""
    Programme.objects.select_for_update().get(pk=programme.pk)
    _check_order(course_ids, list(programme.courses.values_list("pk", flat=True)))
    programme.courses.update(position=_positions(course_ids))


@transaction.atomic
def reorder_lessons(*, course: Course, lesson_ids: Sequence[int]) -> None:
    Course.objects.select_for_update().get(pk=course.pk)
    _check_order(lesson_ids, list(course.lessons.values_list("pk", flat=True)))
    course.lessons.update(position=_positions(lesson_ids))


def _check_order(given: Sequence[int], present: Sequence[int]) -> None:
    if sorted(given) != sorted(present):
        raise OrderError


def _positions(ids: Sequence[int]) -> Case | Value:
    """One statement: the deferred constraint looks at the positions only when all of them are new."""
    if not ids:
        return Value(1)
    return Case(*(When(pk=pk, then=Value(number)) for number, pk in enumerate(ids, start=1)))


@transaction.atomic
def duplicate_course(*, course: Course, title: str = "", now: datetime) -> Course:
    """A draft at the end of the same programme, with lessons and their settings; without anybody's progress."""
    Programme.objects.select_for_update().get(pk=course.programme_id)
    lessons = list(course.lessons.all())
    prerequisites = list(course.prerequisites.all())
    copy = _copy(
        course,
        title=title.strip() or copied_title(course.title),
        status=PublishStatus.DRAFT,
        position=next_course_position(course.programme),
    )
    copy.prerequisites.set(prerequisites)
    for lesson in lessons:
        target = _copy(lesson, course=copy)
        lesson_kinds.copy_content(source=lesson, target=target, now=now)
    return copy


def _copy(source: Part, **changes: object) -> Part:
    plain = {
        field.attname: getattr(source, field.attname) for field in source._meta.concrete_fields if not field.primary_key
    }
    made = type(source)(**plain)
    for name, value in changes.items():
        setattr(made, name, value)
    made.save()
    return made


def copied_title(title: str) -> str:
    made = _("%(title)s (copy)") % {"title": title}
    return made if len(made) <= TITLE_LENGTH else made[: TITLE_LENGTH - 1] + "…"


@transaction.atomic
def publish_course(*, course: Course, now: datetime) -> Warned:
    """Doctors see it from now on, as far as its window lets them. The result says what they would still miss."""
    lessons = list(course.lessons.all())
    counted = [lesson for lesson in lessons if lesson.is_required] or lessons
    reasons = []
    if not lessons:
        reasons.append(_("“%(course)s” has no lesson yet.") % {"course": course.title})
    elif course.completion_rule == CompletionRule.N_OF_M and (course.required_count or 0) > len(counted):
        reasons.append(
            _("“%(course)s” asks for %(needed)d completed lessons but has only %(number)d that count.")
            % {"course": course.title, "needed": course.required_count, "number": len(counted)}
        )
    if reasons:
        raise NotReadyError(reasons)
    _set_status(course, PublishStatus.PUBLISHED)
    recount(programme=course.programme, now=now)
    problems = lesson_kinds.problems_of(lessons=lessons)
    return Warned(tuple(f"“{lesson.title}”: {problems[lesson.pk]}" for lesson in lessons if lesson.pk in problems))


@transaction.atomic
def archive_course(*, course: Course, now: datetime) -> None:
    """Doctors do not see it any more. What they completed stays; the programme's rule counts the remaining courses."""
    _set_status(course, PublishStatus.ARCHIVED)
    recount(programme=course.programme, now=now)


@transaction.atomic
def publish_programme(*, programme: Programme) -> Warned:
    published = programme.courses.filter(status=PublishStatus.PUBLISHED).count()
    if not published:
        raise NotReadyError([_("“%(programme)s” has no published course yet.") % {"programme": programme.title}])
    _set_status(programme, PublishStatus.PUBLISHED)
    if programme.completion_rule == CompletionRule.N_OF_M and (programme.required_count or 0) > published:
        warning = _("“%(programme)s” asks for %(needed)d completed courses; %(number)d are published so far.")
        return Warned(
            (warning % {"programme": programme.title, "needed": programme.required_count, "number": published},)
        )
    return Warned()


def archive_programme(*, programme: Programme) -> None:
    """Closes it for its doctors; its presenters and staff still see it."""
    _set_status(programme, PublishStatus.ARCHIVED)


def _set_status(what: Course | Programme, status: str) -> None:
    what.status = status
    what.save(update_fields=["status", "updated_at"])


def _rule(whole: Course | Programme) -> tuple[str, int | None]:
    return whole.completion_rule, whole.required_count
