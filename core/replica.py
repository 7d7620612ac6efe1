"""Where heavy reads go: to a copy of the database that follows it, where there is one (DATABASE_REPLICA_URL).

The copy is seconds behind, so nothing that was just written is looked for there, and nothing can be written. When it
does not answer, the same is read from the database itself for a while: slow figures are better than none.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from core.logging import get_logger
from core.outage import is_database_away

log = get_logger("core")
REPLICA = "replica"
PAUSE_SECONDS = 30.0
# The copy had to forget what the statement still read: elsewhere, and for others here, all is well.
CONFLICTS = ("40001", "40P01")


@dataclass(slots=True)
class _Breaker:
    """`asking`: held by the one thread that tries whether the copy is back."""

    open_until: float = float("-inf")
    asking: threading.Lock = field(default_factory=threading.Lock)

    @property
    def was_open(self) -> bool:
        return self.open_until > float("-inf")

    def open(self, error: Exception) -> None:
        self.open_until = time.monotonic() + PAUSE_SECONDS
        log.warning("core.replica_away", reason=str(error), seconds=PAUSE_SECONDS)


_breaker = _Breaker()


def reading() -> str:
    """The alias for `.using(…)` and `connections[…]`. Asked anew for every piece of work, never kept."""
    if REPLICA not in connections.settings or time.monotonic() < _breaker.open_until:
        return DEFAULT_DB_ALIAS
    if not _breaker.was_open:
        return REPLICA if _answers() else DEFAULT_DB_ALIAS
    if not _breaker.asking.acquire(blocking=False):
        return DEFAULT_DB_ALIAS
    try:
        return REPLICA if _answers() else DEFAULT_DB_ALIAS
    finally:
        _breaker.asking.release()


def _answers() -> bool:
    try:
        connections[REPLICA].ensure_connection()
    except (OperationalError, InterfaceError) as error:
        _breaker.open(error)
        return False
    _breaker.open_until = float("-inf")
    return True


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """A receiver of `connection_created`."""
    if connection.alias == REPLICA and _or_elsewhere not in connection.execute_wrappers:
        connection.execute_wrappers.append(_or_elsewhere)


def _or_elsewhere(
    execute: Callable[..., Any], statement: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    """What the copy fails to answer is asked of the database itself, once: the same cursor goes on there.

    Not within a transaction, whose other statements read the copy. Rows that a server-side cursor still fetches when
    the copy goes are not caught either.
    """
    try:
        return execute(statement, parameters, many, context)
    except (OperationalError, InterfaceError) as error:
        connection: BaseDatabaseWrapper = context["connection"]
        if is_away := is_database_away(error):
            _breaker.open(error)
        if not (is_away or _is_conflict(error)) or connection.in_atomic_block:
            raise
    cursor: CursorWrapper = context["cursor"]
    default = connections[DEFAULT_DB_ALIAS]
    is_chunked = hasattr(cursor.cursor, "name")  # of psycopg's cursors, one that lives in the server
    with suppress(psycopg.Error):
        cursor.cursor.close()
    cursor.cursor = (default.chunked_cursor() if is_chunked else default.cursor()).cursor
    cursor.db = default
    if is_away:
        connection.close()
    return execute(statement, parameters, many, context)


def _is_conflict(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS
