"""Values that are dear to make and that thousands want in the same moment: made once, not once by each who finds none.

`remember` is for what all may share. One thread of a process asks for it, one process of all makes it (a lock in Valkey
that ends by itself), everybody else waits for that, or takes the value that has just run out. Without Valkey every
process makes it once for itself. How much life is left is told by Valkey's clock: those of the replicas differ.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis import Redis

from core.valkey import QuickValkey

LOCAL_SECONDS = 5.0  # without Valkey: so long a value of this process counts
MOST_LOCAL = 1_000
POLL_SECONDS = 0.05
PREFIX = "made:"
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
Json = Any


class StillBeingMadeError(Exception):
    """Somebody has been making it for longer than anybody is patient. Nobody else begins: that is what fell over."""


@dataclass(frozen=True, slots=True)
class _Found:
    value: Json
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class _Life:
    """Seconds."""

    fresh: float
    stale: float
    empty: float
    patience: float


class Cache:
    """Of one process."""

    def __init__(self, valkey: QuickValkey | None = None) -> None:
        self._valkey = valkey or QuickValkey()
        self._flights: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._local: dict[str, tuple[Json, float]] = {}

    def remember(
        self,
        key: str,
        make: Callable[[], Json],
        *,
        seconds: float,
        stale_seconds: float = 0.0,
        empty_seconds: float = 1.0,
        patience_seconds: float = 10.0,
    ) -> Json:
        """What `make` gave, which must go through JSON; None lives for `empty_seconds` only.

        For `stale_seconds` after its end a value is still given to all but the one who makes the next. What `make`
        raises, its caller gets; the next one tries again. Raises StillBeingMadeError.
        """
        found = self._read(key)
        if found is not None and found.is_fresh:
            return found.value
        flight = self._flight(key)
        if not flight.acquire(timeout=0 if found is not None else patience_seconds):
            if found is not None:
                return found.value
            raise StillBeingMadeError(key)
        try:
            return self._make_once(key, make, _Life(seconds, stale_seconds, empty_seconds, patience_seconds))
        finally:
            flight.release()

    def _make_once(self, key: str, make: Callable[[], Json], life: _Life) -> Json:
        """In one thread of this process."""
        token = secrets.token_hex(8)
        if not self._claim(key, token, life.patience):
            found = self._read(key) or self._wait(key, token, life.patience)
            if found is not None:
                return found.value
        try:
            found = self._read(key)  # only now: whoever had the lock until a moment ago has written it
            if found is not None and found.is_fresh:
                return found.value
            value = make()
            self._write(key, value, *((life.empty, 0.0) if value is None else (life.fresh, life.stale)))
        finally:
            self._release(key, token)
        return value

    def forget(self, key: str) -> None:
        self._local.pop(key, None)
        self._valkey.ask(lambda client: client.delete(PREFIX + key))

    def _flight(self, key: str) -> threading.Lock:
        with self._guard:
            if len(self._flights) >= MOST_LOCAL:
                self._flights = {name: lock for name, lock in self._flights.items() if lock.locked()}
            return self._flights.setdefault(key, threading.Lock())

    def _read(self, key: str) -> _Found | None:
        """With the part of its life that is stale at the end, as `_write` noted it, beside it."""

        def question(client: "Redis") -> tuple[bytes | None, int]:
            both = client.pipeline(transaction=False)
            both.get(PREFIX + key)
            both.pttl(PREFIX + key)
            text, left = both.execute()
            return text, left

        answer = self._valkey.ask(question)
        if answer is None:
            value, until = self._local.get(key, (None, 0.0))
            return _Found(value, is_fresh=True) if time.monotonic() < until else None
        text, left = answer
        if text is None:
            return None
        kept = json.loads(text)
        return _Found(kept["value"], is_fresh=left > kept["stale_ms"])

    def _write(self, key: str, value: Json, seconds: float, stale_seconds: float) -> None:
        with self._guard:
            if len(self._local) >= MOST_LOCAL:
                self._local.clear()
            self._local[key] = value, time.monotonic() + min(seconds, LOCAL_SECONDS)
        text = json.dumps({"value": value, "stale_ms": int(stale_seconds * 1000)})
        life = max(1, int((seconds + stale_seconds) * 1000))
        self._valkey.ask(lambda client: client.set(PREFIX + key, text, px=life))

    def _claim(self, key: str, token: str, seconds: float) -> bool:
        """Also where nobody can be asked: then every process makes it for itself."""
        life = max(1, int(seconds * 1000))
        got = self._valkey.ask(lambda client: bool(client.set(f"{PREFIX}{key}:lock", token, nx=True, px=life)))
        return got is None or got

    def _release(self, key: str, token: str) -> None:
        self._valkey.ask(lambda client: client.eval(RELEASE, 1, f"{PREFIX}{key}:lock", token))

    def _wait(self, key: str, token: str, seconds: float) -> _Found | None:
        """What another process made; None when its lock ended first and is ours now."""
        deadline = time.monotonic() + 2 * seconds  # that of one that was killed ends by itself, in `seconds` at most
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            found = self._read(key)
            if found is not None:
                return found
            if self._claim(key, token, seconds):
                return None
        raise StillBeingMadeError(key)


cache = Cache()
remember = cache.remember
forget = cache.forget
