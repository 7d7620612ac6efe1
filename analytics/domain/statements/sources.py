"""Where facts come from: one function for each table of the domain. Only of doctors who are in the programme now.

`since`: what changed after; nothing: all there is. Each gives its rows as they come from the database, in pieces.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Subquery

from analytics.domain.statements import shapes, viewing
from analytics.domain.statements.facts import Fact
from analytics.domain.statements.rows import enrolled, home, named, place, rows
from analytics.enums import StatementVerb
from assessments.enums import AttemptState
from assessments.models import Attempt
from certification.enums import CREDIT_ENTRIES
from certification.models import LedgerEntry
from courses.enums import OPEN_ENROLMENTS
from courses.models import CourseCompletion, Enrolment, LessonCompletion

MARKED_WITHIN = timedelta(days=14)  # what is marked, or marked again, later is found at night
LESSON = {
    "lesson_title": F("lesson__title"),
    "course": F("lesson__course"),
    "programme": F("lesson__course__programme"),
}
OF_QUIZ = {
    "title": F("quiz__lesson__title"),
    "lesson": F("quiz__lesson"),
    "course": F("quiz__lesson__course"),
    "programme": F("quiz__lesson__course__programme"),
}
Source = Callable[[datetime | None, datetime], Iterator[Fact]]


def lessons(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Lessons that were completed, of whatever kind."""
    done = LessonCompletion.objects.filter(enrolled("lesson__course__programme"))
    if since is not None:
        done = done.filter(completed_at__gte=since)
    for row in rows(done, "pk", "user_id", "lesson_id", "completed_at", **LESSON):
        thing = named(f"lessons/{row['lesson_id']}", shapes.LESSON, row["lesson_title"])
        body = shapes.said(
            StatementVerb.COMPLETED,
            thing,
            parents=[place(f"courses/{row['course']}")],
            groups=[place(f"programmes/{row['programme']}")],
            result={"completion": True},
        )
        yield Fact(
            f"lesson/{row['pk']}", row["user_id"], row["programme"], row["completed_at"], StatementVerb.COMPLETED,
            body=body,
        )  # fmt: skip


def courses(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Courses of which somebody did all that was asked."""
    done = CourseCompletion.objects.filter(enrolled("course__programme"))
    if since is not None:
        done = done.filter(completed_at__gte=since)
    names = {"title": F("course__title"), "programme": F("course__programme")}
    for row in rows(done, "pk", "user_id", "course_id", "completed_at", **names):
        body = shapes.said(
            StatementVerb.SATISFIED,
            named(f"courses/{row['course_id']}", shapes.COURSE, row["title"]),
            groups=[place(f"programmes/{row['programme']}")],
        )
        yield Fact(
            f"course/{row['pk']}", row["user_id"], row["programme"], row["completed_at"], StatementVerb.SATISFIED,
            body=body,
        )  # fmt: skip


def programmes(since: datetime | None, now: datetime) -> Iterator[Fact]:
    done = Enrolment.objects.filter(
        status__in=OPEN_ENROLMENTS, user__is_active=True, user__erasure_asked_at=None, completed_at__isnull=False
    )
    if since is not None:
        done = done.filter(completed_at__gte=since)
    for row in rows(done, "pk", "user_id", "programme_id", "completed_at", title=F("programme__title")):
        thing = named(f"programmes/{row['programme_id']}", shapes.PROGRAMME, row["title"])
        yield Fact(
            f"enrolment/{row['pk']}", row["user_id"], row["programme_id"], row["completed_at"],
            StatementVerb.SATISFIED, body=shapes.said(StatementVerb.SATISFIED, thing),
        )  # fmt: skip


def tests(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Marked attempts. Another mark takes the statement of the one before back, and so does striking it out."""
    attempts = Attempt.objects.filter(
        enrolled("quiz__lesson__course__programme"), state__in=(AttemptState.MARKED, AttemptState.VOID)
    )
    if since is not None:
        attempts = attempts.filter(submitted_at__gte=since - MARKED_WITHIN)
    fields = ("pk", "user_id", "quiz_id", "state", "number", "score", "most_points", "is_passed", "started_at")
    for row in rows(attempts, *fields, "submitted_at", **OF_QUIZ):
        holds = row["state"] == AttemptState.MARKED
        yield Fact(
            f"attempt/{row['pk']}", row["user_id"], row["programme"], row["submitted_at"],
            _verb_of(row["is_passed"]) if holds else None,
            edition=f"{row['score']} of {row['most_points']}, {row['is_passed']}" if holds else "",
            body=_of_attempt(row) if holds else {},
            replaces=True,
        )  # fmt: skip


def _verb_of(is_passed: bool | None) -> StatementVerb:
    if is_passed is None:
        return StatementVerb.SCORED  # a test without a pass mark
    return StatementVerb.PASSED if is_passed else StatementVerb.FAILED


def _of_attempt(row: dict[str, Any]) -> dict[str, Any]:
    taken = int((row["submitted_at"] - row["started_at"]).total_seconds())
    result = {"score": shapes.score(row["score"], row["most_points"]), "duration": shapes.duration(taken)}
    if row["is_passed"] is not None:
        result["success"] = row["is_passed"]
    return shapes.said(
        _verb_of(row["is_passed"]),
        named(f"tests/{row['quiz_id']}", shapes.TEST, row["title"]),
        parents=[place(f"lessons/{row['lesson']}")],
        groups=[place(f"courses/{row['course']}"), place(f"programmes/{row['programme']}")],
        result=result,
        more={f"{home()}/xapi/extensions/attempt": row["number"]},
    )


def credits(since: datetime | None, now: datetime) -> Iterator[Fact]:  # noqa: A001  # the word of this product
    """Of each claim what the newest line of the ledger says. A correction takes the statement before back."""
    newest = LedgerEntry.objects.filter(claim=OuterRef("claim")).order_by("-number").values("number")[:1]
    lines = LedgerEntry.objects.filter(enrolled("programme"), kind__in=CREDIT_ENTRIES, number=Subquery(newest))
    if since is not None:
        lines = lines.filter(entered_at__gte=since)
    names = {
        "title": F("claim__lesson__title"),
        "lesson": F("claim__lesson"),
        "course": F("claim__lesson__course"),
        "authority": F("claim__authority"),
    }
    for row in rows(lines, "claim_id", "user_id", "programme_id", "number", "credits", "entered_at", **names):
        amount: Decimal = row["credits"]
        yield Fact(
            f"claim/{row['claim_id']}", row["user_id"], row["programme_id"], row["entered_at"],
            StatementVerb.EARNED if amount > 0 else None,
            edition=f"line {row['number']}: {amount}", body=_of_credit(row, amount) if amount > 0 else {},
            replaces=True,
        )  # fmt: skip


def _of_credit(row: dict[str, Any], amount: Decimal) -> dict[str, Any]:
    return shapes.said(
        StatementVerb.EARNED,
        named(f"credits/{row['authority']}/lessons/{row['lesson']}", shapes.CREDIT, row["title"]),
        parents=[place(f"lessons/{row['lesson']}")],
        groups=[place(f"courses/{row['course']}"), place(f"programmes/{row['programme_id']}")],
        result={"extensions": {f"{home()}/xapi/extensions/credits": float(amount)}},
        more={f"{home()}/xapi/extensions/authority": row["authority"]},
    )


ALL: tuple[Source, ...] = (viewing.openings, viewing.watching, lessons, courses, programmes, tests, credits)
