"""Writing tests: settings, sections, what they take from the banks, copies.

Every write moves the test's `updated_at`: papers are drawn from a blueprint that is remembered by it.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Case, Max, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from assessments.domain.lessons import copy_content
from assessments.models import Attempt, Item, Pick, Quiz, Section
from core.clock import database_now
from courses.domain.authoring import TITLE_LENGTH, save_lesson
from courses.enums import LessonKind
from courses.models import Course, Lesson

# By these all doctors of a test are measured alike, so they hold from the first attempt on.
FIXED = ("kind", "counting", "completes_by")


class QuizError(Exception):
    """Nothing was changed; `message` is for the author."""

    message: Any = _("This cannot be saved.")


class FixedError(QuizError):
    message = _(
        "Somebody has begun this test: its kind, which attempt counts and what completes the lesson stay as they are. "
        "Copy the test to have another one."
    )


class ForeignError(QuizError):
    message = _("Choose questions, banks and other tests of the same programme.")


class ListChangedError(QuizError):
    message = _("The list has changed meanwhile. Please reload the page and order it again.")


class OtherProgrammeError(QuizError):
    message = _("A test is copied within its programme: its questions are in the banks of the programme.")


def is_begun(*, quiz: Quiz) -> bool:
    return Attempt.objects.filter(quiz=quiz).exists()


def save_quiz(*, quiz: Quiz, actor: User | None, request: HttpRequest | None = None, now: datetime) -> Quiz:
    """Settings for attempts that start from now on. Raises QuizError."""
    programme = quiz.lesson.course.programme_id
    for lesson in (quiz.during, quiz.pre_test.lesson if quiz.pre_test else None):
        if lesson is not None and lesson.course.programme_id != programme:
            raise ForeignError
    with transaction.atomic():
        before = Quiz.objects.select_for_update(no_key=True).get(pk=quiz.pk)
        changes = _changes(before, quiz)
        begun = is_begun(quiz=quiz)
        if begun and not changes.keys().isdisjoint(FIXED):
            raise FixedError
        quiz.save()
        if changes:
            details = {"test": quiz.lesson.title, "begun": begun, "changes": changes}
            audit.record("quiz.changed", actor=actor, subject=quiz, request=request, details=details, now=now)
    return quiz


def _changes(before: Quiz, after: Quiz) -> dict[str, Any]:
    """By field: what it was and what it is, as short texts."""
    fields = [one for one in Quiz._meta.concrete_fields if one.name not in {"id", "lesson", "created_at", "updated_at"}]
    pairs = {one.name: (getattr(before, one.attname), getattr(after, one.attname)) for one in fields}
    return {name: [str(old)[:80], str(new)[:80]] for name, (old, new) in pairs.items() if old != new}


@transaction.atomic
def save_section(*, section: Section) -> Section:
    """A new one goes to the end."""
    _hold(section.quiz_id)
    if not section.position:
        section.position = _next(Section.objects.filter(quiz=section.quiz_id))
    section.save()
    return section


@transaction.atomic
def delete_section(*, section: Section) -> None:
    """With what it takes from the banks; papers that were drawn stay as they are."""
    _hold(section.quiz_id)
    section.delete()


@transaction.atomic
def reorder_sections(*, quiz: Quiz, section_ids: Sequence[int]) -> None:
    """`section_ids` are all of the test. Raises QuizError."""
    _hold(quiz.pk)
    _reorder(quiz.sections.all(), section_ids)


@transaction.atomic
def save_pick(*, pick: Pick) -> Pick:
    """A chosen question has no conditions and counts once. Raises QuizError."""
    quiz = _hold(pick.section.quiz_id)
    source = pick.item.bank if pick.item is not None else pick.bank
    if source is None or source.programme_id != quiz.lesson.course.programme_id:
        raise ForeignError
    if pick.item is not None:
        pick.bank, pick.count, pick.tags = None, 1, []
        pick.difficulty_from = pick.difficulty_to = pick.topic = None
    if not pick.position:
        pick.position = _next(Pick.objects.filter(section=pick.section_id))
    pick.save()
    return pick


@transaction.atomic
def add_items(*, section: Section, items: Sequence[Item], points: Decimal) -> int:
    """So many rows at the end, a question each, in this order; those on the test already are left out.

    Raises QuizError.
    """
    quiz = _hold(section.quiz_id)
    if any(item.bank.programme_id != quiz.lesson.course.programme_id for item in items):
        raise ForeignError
    there = set(Pick.objects.filter(section__quiz=quiz, item__in=items).values_list("item_id", flat=True))
    first = _next(Pick.objects.filter(section=section))
    fresh = [item for item in items if item.pk not in there]
    Pick.objects.bulk_create(
        [Pick(section=section, position=n, item=item, points=points) for n, item in enumerate(fresh, first)]
    )
    return len(fresh)


@transaction.atomic
def delete_pick(*, pick: Pick) -> None:
    _hold(pick.section.quiz_id)
    pick.delete()


@transaction.atomic
def reorder_picks(*, section: Section, pick_ids: Sequence[int]) -> None:
    """`pick_ids` are all of the section. Raises QuizError."""
    _hold(section.quiz_id)
    _reorder(section.picks.all(), pick_ids)


@transaction.atomic
def copy_quiz(*, quiz: Quiz, course: Course, title: str, now: datetime) -> Quiz:
    """A new lesson at the end of `course`, with the settings, sections and picks. Raises QuizError."""
    if course.programme_id != quiz.lesson.course.programme_id:
        raise OtherProgrammeError
    Course.objects.select_for_update().get(pk=course.pk)
    source = quiz.lesson
    lesson = Lesson(
        course=course,
        kind=LessonKind.QUIZ,
        title=title.strip()[:TITLE_LENGTH],
        summary=source.summary,
        is_required=source.is_required,
    )
    save_lesson(lesson=lesson, now=now)
    made = Quiz.objects.get(lesson=lesson)
    copy_content(source=quiz, target=made)
    return made


def _hold(quiz_id: int) -> Quiz:
    """Orders authors, and makes the remembered blueprint an old one."""
    quiz = Quiz.objects.select_related("lesson__course").select_for_update(no_key=True, of=("self",)).get(pk=quiz_id)
    quiz.updated_at = database_now()
    Quiz.objects.filter(pk=quiz_id).update(updated_at=quiz.updated_at)
    return quiz


def _next(rows: Any) -> int:
    return int(rows.aggregate(last=Max("position"))["last"] or 0) + 1


def _reorder(rows: Any, ids: Sequence[int]) -> None:
    """One statement: the deferred constraint looks at the positions only when all of them are new."""
    if sorted(ids) != sorted(rows.values_list("pk", flat=True)):
        raise ListChangedError
    if ids:
        rows.update(position=Case(*(When(pk=pk, then=Value(number)) for number, pk in enumerate(ids, 1))))
