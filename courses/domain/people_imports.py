"""A list of people from its upload to its result: looked through once, confirmed once, written once.

A short list is worked on within the request. A longer one is for the worker, while a page tells how far it is.
"""

import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.domain import imports
from accounts.domain.people_table import UnreadableTableError
from accounts.enums import ImportState, Role
from accounts.models import PendingImport, User
from core.languages import spoken
from courses import tasks
from courses.domain.invitations import ImportReport, import_people
from courses.models import Programme
from courses.rules import programmes_with_role

MOST_LINES_AT_ONCE = 1_000
MOST_SHOWN = 300


def receive(*, programme: Programme, content: bytes, file_name: str, operator: User, now: datetime) -> PendingImport:
    purpose = _purpose(programme)
    pending = imports.keep(content=content, file_name=file_name, purpose=purpose, created_by=operator, now=now)
    _begin(pending, now=now)
    return pending


def confirm(*, pending: PendingImport, send: bool, now: datetime) -> bool:
    """False for every click after the first; there is nothing to do for those."""
    if not imports.confirm(pending=pending, send=send):
        return False
    _begin(pending, now=now)
    return True


def run(*, import_id: uuid.UUID, now: datetime) -> bool:
    """Rehearses or writes, whichever the row waits for. False when somebody else is at it, or it is done.

    The row stays locked meanwhile: a worker that dies gives it back by dying. People and result are committed together.
    """
    try:
        with transaction.atomic():
            pending = imports.claim(import_id=import_id)
            if pending is not None:
                with translation.override(spoken(pending.created_by.language)):
                    _work(pending, now=now)
    except Exception:
        imports.note_failure(import_id=import_id)
        raise
    return pending is not None


def ring_for_waiting() -> None:
    """The sweep: bells that nobody heard, and work that a worker took to its grave."""
    for import_id in imports.waiting():
        tasks.run_import.delay(str(import_id))


def programme_of(pending: PendingImport, operator: User) -> Programme | None:
    """None when the programme is gone, or the person is no operator of it any longer."""
    for programme in programmes_with_role(operator, Role.OPERATOR):
        if _purpose(programme) == pending.purpose:
            return programme
    return None


def _begin(pending: PendingImport, *, now: datetime) -> None:
    if pending.lines > MOST_LINES_AT_ONCE:
        transaction.on_commit(lambda: tasks.run_import.delay(str(pending.pk)), robust=True)
    else:
        run(import_id=pending.pk, now=now)


def _work(pending: PendingImport, *, now: datetime) -> None:
    programme = programme_of(pending, pending.created_by)
    if programme is None:
        imports.fail(pending=pending, reason=_("You are no operator of this programme any longer."))
        return
    try:
        found = import_people(
            programme=programme,
            content=bytes(pending.content),
            actor=pending.created_by,
            now=now,
            dry_run=pending.state == ImportState.REHEARSING,
            skip_bad=True,
            send=pending.send,
            progress=lambda done, total: imports.note_progress(import_id=pending.pk, done=done, total=total),
        )
    except UnreadableTableError as error:
        imports.fail(pending=pending, reason=str(error))
    else:
        imports.settle(pending=pending, report=_figures(found))


def _figures(found: ImportReport) -> dict[str, Any]:
    """JSON for the page: all counts, and as many of the rows to correct as it shows."""
    bad = len({problem.line for problem in found.problems})
    return {
        "rows": found.rows,
        "good": found.rows - bad,
        "bad": bad,
        "created": found.created,
        "completed": found.completed,
        "enrolled": found.enrolled,
        "already_enrolled": found.already_enrolled,
        "invited": found.invited,
        "problem_count": len(found.problems),
        "problems": [asdict(problem) for problem in found.problems[:MOST_SHOWN]],
        "note_count": len(found.notes),
        "notes": [asdict(note) for note in found.notes[:MOST_SHOWN]],
    }


def _purpose(programme: Programme) -> str:
    return f"invite:{programme.pk}"
