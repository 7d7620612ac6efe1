"""Where facts come from: one function for each table of the domain. Only of doctors who are in the programme now.

`since`: what changed after; nothing: all there is. Each gives its rows as they come from the database, in pieces.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, Model, OuterRef, QuerySet, Subquery

from analytics.domain.statements import shapes
from analytics.domain.statements.facts import Fact
from analytics.enums import StatementVerb
from assessments.enums import AttemptState
from assessments.models import Attempt
from certification.enums import CREDIT_ENTRIES
from certification.models import LedgerEntry
from core.ranges import seconds
from courses.enums import OPEN_ENROLMENTS
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from webinars.enums import Phase
from webinars.models import PlaySession, WatchRecord

PIECE = 500
QUIET = timedelta(minutes=10)  # of a player that plays a beat comes every half a minute
SESSION_LASTS = timedelta(days=1)
MARKED_WITHIN = timedelta(days=14)  # what is marked, or marked again, later is found at night
LESSON = {
    "lesson_title": F("lesson__title"),
    "course": F("lesson__course"),
    "programme": F("lesson__course__programme"),
}
OF_WEBINAR = {
    "title": F("webinar__lesson__title"),
    "lesson": F("webinar__lesson"),
    "course": F("webinar__lesson__course"),
    "programme": F("webinar__lesson__course__programme"),
}
OF_QUIZ = {
    "title": F("quiz__lesson__title"),
    "lesson": F("quiz__lesson"),
    "course": F("quiz__lesson__course"),
    "programme": F("quiz__lesson__course__programme"),
}
Source = Callable[[datetime | None, datetime], Iterator[Fact]]


def enrolled(programme: str) -> Exists:
    """Whether the row's user is somebody of whom anything is told."""
    return Exists(
        Enrolment.objects.filter(
            user=OuterRef("user"),
            programme=OuterRef(programme),
            status__in=OPEN_ENROLMENTS,
            user__is_active=True,
            user__erasure_asked_at=None,
        )
    )


