"""Signs of life of what nobody can ask: beat and workers leave them in Valkey, `/metrics` and the checkup read them.

Workers send no heartbeats (`docs/operating.md`). Every time is Valkey's own, because the clocks of the replicas differ.
What Valkey lost is there again within seconds.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

NEVER = math.inf  # no sign since Valkey was emptied
ALIVE_SECONDS = 60.0  # six of the workers' looks
SENT_AT = "sent_at"  # header of a message
_BEAT = "{signs}:beat"
_SECONDS = "local time = redis.call('TIME') local now = time[1] + time[2] / 1000000"
_TICKED = f"{_SECONDS} redis.call('SET', KEYS[1], now)"
_LIVED = f"""{_SECONDS}
for number = 1, #KEYS, 2 do
    redis.call('ZADD', KEYS[number], now, ARGV[1])
    redis.call('ZREMRANGEBYSCORE', KEYS[number], '-inf', now - 86400)
    if ARGV[2] == '1' then redis.call('SET', KEYS[number + 1], now) end
end"""


@dataclass(frozen=True, slots=True)
class Queue:
    waiting: int  # tasks that no worker has taken yet
    oldest_seconds: float  # 0: none waits
    workers: int  # heard of within ALIVE_SECONDS
    silent_seconds: float  # since the newest sign of a worker
    taken_seconds: float  # since one of them took a task


@dataclass(frozen=True, slots=True)
class Signs:
    beat_seconds: float  # since the active beat went through its schedule
    queues: dict[str, Queue]


def leave_of_beat(client: Redis) -> None:
    """Raises redis.RedisError."""
    client.eval(_TICKED, 1, _BEAT)


def leave_of_worker(client: Redis, *, name: str, queues: Sequence[str], took: bool) -> None:
    """`took`: it took a task since its sign before. Raises redis.RedisError."""
    keys = [key for queue in queues for key in (_workers(queue), _taken(queue))]
    client.eval(_LIVED, len(keys), *keys, name, int(took))


def read(client: Redis, *, queues: Sequence[str]) -> Signs:
    """Raises redis.RedisError."""
    (seconds, microseconds), beat = client.time(), client.get(_BEAT)
    now = seconds + microseconds / 1e6
    return Signs(_age(beat, now), {name: _read_queue(client, name, now) for name in queues})


def stamp(headers: dict[str, Any]) -> None:
    """By the sender's clock. Anew when a task is sent again: it has not waited since the first time."""
    headers[SENT_AT] = time.time()


def _read_queue(client: Redis, name: str, now: float) -> Queue:
    asked = client.pipeline(transaction=False)
    asked.llen(name)
    asked.lindex(name, -1)  # they are taken from this end
    asked.zcount(_workers(name), now - ALIVE_SECONDS, "+inf")
    asked.zrange(_workers(name), -1, -1, withscores=True)
    asked.get(_taken(name))
    waiting, oldest, workers, newest, taken = asked.execute()
    silent = _age(newest[0][1] if newest else None, now)
    return Queue(int(waiting), _waited(oldest, now), int(workers), silent, _age(taken, now))


def _age(at: bytes | str | float | None, now: float) -> float:
    return NEVER if at is None else max(0.0, now - float(at))


def _waited(message: bytes | None, now: float) -> float:
    """0 also for one that says nothing of it: a release before this one sent it."""
    if message is None:
        return 0.0
    try:
        return max(0.0, now - float(json.loads(message)["headers"][SENT_AT]))
    except (ValueError, KeyError, TypeError):
        return 0.0


def _workers(queue: str) -> str:
    return f"{{signs}}:workers:{queue}"


def _taken(queue: str) -> str:
    return f"{{signs}}:taken:{queue}"
