"""How long requests of this process wait for a thread, and whether that is a queue or only a hiccup.

Without Django: gunicorn imports it before the application. By the monotonic clock of this process alone; the time that
a balancer writes into a header comes from another machine, whose clock may be minutes off.
"""

import threading
import time
from collections.abc import Callable

STANDING_SECONDS = 0.3  # a pause of the garbage collector or one slow batch is over by then
_local = threading.local()


def note_wait(seconds: float) -> None:
    """For the server: the request that this thread answers next has waited so long."""
    _local.waited = seconds


def take_wait() -> float | None:
    """None under a server that does not measure: nothing is shed there."""
    waited: float | None = getattr(_local, "waited", None)
    _local.waited = None
    return waited


class Queue:
    """Over its limit only while every request of a third of a second has waited longer than that."""

    __slots__ = ("_above_since", "_clock", "limit")

    def __init__(self, limit_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit_seconds
        self._clock = clock
        self._above_since: float | None = None

    def is_over(self, waited: float) -> bool:
        """Called for every request. No lock: two threads that write at once both write what is true."""
        if waited < self.limit:
            self._above_since = None
            return False
        now = self._clock()
        since = self._above_since
        if since is None:
            # What has waited long already came to a queue that stood as long.
            since = self._above_since = now - max(0.0, waited - self.limit)
        return now - since >= STANDING_SECONDS
