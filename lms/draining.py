"""SIGTERM in two steps: first `/readyz` says no, so that the balancer sends nobody new; then the server stops.

Balancers notice in seconds, not at once: who closes the door in the same moment refuses those who were already sent.
"""

import mmap
import signal
from collections.abc import Callable

_flag = mmap.mmap(-1, 1)  # shared with the processes that are forked after this import


def is_draining() -> bool:
    return _flag[0] == 1


def drain(*, seconds: float, stop: Callable[[], None]) -> None:
    """For the handler of SIGTERM, in the main thread. `stop` comes after the time, or at once by a second SIGTERM.

    By the interval timer, not a thread: gunicorn's master forks.
    """
    again = is_draining()
    _flag[0] = 1
    if again or not seconds:
        signal.setitimer(signal.ITIMER_REAL, 0)
        stop()
        return
    signal.signal(signal.SIGALRM, lambda _number, _frame: stop())
    signal.setitimer(signal.ITIMER_REAL, seconds)
