"""Limits that hold across processes: at most `limit` hits of a key in a window that opens with its first hit."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_redis import get_redis_connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# One round trip, and atomic: read-then-write limits let through as many as race.
# A key without expiry (its EXPIRE was lost) would block for ever, so the expiry is repaired.
SCRIPT = """
local found = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  local left = redis.call('PTTL', key)
  if left < 0 then
    redis.call('PEXPIRE', key, ARGV[i])
    left = tonumber(ARGV[i])
  end
  found[i] = {count, left}
end
return found
"""
REDIS_PAUSE_SECONDS = 5.0
MOST_LOCAL_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    remaining: int
    retry_after_seconds: int

    def __bool__(self) -> bool:
        return self.allowed


# Counts one hit of a key in a window of so many seconds; returns the hits so far and the seconds left.
Counter = Callable[[str, int], tuple[int, float]]


def hit(key: str, *, limit: int, window_seconds: int, fallback: Counter | None = None) -> Decision:
    """Count one hit and say whether it is within the limit. Refused hits do not lengthen the window.

    Without Redis each process counts for itself: the limit is then as many times higher as there are processes,
    but neither gone nor an error. Redis is asked again after a pause, so an outage does not cost a timeout per hit.
    Where even that is too lax, `fallback` counts in a place that all processes share.
    """
    return hit_each([(key, limit, window_seconds)], fallback=fallback)[0]


def hit_each(rates: Sequence[tuple[str, int, int]], *, fallback: Counter | None = None) -> list[Decision]:
    """One hit of each (key, limit, window in seconds), in one round trip. As `hit` otherwise."""
    if _breaker.closed():
        try:
            found = _count_in_redis([(f"limit:{key}", seconds * 1000) for key, _, seconds in rates])
        except RedisError:
            logger.warning("Redis is lost: limits are counted per process for a while", exc_info=True)
            _breaker.trip()
        else:
            return [_decide(count, rate[1], left / 1000) for rate, (count, left) in zip(rates, found, strict=True)]
    counted = [(limit, (fallback or _local.count)(key, seconds)) for key, limit, seconds in rates]
    return [_decide(count, limit, left) for limit, (count, left) in counted]


def forget(key: str) -> None:
    """Start the key's count anew, for example after a right password. Without Redis the window simply runs out."""
    if not _breaker.closed():
        return
    try:
        client: Any = get_redis_connection("default")
        client.delete(f"limit:{key}")
    except RedisError:
        logger.warning("Redis is lost: a count was not forgotten", exc_info=True)
        _breaker.trip()


def hits_so_far(key: str) -> int:
    """Without counting one. Nothing is known while Redis is away: the strict limits are those that `hit` keeps."""
    if not _breaker.closed():
        return 0
    try:
        client: Any = get_redis_connection("default")
        return int(client.get(f"limit:{key}") or 0)
    except RedisError:
        logger.warning("Redis is lost: a count is unknown", exc_info=True)
        _breaker.trip()
        return 0


def _decide(count: int, limit: int, left_seconds: float) -> Decision:
    allowed = count <= limit
    return Decision(allowed, max(0, limit - count), 0 if allowed else max(1, int(left_seconds + 0.999)))


def _count_in_redis(windows: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    client: Any = get_redis_connection("default")
    keys, milliseconds = zip(*windows, strict=True)
    found: list[tuple[int, int]] = client.register_script(SCRIPT)(keys=keys, args=milliseconds)
    return found


@dataclass(slots=True)
class _Breaker:
    pause_seconds: float
    clock: Callable[[], float] = time.monotonic
    open_until: float = 0.0

    def closed(self) -> bool:
        return self.clock() >= self.open_until

    def trip(self) -> None:
        self.open_until = self.clock() + self.pause_seconds


@dataclass(slots=True)
class LocalCounts:
    """Fixed windows in this process. When full, the oldest window goes: memory stays bounded under a flood of keys."""

    most_keys: int
    clock: Callable[[], float] = time.monotonic
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, key: str, window_seconds: int) -> tuple[int, float]:
        now = self.clock()
        with self.lock:
            ends, count = self.windows.get(key, (0.0, 0))
            if ends <= now:
                self.windows.pop(key, None)
                ends, count = now + window_seconds, 0
                if len(self.windows) >= self.most_keys:
                    del self.windows[next(iter(self.windows))]
            self.windows[key] = (ends, count + 1)
            return count + 1, ends - now


_breaker = _Breaker(REDIS_PAUSE_SECONDS)
_local = LocalCounts(MOST_LOCAL_KEYS)
