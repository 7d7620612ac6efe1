"""Checks within a webinar: short tests that the stage holds up for the room, one at a time, each once.

    (nothing) ──open──▶ open ──close, or the end of the webinar──▶ closed       and once it is recorded, for everybody

What a check asks, and what doctors answer, is another app's: here is when it may be begun. Who begins one holds its row
in share mode, so closing waits for them and ends them with the others. Locks: webinar, check, attempts, room.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.prepared import Prepared
from courses.domain.lesson_kinds import Inner, InnerFigures, Moment, inner_of, inner_support
from courses.models import Lesson
from webinars.domain.broadcasts import program_now
from webinars.domain.desk_log import log
from webinars.domain.registrations import has_place
from webinars.domain.room import post_event
from webinars.domain.schedule import state_of
from webinars.domain.timelines import recording_map
from webinars.enums import Audience, EventKind, Restriction, WebinarState
from webinars.models import RoomCheck, Webinar
from webinars.rules import is_restricted

ROOM_IS_OPEN = frozenset({WebinarState.DOORS_OPEN, WebinarState.LIVE})
RECORDED = frozenset({WebinarState.RECORDED, WebinarState.RECORDING_READY})
Payload = dict[str, Any]


class CheckError(Exception):
    """Nothing was changed; `message` is for who pressed the button."""

    message: Any = _("This is not possible now.")


class CheckNotFoundError(CheckError):
    message = _("This check is not here any more.")


class CheckClosedError(CheckError):
    message = _("This check was open already. It can be opened once.")


class AnotherCheckOpenError(CheckError):
    message = _("Another check is open. Close it first.")


class RoomNotOpenError(CheckError):
    message = _("Checks can be opened from the opening of the doors to the end of the webinar.")


class EmptyCheckError(CheckError):
    message = _("This check has no question yet.")


@dataclass(frozen=True, slots=True)
class StageCheck:
    """As stage and moderators see it. `figures` once it was opened; with the key when nobody can answer any more."""

    inner: Inner
    opened_at: datetime | None
    closed_at: datetime | None
    figures: InnerFigures | None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None and self.closed_at is None

    @property
    def is_running(self) -> bool:
        """Its figures still change."""
        return self.figures is not None and not self.figures.is_final


@dataclass(frozen=True, slots=True)
class ShownCheck:
    """As a doctor sees it. `at`: the second of the recording at which it was opened, None where that is not known."""

    inner: Inner
    at: float | None
    is_done: bool


def open_check(
    *, webinar: Webinar, lesson_id: int, actor: User, request: HttpRequest | None = None, now: datetime
) -> RoomCheck:
    """Idempotent while it is open. Raises CheckError."""
    if state_of(webinar, now=now) not in ROOM_IS_OPEN:
        raise RoomNotOpenError
    inner = _inner(webinar, lesson_id)
    if not inner.questions:
        raise EmptyCheckError
    with transaction.atomic():
        # The second desk waits here and finds what the first one has opened.
        Webinar.objects.select_for_update(no_key=True).get(pk=webinar.pk)
        known = RoomCheck.objects.filter(webinar=webinar, lesson=lesson_id).first()
        if known is not None and known.closed_at is None:
            return known
        if known is not None:
            raise CheckClosedError
        if RoomCheck.objects.filter(webinar=webinar, closed_at=None).exists():
            raise AnotherCheckOpenError
        made = RoomCheck.objects.create(
            webinar=webinar,
            lesson_id=lesson_id,
            opened_at=now,
            opened_seconds=program_now(webinar, now),
            opened_by=actor,
        )
        _tell("check.opened", made, inner, actor=actor, request=request, now=now)
    return made


def close_check(
    *, webinar: Webinar, lesson_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> RoomCheck:
    """Idempotent. Starts under way are waited for; what was saved is handed in. Raises CheckNotFoundError.

    Also one that an author has taken out of the webinar meanwhile.
    """
    with transaction.atomic():
        found = RoomCheck.objects.select_for_update(no_key=True, of=("self",)).select_related("lesson")
        check = found.filter(webinar=webinar, lesson=lesson_id).first()
        if check is None:
            raise CheckNotFoundError
        if check.closed_at is None:
            check.closed_at, check.closed_by = max(now, check.opened_at), actor
            check.save(update_fields=["closed_at", "closed_by"])
            inner_support(lesson=check.lesson).end_inner(lesson_id=lesson_id)
            inner = Inner(lesson_id, check.lesson.title, 0)
            _tell("check.closed", check, inner, actor=actor, request=request, now=now)
    return check


def close_left_open(*, now: datetime) -> int:
    """Those of webinars that ended meanwhile."""
    left = list(
        RoomCheck.objects.filter(closed_at=None, webinar__ended_at__isnull=False).select_related("webinar__lesson")
    )
    for check in left:
        close_check(webinar=check.webinar, lesson_id=check.lesson_id, actor=None, now=now)
    return len(left)


def moment_of(*, webinar: Webinar, lesson_id: int, user: User, now: datetime, holds: bool) -> Moment:
    """Needs the video beside the webinar. Who has no place in the room, or was removed, waits for the recording.

    `holds`: the row is kept in share mode to the end of the caller's transaction.
    """
    state = state_of(webinar, now=now)
    if state in RECORDED:
        return Moment.RECORDED
    query = "SELECT * FROM webinars_roomcheck WHERE webinar_id = %s AND lesson_id = %s"
    found = list(RoomCheck.objects.raw(f"{query} FOR SHARE" if holds else query, [webinar.pk, lesson_id]))
    if not found or not _is_in_room(webinar, user):
        return Moment.BEFORE
    return Moment.RUNNING if found[0].closed_at is None and state in ROOM_IS_OPEN else Moment.OVER


def stage_checks(*, webinar: Webinar) -> list[StageCheck]:
    """All of the webinar. One query, one more where there are some, and the figures of those that were opened."""
    inner = inner_of(lesson=webinar.lesson)
    rows = RoomCheck.objects.filter(webinar=webinar).select_related("lesson") if inner else ()
    known = {one.lesson_id: one for one in rows}
    return [_stage_check(one, known.get(one.lesson_id)) for one in inner]


_rows = Prepared[RoomCheck](lambda webinar: RoomCheck.objects.filter(webinar=webinar))


def shown_checks(
    *, webinar: Webinar, completed_lesson_ids: Collection[int], lessons: Sequence[Lesson], now: datetime
) -> list[ShownCheck]:
    """For doctors: in the room what is open now; beside the recording all, from the second at which each was opened.

    No query where the course has no lesson of such a kind.
    """
    inner = inner_of(lesson=webinar.lesson, beside=lessons)
    if not inner:
        return []
    state = state_of(webinar, now=now)
    known = {one.lesson_id: one for one in _rows.rows(webinar=webinar.pk)}
    edition = recording_map(webinar) if known and state in RECORDED else None
    shown = []
    for one in inner:
        row = known.get(one.lesson_id)
        is_open = row is not None and row.closed_at is None and state in ROOM_IS_OPEN
        if not one.questions or not (is_open or state in RECORDED):
            continue
        at = None
        if row is not None and row.opened_seconds is not None and edition is not None:
            at = edition.program_to_shown.to_recording(row.opened_seconds)
        shown.append(ShownCheck(one, at, one.lesson_id in completed_lesson_ids))
    return sorted(shown, key=lambda one: one.at or 0.0)


def check_payload(inner: Inner, *, removed: bool) -> Payload:
    """What the room hears: enough for a card that leads there. Nothing of what is asked, and nothing of the key."""
    return {
        "id": inner.lesson_id,
        "title": inner.title,
        "questions": 0 if removed else inner.questions,
        "removed": removed,
    }


def _inner(webinar: Webinar, lesson_id: int) -> Inner:
    found = next((one for one in inner_of(lesson=webinar.lesson) if one.lesson_id == lesson_id), None)
    if found is None:
        raise CheckNotFoundError
    return found


def _is_in_room(webinar: Webinar, user: User) -> bool:
    return has_place(webinar=webinar, user=user) and not is_restricted(user, webinar, Restriction.REMOVED)


def _stage_check(inner: Inner, check: RoomCheck | None) -> StageCheck:
    if check is None:
        return StageCheck(inner, None, None, None)
    figures = inner_support(lesson=check.lesson).figures_of_inner(
        lesson_id=inner.lesson_id, since=check.opened_at, until=check.closed_at
    )
    return StageCheck(inner, check.opened_at, check.closed_at, figures)


def _tell(
    did: str, check: RoomCheck, inner: Inner, *, actor: User | None, request: HttpRequest | None, now: datetime
) -> None:
    log(did, webinar_id=check.webinar_id, actor=actor, what=inner.title, subject=check, request=request, now=now)
    post_event(
        webinar_id=check.webinar_id,
        kind=EventKind.CHECK,
        audience=Audience.ALL,
        payload=check_payload(inner, removed=check.closed_at is not None),
        now=now,
    )
