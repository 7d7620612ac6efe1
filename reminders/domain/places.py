"""How many do the same thing at once, over all workers: a number of places, in Valkey.

Whoever has one gives a sign of life every few seconds; of one that was killed it is free again after `LEASE_SECONDS`.
Without Valkey everybody has a place: it is also what rings the bells, so nobody but an operator begins anything then.
An advisory lock of PostgreSQL would do without signs, but behind PgBouncer it lasts no longer than a transaction, and
none may be open while a provider is spoken to.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.valkey import QuickValkey

LEASE_SECONDS = 15.0
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], 4 * ARGV[3])
return 1
"""


@dataclass(slots=True)
class Places:
    """`valkey` is for tests."""

    valkey: QuickValkey = field(default_factory=QuickValkey)

    def take(self, name: str, who: str, *, most: int) -> bool:
        """Whether `who` has one of the `most` places; one that was had is had for longer."""
        milliseconds = int(LEASE_SECONDS * 1000)
        return self.valkey.ask(lambda client: client.eval(_TAKE, 1, _key(name), who, most, milliseconds)) != 0

    def free(self, name: str, who: str) -> None:
        self.valkey.ask(lambda client: client.zrem(_key(name), who))

    @contextmanager
    def kept(self, name: str, who: str, *, most: int) -> Iterator[None]:
        """The place that was taken is had for as long as the block runs."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE_SECONDS / 3):
                self.take(name, who, most=most)

        keeper = threading.Thread(target=renew, name="place", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()


def _key(name: str) -> str:
    return f"messages:places:{name}"


PLACES = Places()
