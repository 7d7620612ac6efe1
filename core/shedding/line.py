"""The order of those who wait, in Valkey: kept for all replicas alike, and lost without harm.

How fast people are let in is not configured but found: more and more until a quarter of the replicas say that their
queues stand, then a third less, then slowly more again. Without Valkey there is no order, only patience.
"""

import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.valkey import QuickValkey

if TYPE_CHECKING:
    import redis

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
        self._valkey = QuickValkey(client)
        self._replica = replica
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
        """None: nobody keeps the order now."""
        arguments: list[str | int] = [self._name(), int(is_full), ticket, number, int(draw)]
        found: list[Any] | None = self._valkey.ask(
            lambda client: client.register_script(SCRIPT)(keys=KEYS, args=arguments)
        )
        if found is None:
            self._shut = False
            return None
        shut, admitted, ahead, waiting, rate, drawn = found
        self._shut = bool(shut)
        return Answer(bool(shut), bool(admitted), int(ahead), int(waiting), float(rate), int(drawn or 0))

    def _name(self) -> str:
        return self._replica or f"{socket.gethostname()}:{os.getpid()}"


def count_waiting(client: "redis.Redis") -> int:
    """Raises redis.RedisError."""
    return int(client.zcount(KEYS[2], time.time(), "+inf"))
