"""Counting without shouting: a vote only notes that a count changed; the room hears of it at most every 2 seconds.

Voters hold a shared advisory lock of the room until they commit, an announcement takes it for itself: so every vote is
either in the count that is announced, or makes (or finds) the note for the next one. No vote waits for another here.
"""

import logging
import threading
from datetime import datetime, timedelta

from django.db import connection, transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from webinars.tasks import announce_tallies

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 2

_MARK = """
INSERT INTO webinars_tally (webinar_id, question_id, poll_id, due_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def joining(webinar_id: int) -> None:
    """At the start of a voter's transaction, before any row is locked."""
    _lock("pg_advisory_xact_lock_shared", webinar_id)


def excluding(webinar_id: int) -> None:
    """At the start of an announcement's transaction: waits for the voters under way, a few milliseconds."""
    _lock("pg_advisory_xact_lock", webinar_id)


def mark(*, webinar_id: int, question_id: int | None = None, poll_id: int | None = None, now: datetime) -> None:
    """The count of one question or poll has changed. Part of the voter's transaction."""
    due_at = now + timedelta(seconds=PAUSE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [webinar_id, question_id, poll_id, due_at])
        is_first = cursor.rowcount == 1
    if is_first:
        transaction.on_commit(doorbell.ring)


class TallyDoorbell:
    """Asks the worker for an announcement in 2 s, never holding up a vote. What Redis loses, the sweep finds."""

    def __init__(self) -> None:
        self._busy = threading.Lock()

    def ring(self) -> None:
        if self._busy.acquire(blocking=False):
            threading.Thread(target=self._send, name="tally-doorbell", daemon=True).start()

    def _send(self) -> None:
        try:
            announce_tallies.apply_async(retry=False, countdown=PAUSE_SECONDS)
        except (OperationalError, RedisError) as error:
            logger.warning("Votes are announced by the sweep: %s", error)
        finally:
            self._busy.release()


doorbell = TallyDoorbell()


def _lock(function: str, webinar_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [f"tally:{webinar_id}"])
