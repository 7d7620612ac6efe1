"""Evidence packs asked for in the admin: an order in the database, made by a worker, private, gone after some days."""

import hashlib
import tempfile
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import uuid4

from django.core.files import File
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.domain import audit
from accounts.models import User
from certification.domain.packing import make_pack
from certification.models import Activity, EvidencePack
from certification.tasks import make_packs
from core.logging import get_logger
from media.storages import media_storage

log = get_logger("certification")
KEPT = timedelta(days=7)  # names of thousands lie there: whoever needs it again asks again
PATIENCE = timedelta(hours=1)  # a worker that was killed has claimed it, and makes it no more
IN_MEMORY_BYTES = 5_000_000
BLOCK = 1 << 20


class PackGoneError(Exception):
    """Not made yet, or removed."""


def ask_for_pack(
    *, activity: Activity, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> EvidencePack:
    """One at a time for each activity: whoever asks meanwhile gets the same one."""
    with transaction.atomic():
        Activity.objects.select_for_update(no_key=True).get(pk=activity.pk)
        waiting: EvidencePack | None = _open().filter(activity=activity).first()
        if waiting is not None:
            return waiting
        made: EvidencePack = EvidencePack.objects.create(activity=activity, requested_by=actor, requested_at=now)
        audit.record("evidence.asked", actor=actor, subject=activity, request=request, now=now)
        transaction.on_commit(make_packs.delay, robust=True)
    return made


def packs_of(activity: Activity) -> QuerySet[EvidencePack]:
    """The newest first."""
    return (
        EvidencePack.objects.filter(activity=activity).select_related("requested_by").order_by("-requested_at", "-pk")
    )


def open_pack(pack: EvidencePack) -> IO[bytes]:
    """Raises PackGoneError."""
    if not pack.made_at:
        raise PackGoneError
    try:
        file: IO[bytes] = media_storage().open(pack.stored_as)
    except OSError:
        raise PackGoneError from None
    return file


def make_due_packs(*, now: datetime) -> int:
    """Everything that waits, one after the other. One that fails says so and does not hold up the others."""
    made = 0
    for pack_id in _due(now).order_by("pk").values_list("pk", flat=True):
        if not _due(now).filter(pk=pack_id).update(claimed_at=now):
            continue  # another worker was faster
        pack = EvidencePack.objects.select_related("activity").get(pk=pack_id)
        try:
            _make(pack, now=now)
            made += 1
        except Exception:  # whatever it is, the page has to say that nothing comes
            log.exception("certification.pack_failed", pack=pack_id)
            EvidencePack.objects.filter(pk=pack_id, made_at=None).update(failed_at=now)
    return made


def _open() -> QuerySet[EvidencePack]:
    return EvidencePack.objects.filter(made_at=None, failed_at=None)


def _due(now: datetime) -> QuerySet[EvidencePack]:
    return _open().filter(Q(claimed_at=None) | Q(claimed_at__lt=now - PATIENCE))


def _make(pack: EvidencePack, *, now: datetime) -> None:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        file: Any = spooled
        make_pack(activity=pack.activity, to=file)
        size = file.tell()
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        file.seek(0)
        name = media_storage().save(f"evidence/{uuid4().hex}.zip", File(file))
    values = {"made_at": now, "stored_as": name, "size_bytes": size, "sha256": digest.digest()}
    if not EvidencePack.objects.filter(pk=pack.pk, made_at=None, failed_at=None).update(**values):
        media_storage().delete(name)


def remove_old_packs(*, now: datetime) -> int:
    """The file first: a row without a file is found again, a file without a row by nobody."""
    return _remove(EvidencePack.objects.filter(requested_at__lt=now - KEPT))


def remove_packs_about(*, user: User) -> int:
    """When a person is erased: the copies that lie here go, of all activities of their programmes."""
    return _remove(EvidencePack.objects.filter(activity__lesson__course__programme__enrolments__user=user))


def _remove(packs: QuerySet[EvidencePack]) -> int:
    rows = list(packs.distinct())
    for pack in rows:
        if pack.stored_as:
            media_storage().delete(pack.stored_as)
    EvidencePack.objects.filter(pk__in=[pack.pk for pack in rows]).delete()
    return len(rows)
