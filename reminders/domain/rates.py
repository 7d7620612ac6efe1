"""How fast a provider may be given messages: a bucket of tokens for each, in Valkey, for all workers together.

The bucket fills at the provider's rate and holds what a second or two bring. Valkey's clock counts. Without Valkey
every worker keeps to its share of the rate: less than allowed, never more.
"""

import threading
import time
from dataclasses import dataclass, field

from core.valkey import QuickValkey

BURST_SECONDS = 2.0
SHARES = 8  # more workers than this do not send at once without Valkey, which is also what rings them
FORGOTTEN_MS = 60_000

_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'paused')
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if held[3] and tonumber(held[3]) > now then return 0 end
local tokens = tonumber(held[1] or most)
tokens = math.min(most, tokens + math.max(0, now - tonumber(held[2] or now)) * rate / 1000)
local given = math.min(wanted, math.floor(tokens))
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - given), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return given
"""
# Milliseconds: to the end of the rest, or until a second's worth is there.
_WAIT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'paused')
if held[3] and tonumber(held[3]) > now then return math.ceil(tonumber(held[3]) - now) end
if not held[1] then return 0 end
local rate = tonumber(ARGV[1])
local tokens = tonumber(held[1]) + math.max(0, now - tonumber(held[2] or now)) * rate / 1000
return math.ceil(math.max(0, math.max(1, math.min(tonumber(ARGV[2]), rate)) - tokens) * 1000 / rate)
"""
_PAUSE = """
local time = redis.call('TIME')
local until_ = time[1] * 1000 + time[2] / 1000 + tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'paused', tostring(until_))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[1]), tonumber(ARGV[2])) + 1000)
return 1
"""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    paused_until: float = 0.0


@dataclass(slots=True)
class Rates:
    """Of one process. `valkey` is for tests."""

    valkey: QuickValkey = field(default_factory=QuickValkey)
    _local: dict[str, _Bucket] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, *, rate: float, wanted: int) -> int:
        """How many of them may go now; 0: come back in a moment."""
        most = max(1.0, rate * BURST_SECONDS)
        given = self.valkey.ask(lambda client: int(client.eval(_TAKE, 1, _key(name), rate, most, wanted, FORGOTTEN_MS)))
        return self._take_here(name, rate=rate / SHARES, wanted=wanted) if given is None else given

    def wait(self, name: str, *, rate: float, wanted: int) -> float:
        """Seconds after which it makes sense to come back: the provider's rest, or what brings a handful."""
        found = self.valkey.ask(lambda client: int(client.eval(_WAIT, 1, _key(name), rate, wanted)))
        if found is not None:
            return found / 1000
        with self._guard:
            bucket = self._local.get(name)
        return max(1.0, bucket.paused_until - time.monotonic()) if bucket else 0.0

    def give_back(self, name: str, number: int) -> None:
        """What was taken and not used."""
        if number > 0 and self.valkey.ask(lambda client: client.hincrbyfloat(_key(name), "tokens", number)) is None:
            with self._guard:
                if name in self._local:
                    self._local[name].tokens += number

    def pause(self, name: str, *, seconds: float) -> None:
        """The provider asked for a rest."""
        milliseconds = int(seconds * 1000)
        if self.valkey.ask(lambda client: client.eval(_PAUSE, 1, _key(name), milliseconds, FORGOTTEN_MS)) is None:
            with self._guard:
                bucket = self._local.setdefault(name, _Bucket(0.0, time.monotonic()))
                bucket.paused_until = time.monotonic() + seconds

    def _take_here(self, name: str, *, rate: float, wanted: int) -> int:
        now = time.monotonic()
        most = max(1.0, rate * BURST_SECONDS)
        with self._guard:
            bucket = self._local.setdefault(name, _Bucket(most, now))
            if bucket.paused_until > now:
                return 0
            bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            given = min(wanted, int(bucket.tokens))
            bucket.tokens -= given
            return given


def _key(name: str) -> str:
    return f"messages:rate:{name}"


RATES = Rates()
