"""The order of those who wait, in Valkey: kept for all replicas alike, and lost without harm.

How fast people are let in is not configured but found: more and more until a quarter of the replicas say that their
queues stand, then a third less, then slowly more again. Without Valkey there is no order, only patience.
"""

import os
import socket
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.logging import get_logger

log = get_logger("shedding")
PATIENCE_SECONDS = 0.25  # for Valkey: a page waits for it
SILENT_SECONDS = 5.0
LOOK_SECONDS = 0.5
KEYS = [f"{{door}}:{name}" for name in ("state", "waiting", "due", "let_in", "replicas", "full")]
SCRIPT = (Path(__file__).parent / "line.lua").read_text()


@dataclass(frozen=True, slots=True)
class Answer:
    shut: bool  # newcomers wait
    admitted: bool
    ahead: int  # of those who are waiting now
    waiting: int
    per_second: float
    number: int  # drawn for a new ticket; 0: none

    @property
    def seconds(self) -> float:
        """About how long the one with so many ahead waits."""
        return self.ahead / max(self.per_second, 1.0)


class Line:
    def __init__(self, client: "redis.Redis | None" = None, *, replica: str = "") -> None:
        self._given = client
        self._replica = replica
        self._silent_until = 0.0
        self._looked_at = float("-inf")
        self._shut = False
        self._lock = threading.Lock()

    def is_shut(self, *, is_full: bool) -> bool:
        """As of half a second ago at most; the one thread that asks is the only one that waits."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._looked_at = time.monotonic()
                self.ask(is_full=is_full)
            finally:
                self._lock.release()
        return self._shut

    def ask(self, *, is_full: bool, ticket: str = "", number: int = 0, draw: bool = False) -> Answer | None:
        """None: Valkey does not answer, and is left alone for some seconds."""
        if time.monotonic() < self._silent_until:
            return None
        arguments = [self._name(), int(is_full), ticket, number, int(draw)]
        try:
            shut, admitted, ahead, waiting, rate, drawn = _script(self._client())(keys=KEYS, args=arguments)
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            self._shut = False
            log.warning("Nobody keeps the order of the line for a while", reason=str(error))
            return None
        self._shut = bool(shut)
        return Answer(bool(shut), bool(admitted), int(ahead), int(waiting), float(rate), int(drawn or 0))

    def _client(self) -> "redis.Redis":
        return self._given or _client_of(os.getpid())

    def _name(self) -> str:
        return self._replica or f"{socket.gethostname()}:{os.getpid()}"


@cache
def _client_of(_process: int) -> "redis.Redis":
    """Of its own, with less patience than the cache's. By process: a connection does not survive a fork."""
    once = Retry(NoBackoff(), 0)  # the library's own three tries take four seconds
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=once
    )


def _script(client: "redis.Redis") -> Any:
    return client.register_script(SCRIPT)


def count_waiting(client: "redis.Redis") -> int:
    """Raises redis.RedisError."""
    return int(client.zcount(KEYS[2], time.time(), "+inf"))
