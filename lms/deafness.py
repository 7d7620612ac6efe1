"""A worker that hears nothing any more ends itself, so that whatever keeps it running starts it again.

After Redis was silent for some seconds while a message was acknowledged, a worker may go on without asking for the next
one: it lives, answers signals, and its queue grows (`script/faults --long --only "valkey paused"`). Sweeps do not help,
because they are tasks as well.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
from celery.worker import state
from django.conf import settings

from core import signs

logger = logging.getLogger(__name__)
LOOK_SECONDS = 10.0
MOST_LOOKS = 3  # in a row at which something waits, and this worker has nothing to do and gets nothing


@dataclass(slots=True)
class Ear:
    """`look` is asked every LOOK_SECONDS; True says that the worker is deaf."""

    waiting: Callable[[], int]
    busy: Callable[[], int]
    heard: int = 0
    _before: int = -1
    _looks: int = 0

    def hear(self) -> None:
        self.heard += 1

    def look(self) -> bool:
        is_idle = self.waiting() > 0 and not self.busy() and self.heard == self._before
        self._looks = self._looks + 1 if is_idle else 0
        self._before = self.heard
        return self._looks >= MOST_LOOKS


def listen(*, name: str, queues: Sequence[str], over: threading.Event) -> Ear:
    """In a thread of its own, with a connection of its own. Each look leaves a sign of life (`core.signs`)."""
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5, socket_connect_timeout=5)

    def waiting() -> int:
        return sum(int(client.llen(name)) for name in queues)

    ear = Ear(waiting, busy)

    def watch() -> None:
        told = 0
        while True:
            with contextlib.suppress(redis.RedisError):  # nobody hears anything now
                if ear.look():
                    logger.critical(
                        "Tasks wait, and this worker does not get them any more: it ends, to be started again."
                    )
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
                heard = ear.heard
                signs.leave_of_worker(client, name=name, queues=queues, took=heard != told)
                told = heard
            if over.wait(LOOK_SECONDS):
                return

    threading.Thread(target=watch, name="ear", daemon=True).start()
    return ear


def busy() -> int:
    """What the worker has in hand, without what only waits for its time."""
    return len(state.active_requests) + len(state.reserved_requests)
