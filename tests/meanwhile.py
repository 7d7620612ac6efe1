"""Two at once on connections of their own: one stops behind a statement, the other comes in between.

Nobody sleeps: they wait for each other by events and by the database's locks.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02


class _Work(threading.Thread):
    """`behind`: words of statements of which it stops behind the `nth`. Empty: it never does."""

    def __init__(self, work: Callable[[], Any], *, behind: str = "", nth: int = 1) -> None:
        super().__init__(daemon=True)
        self.work, self.behind, self.left = work, behind, nth
        self.outcome: Any = None
        self.backend = 0
        self.has_stood = False
        self.has_begun, self.has_stopped, self.goes_on = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.backend,) = cursor.fetchone()
            self.has_begun.set()
            with connection.execute_wrapper(self._watch):
                self.outcome = self.work()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.outcome = error
        finally:
            connections.close_all()
            self.has_begun.set()
            self.has_stopped.set()

    def _watch(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if not self.behind or self.behind not in sql:
            return done
        self.left -= 1
        if self.left == 0:
            self.has_stood = True
            self.has_stopped.set()
            assert self.goes_on.wait(PATIENCE_SECONDS)
        return done

    def is_held_up(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.backend])
            (answer,) = cursor.fetchone()
        return bool(answer)


def somebody_waits() -> bool:
    """Whether a statement in this test's database waits for a lock; other workers' tests race in theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees whom its first look saw
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        (answer,) = cursor.fetchone()
    return bool(answer)


def in_between(first: Callable[[], Any], second: Callable[[], Any], *, behind: str, nth: int = 1) -> tuple[Any, Any]:
    """What each came to, or its error. `first` stands behind the `nth` statement with these words until `second` is
    done or waits for a lock of `first`; then it goes on. The test's own connection must be in no transaction.
    """
    one, other = _Work(first, behind=behind, nth=nth), _Work(second)
    ends = time.monotonic() + PATIENCE_SECONDS
    one.start()
    try:
        assert one.has_stopped.wait(PATIENCE_SECONDS)
        assert one.has_stood, f"it came to its end without {behind!r}: {one.outcome!r}"
        other.start()
        assert other.has_begun.wait(PATIENCE_SECONDS)
        while other.is_alive() and not other.is_held_up():
            assert time.monotonic() < ends
            other.join(LOOK_SECONDS)
    finally:
        one.goes_on.set()
    for thread in (one, other):
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    return one.outcome, other.outcome
