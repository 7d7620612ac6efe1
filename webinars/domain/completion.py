"""From watched seconds to a completed lesson. The beat only leaves `reached_at`; the rest happens here, later."""

import hashlib
import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from core.ranges import Ranges
from courses.domain.completion import Done, complete_lessons
from courses.enums import OPEN_ENROLMENTS
from courses.models import Enrolment
from webinars.domain.thresholds import apply_late_beats, apply_new_lengths
from webinars.models import WatchRecord
from webinars.tasks import settle_watch_records

logger = logging.getLogger(__name__)
BATCH = 500
# Longer than the pause between two sweeps, so that no beat falls between them.
LATE = timedelta(minutes=5)


class Doorbell:
    """Wakes the worker without ever holding up a commit: Redis may be slow or gone, and the sweep comes anyway.

    While one ring is on its way further ones are dropped: the sweep it causes settles everything it finds.
    """

    def __init__(self) -> None:
        self._busy = threading.Lock()

    def ring(self) -> None:
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._send, name="doorbell", daemon=True).start()

    def _send(self) -> None:
        try:
            settle_watch_records.apply_async(retry=False)
        except (OperationalError, RedisError) as error:
            logger.warning("The doorbell is silent, the sweep will find it: %s", error)
        finally:
            self._busy.release()


doorbell = Doorbell()


def settle(*, now: datetime) -> int:
    """Complete the lessons of all records that reached their threshold. Returns how many were settled.

    A video that was uploaded again may have become shorter: who has watched enough of it now is found here as well.

    Nothing is locked: completing is idempotent, so two workers at once do the same work twice and no harm, while a
    lock on the records would hold up the beats of everybody in them. A person without an open enrolment (staff in a
    preview, a suspended doctor) stays unsettled until there is one.
    """
    apply_new_lengths(now=now)
    apply_late_beats(since=now - LATE, now=now)
    settled = 0
    after = 0
    while batch := list(_unsettled(after=after)[:BATCH]):
        others = _others(batch)
        done = [
            Done(one.user_id, one.webinar.lesson_id, evidence_of(one, others.get((one.user_id, one.webinar_id))))
            for one in batch
        ]
        refused = {(one.user_id, one.lesson_id) for one in complete_lessons(done, now=now).refused}
        ids = [one.pk for one in batch if (one.user_id, one.webinar.lesson_id) not in refused]
        settled += WatchRecord.objects.filter(pk__in=ids, settled_at=None).update(settled_at=now)
        after = batch[-1].pk
    return settled


def evidence_of(record: WatchRecord, other: WatchRecord | None = None) -> dict[str, Any]:
    """What an auditor needs to check the completion against the record, whose coverage may still grow.

    `other` is the record of the other phase: the two together may have been needed.
    """
    also = (
        {
            "also": {
                "phase": other.phase,
                "seen_seconds": other.seen_seconds,
                "coverage_sha256": coverage_digest(other.coverage),
            }
        }
        if other
        else {}
    )
    return {
        "phase": record.phase,
        "seen_seconds": record.seen_seconds,
        "required_seconds": record.required_seconds,
        "reached_at": record.reached_at.isoformat() if record.reached_at else None,
        "coverage_sha256": coverage_digest(record.coverage),
        **also,
    }


def _others(batch: Sequence[WatchRecord]) -> dict[tuple[int, int], WatchRecord]:
    """The other phase's records of the same people, for those who have one."""
    mine = {one.pk for one in batch}
    found = WatchRecord.objects.filter(
        user__in={one.user_id for one in batch}, webinar__in={one.webinar_id for one in batch}
    ).exclude(pk__in=mine)
    return {(one.user_id, one.webinar_id): one for one in found}


def coverage_digest(coverage: Ranges) -> str:
    """SHA-256 of the ranges written as `0-30,45-60`."""
    return hashlib.sha256(",".join(f"{start}-{end}" for start, end in coverage).encode()).hexdigest()


def _unsettled(*, after: int) -> Any:
    enrolled = Enrolment.objects.filter(
        user=OuterRef("user"), programme=OuterRef("webinar__lesson__course__programme"), status__in=OPEN_ENROLMENTS
    )
    return (
        WatchRecord.objects.filter(Exists(enrolled), pk__gt=after, reached_at__isnull=False, settled_at=None)
        .select_related("webinar")
        .order_by("pk")
    )
