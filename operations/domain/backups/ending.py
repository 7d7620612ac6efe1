"""An end by SIGTERM that takes back what was begun, as Ctrl-C does."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

STATUS = 128 + signal.SIGTERM


@contextlib.contextmanager
def terminated_in_order() -> Iterator[None]:
    """In the main thread. KeyboardInterrupt, not SystemExit: for that one psycopg cancels the statement under way and
    keeps the connection, with which the copy is dropped. A second signal does not stop that."""
    asked = False

    def interrupt(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        if asked:
            sys.exit(STATUS)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
