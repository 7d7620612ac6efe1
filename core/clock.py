"""What time it is by the database's clock, which all replicas share. A replica's own may be minutes off.

Times that one replica wrote are compared with another one's: when a player was opened with when a beat came, when a
place was taken with when it was given back. The doors take `now` from here and pass it on.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone

logger = logging.getLogger(__name__)
ASK_SECONDS = 30.0  # a clock may be set while a process runs
MOST_SECONDS = 1.0  # nearer than this it is right: asking takes time as well
_QUERY = b"SELECT extract(epoch FROM clock_timestamp())::float8"


@dataclass(slots=True)
class _Difference:
    """Seconds that the database's clock is ahead of ours; 0 when that is next to nothing."""

    seconds: float = 0.0
    asked_at: float = float("-inf")


_difference = _Difference()


def now() -> datetime:
    """Asks nobody: the difference was found when a connection was opened."""
    moment = timezone.now()
    return moment + timedelta(seconds=_difference.seconds) if _difference.seconds else moment


def asked_now() -> datetime:
    """For tasks, which begin before any connection was taken. Not in an event loop."""
    connection.ensure_connection()
    return now()


def database_now() -> datetime:
    """The database's time itself, for what is decided to the second. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def compare(*, connection: Any, **_: Any) -> None:
    """For the signal `connection_created`: one round trip every half minute, by a connection that has just been taken.

    Past Django's cursor: it is nobody's query.
    """
    began = time.monotonic()
    if connection.alias != DEFAULT_DB_ALIAS or began - _difference.asked_at < ASK_SECONDS:
        return  # also of a replica, which has a clock of its own
    _difference.asked_at = began
    own = time.time()
    (theirs,) = connection.connection.execute(_QUERY).fetchone()
    # The answer is of some moment while we waited.
    off = theirs - (own + time.time()) / 2
    seconds = off if abs(off) > MOST_SECONDS + (time.monotonic() - began) / 2 else 0.0
    if abs(seconds - _difference.seconds) > MOST_SECONDS:
        logger.warning("This machine's clock is off: the database's is %.1f s ahead. That one counts.", off)
    _difference.seconds = seconds
