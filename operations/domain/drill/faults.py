"""The faults that a drill can inject: what a bad minute of production looks like, by the cluster's own means."""

from dataclasses import dataclass
from typing import Any

from operations.domain.drill.errors import DrillError


@dataclass(frozen=True)
class Fault:
    """`requests` go to the cluster one after the other; between two of them `pause` seconds pass."""

    name: str
    words: str
    requests: tuple[dict[str, Any], ...]
    pause: float = 0.0


@dataclass(frozen=True)
class Planned:
    fault: Fault
    at: float  # seconds from the begin


def _kill(name: str, words: str, *targets: str, signal: str = "KILL") -> Fault:
    return Fault(name, words, ({"do": "kill", "names": list(targets), "signal": signal},))


def _freeze(name: str, words: str, *targets: str, seconds: float) -> Fault:
    stop, go = ({"do": "kill", "names": list(targets), "signal": number} for number in ("STOP", "CONT"))
    return Fault(name, words, (stop, go), pause=seconds)


def _roll(name: str, words: str, *targets: str) -> Fault:
    return Fault(name, words, ({"do": "roll", "names": list(targets)},))


FAULTS = {
    fault.name: fault
    for fault in (
        _kill("web-kill", "one web replica dies without a word", "web.1"),
        _kill("realtime-kill", "one realtime replica dies with all its sockets", "realtime.1"),
        _kill("worker-kill", "one worker dies", "worker.1"),
        _kill("redis-restart", "Redis dies and starts again", "valkey"),
        _freeze("redis-pause", "Redis does not answer for 20 s", "valkey", seconds=20.0),
        _kill("postgres-restart", "PostgreSQL is stopped at once and recovers", "postgresql", signal="QUIT"),
        _freeze("postgres-pause", "PostgreSQL does not answer for 10 s", "postgresql", seconds=10.0),
        _kill("pooler-restart", "PgBouncer dies and starts again", "pgbouncer"),
        _kill("balancer-restart", "the balancer dies and starts again", "nginx"),
        _freeze("web-freeze", "one web replica hangs for 20 s", "web.1", seconds=20.0),
        _roll("web-roll", "all web replicas are restarted one by one, as at a release", "web"),
        _roll("realtime-roll", "all realtime replicas are restarted one by one, as at a release", "realtime"),
    )
}


def plan_faults(given: list[str], *, seconds: float) -> list[Planned]:
    """`name` or `name@minutes`. Those without a minute are spread evenly over the run, its ends left out."""
    wanted: list[tuple[Fault, float | None]] = []
    for text in given:
        name, at, minute = text.partition("@")
        if name not in FAULTS:
            raise DrillError(f"There is no fault {name}. There are: {', '.join(FAULTS)}.")
        wanted.append((FAULTS[name], _minute(minute, text) * 60 if at else None))
    free = [index for index, (_, at) in enumerate(wanted) if at is None]
    spread = {index: seconds * (place + 1) / (len(free) + 1) for place, index in enumerate(free)}
    planned = [Planned(fault, spread[index] if at is None else at) for index, (fault, at) in enumerate(wanted)]
    if late := [one.fault.name for one in planned if not 0 <= one.at < seconds]:
        raise DrillError(f"{', '.join(late)} would come after the end: the drill is {seconds / 60:g} minutes long.")
    return sorted(planned, key=lambda one: one.at)


def _minute(text: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DrillError(f"{whole}: a fault is given as name or name@minute, as in redis-restart@2.5.") from None