def openings(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Each opening of a player."""
    sessions = PlaySession.objects.filter(enrolled("webinar__lesson__course__programme"))
    if since is not None:
        sessions = sessions.filter(started_at__gte=since)
    for row in _rows(sessions, "pk", "user_id", "webinar_id", "phase", "media_seconds", "started_at", **OF_WEBINAR):
        more = {f"{shapes.EXTENSION}session-id": str(row["pk"]), f"{shapes.EXTENSION}length": row["media_seconds"]}
        body = _of_video(StatementVerb.INITIALIZED, row, more=more)
        yield Fact(
            f"session/{row['pk']}", row["user_id"], row["programme"], row["started_at"], StatementVerb.INITIALIZED,
            body=body,
        )  # fmt: skip


def watching(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """What somebody has seen so far, once it has been quiet for a while, and that it was enough."""
    latest = PlaySession.objects.filter(
        user=OuterRef("user"), webinar=OuterRef("webinar"), phase=OuterRef("phase")
    ).order_by("-started_at")
    records = WatchRecord.objects.filter(enrolled("webinar__lesson__course__programme"), last_beat_at__lte=now - QUIET)
    if since is not None:
        opened = PlaySession.objects.filter(started_at__gte=since - SESSION_LASTS).values("webinar").distinct()
        records = records.filter(last_beat_at__gte=since, webinar__in=opened)
    fields = (
        "pk", "user_id", "webinar_id", "phase", "coverage", "shown", "position_seconds", "seen_seconds", "grew_at",
        "first_beat_at", "last_beat_at", "reached_at", "required_seconds",
    )  # fmt: skip
    rows = _rows(
        records,
        *fields,
        session=Subquery(latest.values("pk")[:1]),
        media_seconds=Subquery(latest.values("media_seconds")[:1]),
        threshold=F("webinar__completion_percent"),
        **OF_WEBINAR,
    )
    for row in rows:
        yield from _watched(row)


def _watched(row: dict[str, Any]) -> Iterator[Fact]:
    is_recording = row["phase"] == Phase.ON_DEMAND
    segments = shapes.as_shown(row["coverage"], row["shown"] if is_recording else None)
    if not segments:
        return
    length = max(row["media_seconds"] or row["required_seconds"], segments[-1][1])
    position = row["position_seconds"]
    if is_recording and row["shown"] is not None:
        position = seconds(shapes.as_shown(((0, int(position)),), row["shown"]))
    extensions = shapes.watched(segments, length=length, position=position)
    more: dict[str, Any] = {f"{shapes.EXTENSION}length": length}
    if row["session"] is not None:
        more[f"{shapes.EXTENSION}session-id"] = str(row["session"])
    people = (row["user_id"], row["programme"])
    grown = sha256(repr(row["coverage"]).encode()).hexdigest()[:32]
    yield Fact(
        f"record/{row['pk']}", *people, row["grew_at"] or row["last_beat_at"], StatementVerb.PAUSED, edition=grown,
        body=_of_video(StatementVerb.PAUSED, row, more=more, result={"extensions": extensions}),
    )  # fmt: skip
    if row["reached_at"] is not None:
        more = more | {f"{shapes.EXTENSION}completion-threshold": row["threshold"] / 100}
        seen = shapes.duration(row["seen_seconds"])
        result = {"completion": True, "duration": seen, "extensions": extensions}
        yield Fact(
            f"record/{row['pk']}", *people, row["reached_at"], StatementVerb.COMPLETED, edition="enough",
            body=_of_video(StatementVerb.COMPLETED, row, more=more, result=result),
        )  # fmt: skip


def lessons(since: datetime | None, now: datetime) -> Iterator[Fact]:
    """Lessons that were completed, of whatever kind."""
    done = LessonCompletion.objects.filter(enrolled("lesson__course__programme"))
    if since is not None:
        done = done.filter(completed_at__gte=since)
    for row in _rows(done, "pk", "user_id", "lesson_id", "completed_at", **LESSON):
        thing = _named(f"lessons/{row['lesson_id']}", shapes.LESSON, row["lesson_title"])
        body = shapes.said(
            StatementVerb.COMPLETED,
            thing,
            parents=[_place(f"courses/{row['course']}")],
            groups=[_place(f"programmes/{row['programme']}")],
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
    for row in _rows(done, "pk", "user_id", "course_id", "completed_at", **names):
        body = shapes.said(
            StatementVerb.SATISFIED,
            _named(f"courses/{row['course_id']}", shapes.COURSE, row["title"]),
            groups=[_place(f"programmes/{row['programme']}")],
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
    for row in _rows(done, "pk", "user_id", "programme_id", "completed_at", title=F("programme__title")):
        thing = _named(f"programmes/{row['programme_id']}", shapes.PROGRAMME, row["title"])
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
    for row in _rows(attempts, *fields, "submitted_at", **OF_QUIZ):
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
        _named(f"tests/{row['quiz_id']}", shapes.TEST, row["title"]),
        parents=[_place(f"lessons/{row['lesson']}")],
        groups=[_place(f"courses/{row['course']}"), _place(f"programmes/{row['programme']}")],
        result=result,
        more={f"{_home()}/xapi/extensions/attempt": row["number"]},
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
    for row in _rows(lines, "claim_id", "user_id", "programme_id", "number", "credits", "entered_at", **names):
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
        _named(f"credits/{row['authority']}/lessons/{row['lesson']}", shapes.CREDIT, row["title"]),
        parents=[_place(f"lessons/{row['lesson']}")],
        groups=[_place(f"courses/{row['course']}"), _place(f"programmes/{row['programme_id']}")],
        result={"extensions": {f"{_home()}/xapi/extensions/credits": float(amount)}},
        more={f"{_home()}/xapi/extensions/authority": row["authority"]},
    )


ALL: tuple[Source, ...] = (openings, watching, lessons, courses, programmes, tests, credits)


def _rows(found: QuerySet[Any, Model], *fields: str, **names: Any) -> Iterator[dict[str, Any]]:
    aliases = {f"the_{name}": value for name, value in names.items()}
    for row in found.order_by("pk").annotate(**aliases).values(*fields, *aliases).iterator(chunk_size=PIECE):
        yield {key.removeprefix("the_"): value for key, value in row.items()}


def _of_video(verb: StatementVerb, row: dict[str, Any], *, more: Any, result: Any = None) -> dict[str, Any]:
    thing = shapes.video(
        _home(), webinar_id=row["webinar_id"], phase=row["phase"], name=row["title"], language=settings.LANGUAGE_CODE
    )
    return shapes.said(
        verb,
        thing,
        parents=[_place(f"lessons/{row['lesson']}")],
        groups=[_place(f"courses/{row['course']}"), _place(f"programmes/{row['programme']}")],
        result=result,
        more=more,
        is_video=True,
    )


def _named(path: str, kind: str, name: str) -> dict[str, Any]:
    return shapes.activity(_home(), path, kind=kind, name=name, language=settings.LANGUAGE_CODE)


def _place(path: str) -> dict[str, Any]:
    return shapes.reference(_home(), path)


def _home() -> str:
    home: str = settings.XAPI["XAPI_HOME_PAGE"]
    return home
