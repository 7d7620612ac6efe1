"""The row of an uploaded list, from its rehearsal to its result. What a list does is the business of those above."""

import uuid
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.http import Http404

from accounts.enums import ImportState
from accounts.models import PendingImport, User

WORKING = frozenset({ImportState.REHEARSING, ImportState.IMPORTING})
MOST_FAILURES = 3
PROGRESS_SECONDS = 600


@transaction.atomic
def keep(*, content: bytes, file_name: str, purpose: str, created_by: User, now: datetime) -> PendingImport:
    """One at a time for a person: a newer upload replaces the one that was never confirmed, and older results.

    One that is being worked on keeps its row; deleting it would wait for the end of the work.
    """
    mine = PendingImport.objects.filter(created_by=created_by).exclude(state=ImportState.IMPORTING)
    replaced = mine.select_for_update(skip_locked=True).values_list("pk", flat=True)
    PendingImport.objects.filter(pk__in=list(replaced)).delete()
    return PendingImport.objects.create(
        content=content,
        file_name=file_name[:200],
        purpose=purpose,
        created_by=created_by,
        created_at=now,
        lines=len(content.splitlines()),
    )


def find(*, import_id: uuid.UUID, created_by: User) -> PendingImport:
    """Only whoever uploaded it may see it: it is a list of names and addresses. The page needs no megabytes of it."""
    pending = PendingImport.objects.defer("content").filter(pk=import_id, created_by=created_by).first()
    if pending is None:
        raise Http404
    return pending


def confirm(*, pending: PendingImport, send: bool) -> bool:
    """One conditional update decides: of two clicks on the button exactly one starts the import."""
    if pending.state != ImportState.REHEARSED:
        return False  # without asking: the row may be locked by the very work that the first click began
    rows = PendingImport.objects.filter(pk=pending.pk, state=ImportState.REHEARSED)
    return bool(rows.update(state=ImportState.IMPORTING, send=send, failures=0))


def claim(*, import_id: uuid.UUID) -> PendingImport | None:
    """Locked until the caller's transaction ends; nothing when there is nothing to do or another worker is at it."""
    rows = PendingImport.objects.select_for_update(of=("self",), skip_locked=True).select_related("created_by")
    found: PendingImport | None = rows.filter(pk=import_id, state__in=WORKING).first()
    return found


def waiting() -> list[uuid.UUID]:
    return list(PendingImport.objects.filter(state__in=WORKING).order_by("created_at").values_list("pk", flat=True))


def settle(*, pending: PendingImport, report: dict[str, Any]) -> None:
    """The next state, with its figures. A list that was written is not kept: what is left of it are counts."""
    pending.report = report
    if pending.state == ImportState.REHEARSING:
        pending.state = ImportState.REHEARSED
    else:
        pending.state, pending.content = ImportState.DONE, b""
    pending.save(update_fields=["report", "state", "content"])
    cache.delete(_progress_key(pending.pk))  # the next work begins at nothing


def fail(*, pending: PendingImport, reason: str) -> None:
    pending.state, pending.reason, pending.content = ImportState.FAILED, reason, b""
    pending.save(update_fields=["state", "reason", "content"])


@transaction.atomic
def note_failure(*, import_id: uuid.UUID) -> None:
    """The sweep tries again; a list that fails every time is given up, without a reason that a person could mend."""
    PendingImport.objects.filter(pk=import_id).update(failures=F("failures") + 1)
    rows = PendingImport.objects.filter(pk=import_id, state__in=WORKING, failures__gte=MOST_FAILURES)
    rows.update(state=ImportState.FAILED, content=b"")


def note_progress(*, import_id: uuid.UUID, done: int, total: int) -> None:
    """In the cache: the transaction that does the work shows nothing before its end. Losing it loses two figures."""
    cache.set(_progress_key(import_id), (done, total), PROGRESS_SECONDS)


def progress_of(*, import_id: uuid.UUID) -> tuple[int, int] | None:
    found: tuple[int, int] | None = cache.get(_progress_key(import_id))
    return found


def _progress_key(import_id: uuid.UUID) -> str:
    return f"people-import:{import_id}"
