"""Checks: tests within a webinar. When one may be begun the webinar knows; courses pass it on.

A check is an ordinary test otherwise: attempts, marking and its own lesson. What the stage sees of a room that answers
is here as well. Until nobody can change an answer any more no key is read for it, and so none can be told.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Sum

from accounts.models import User
from assessments.domain.keys import current_key
from assessments.domain.papers import make_blueprint
from assessments.domain.questions import Question, questions_of
from assessments.domain.submitting import versions_with_keys
from assessments.enums import ItemKind, QuizKind
from assessments.items.base import Category, Json
from assessments.models import Quiz
from core.prepared import Prepared
from core.richtext import plain_text
from courses.domain import lesson_kinds
from courses.domain.availability import Availability
from courses.domain.lesson_kinds import Inner, InnerFigures, InnerOption, InnerQuestion, Moment
from courses.models import Lesson

# Of other kinds the very order of what can be answered would tell the key.
TELL_NOTHING = frozenset({ItemKind.SINGLE, ItemKind.MULTIPLE, ItemKind.TRUE_FALSE})
NO_KEY: Json = {"right": ()}

# Waits for saves under way; one that comes after the grace finds its time over.
_END = """
UPDATE assessments_attempt a SET deadline_at = greatest(clock_timestamp(), a.started_at + interval '1 millisecond')
FROM assessments_quiz q WHERE q.id = a.quiz_id AND q.lesson_id = %s AND a.state = 'open'
    AND (a.deadline_at IS NULL OR a.deadline_at > clock_timestamp())
"""
_PEOPLE = """
SELECT count(*), count(*) FILTER (
        WHERE EXISTS (SELECT FROM assessments_answer w WHERE w.attempt_id = a.id AND w.value IS NOT NULL)),
    coalesce(bool_and(a.state <> 'open'
        OR a.deadline_at + make_interval(secs => a.grace_seconds) < clock_timestamp()), true)
FROM assessments_attempt a WHERE a.quiz_id = %(quiz)s AND a.state <> 'void' AND a.started_at >= %(since)s
    AND (%(until)s::timestamptz IS NULL OR a.started_at <= %(until)s)
"""
_GIVEN = """
SELECT w.version_id, w.value, count(*) FROM assessments_answer w JOIN assessments_attempt a ON a.id = w.attempt_id
WHERE w.value IS NOT NULL AND a.quiz_id = %(quiz)s AND a.state <> 'void' AND a.started_at >= %(since)s
    AND (%(until)s::timestamptz IS NULL OR a.started_at <= %(until)s)
GROUP BY w.version_id, w.value
"""


def moment_of(*, quiz: Quiz, user: User, now: datetime, holds: bool = False) -> Moment | None:
    """None for a test that is within nothing. `holds` as in `courses.domain.lesson_kinds`."""
    if quiz.during is None:
        return None
    return lesson_kinds.moment_of(lesson=quiz.during, inner_id=quiz.lesson_id, user=user, now=now, holds=holds)


def is_open(*, quiz: Quiz, window: Availability) -> bool:
    """A check is done while its webinar is on: in a course whose lessons go in order that one is not completed yet."""
    return window.is_open if quiz.during_id is None else window.opens_after(quiz.during_id)


# Every page of a webinar asks, where its course has tests.
_within = Prepared[tuple[int, str, int | None]](
    lambda lesson: (
        Quiz.objects.filter(during=lesson, kind=QuizKind.CHECK)
        .order_by("lesson__position", "pk")
        .annotate(questions=Sum("sections__picks__count"))
        .values_list("lesson_id", "lesson__title", "questions")
    )
)


def inner_of(*, lesson: Lesson) -> list[Inner]:
    return [Inner(pk, title, questions or 0) for pk, title, questions in _within.rows(lesson=lesson.pk)]


def end_check(*, lesson_id: int) -> None:
    """Its time is over now, for everybody who is at it: the sweep of deadlines hands in what was saved."""
    with connection.cursor() as cursor:
        cursor.execute(_END, [lesson_id])


@dataclass(frozen=True, slots=True)
class WayBack:
    """Into the webinar. Its page gives its window a name, so that a link leads to the tab where it still plays.

    With a place in the page behind the address that tab is not even loaded again.
    """

    title: str
    url: str
    window: str


def way_back_of(*, quiz: Quiz) -> WayBack | None:
    if quiz.during is None:
        return None
    address = lesson_kinds.address_of(lesson=quiz.during)
    return WayBack(quiz.during.title, f"{address}#webinar", f"lesson-{quiz.during_id}") if address else None


def figures_of(*, lesson_id: int, since: datetime, until: datetime | None) -> InnerFigures:
    """Of those who began in that time. As many queries for ten doctors as for ten thousand."""
    quiz = Quiz.objects.get(lesson=lesson_id)
    parameters: dict[str, Any] = {"quiz": quiz.pk, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, parameters)
        begun, answered, nobody_writes = cursor.fetchone()
        cursor.execute(_GIVEN, parameters)
        given: dict[int, list[tuple[Any, int]]] = {}
        for version, value, number in cursor.fetchall():
            given.setdefault(version, []).append((_read(value), number))
    is_final = until is not None and nobody_writes
    versions = list(dict.fromkeys([*_versions(make_blueprint(quiz=quiz)), *given]))
    questions = questions_of(versions)
    keys = _keys(versions) if is_final else {}
    return InnerFigures(
        begun=begun,
        answered=answered,
        is_final=is_final,
        questions=tuple(_question(questions[one], given.get(one, []), keys.get(one)) for one in versions),
    )


def _question(question: Question, given: list[tuple[Any, int]], key: Json | None) -> InnerQuestion:
    options: tuple[InnerOption, ...] = ()
    if key is not None or question.type.kind in TELL_NOTHING:
        categories = question.type.categories(shown=question.shown, key=NO_KEY if key is None else key)
        options = tuple(_option(question, one, given, tells=key is not None) for one in categories)
    return InnerQuestion(plain_text(question.stem), sum(number for _, number in given), options)


def _option(question: Question, category: Category, given: list[tuple[Any, int]], *, tells: bool) -> InnerOption:
    chose = sum(n for value, n in given if category.name in question.type.chosen(shown=question.shown, value=value))
    return InnerOption(category.label, chose, category.is_right if tells else None)


def _versions(blueprint: Json) -> list[int]:
    units = [unit for section in blueprint["sections"] for pick in section["picks"] for unit in pick["units"]]
    return [part["v"] for unit in units for part in unit.get("parts", [unit])]


def _keys(versions: list[int]) -> dict[int, Json]:
    return {pk: current_key(version) for pk, version in versions_with_keys(versions).items()}


def _read(value: Any) -> Any:
    """Past the model's field a jsonb comes as a text."""
    return json.loads(value) if isinstance(value, str) else value
