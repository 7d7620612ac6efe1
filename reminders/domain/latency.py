"""How long providers take, for Prometheus: counted in Valkey, for workers have no page of their own to be asked.

Whoever shows it (`operations.domain.gauges`) reads it back. After Valkey was emptied it begins anew, as a counter may.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from redis import Redis

from core.valkey import QuickValkey

BUCKETS = (0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, math.inf)
_KEY = "messages:calls"
_VALKEY = QuickValkey()


@dataclass(slots=True)
class Calls:
    """Of one provider and channel. `by_bucket` is not cumulative, in the order of BUCKETS."""

    seconds: float = 0.0
    messages: int = 0
    by_bucket: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))


def note(*, transport: str, channel: str, seconds: float, messages: int) -> None:
    """One call with so many messages. Nothing waits for it, and nothing fails by it."""
    place = next(number for number, most in enumerate(BUCKETS) if seconds <= most)

    def write(client: Redis) -> None:
        pipeline = client.pipeline(transaction=False)
        pipeline.hincrbyfloat(_KEY, f"{transport}:{channel}:seconds", seconds)
        pipeline.hincrby(_KEY, f"{transport}:{channel}:messages", messages)
        pipeline.hincrby(_KEY, f"{transport}:{channel}:{place}", 1)
        pipeline.execute()

    _VALKEY.ask(write)


def read(client: Redis) -> dict[tuple[str, str], Calls]:
    """By name of the transport and channel. Raises redis.RedisError."""
    found: dict[tuple[str, str], Calls] = defaultdict(Calls)
    for name, value in client.hgetall(_KEY).items():
        transport, channel, what = (name.decode() if isinstance(name, bytes) else name).split(":")
        calls = found[transport, channel]
        if what == "seconds":
            calls.seconds = float(value)
        elif what == "messages":
            calls.messages = int(value)
        else:
            calls.by_bucket[int(what)] = int(value)
    return dict(found)
