"""This drill beside the one before. Small differences are noise; those beyond it are called better or worse."""

from dataclasses import dataclass
from enum import StrEnum

from operations.domain.drill.record import Record, name_of

NOISE_PART = 0.20  # p95 of the same code on the same machine varies by so much from run to run …
NOISE_MS = 25.0  # … and by so much where everything is fast


class Trend(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True)
class Change:
    name: str
    unit: str
    before: float | None
    now: float | None
    trend: Trend


@dataclass(frozen=True)
class Comparison:
    """`unlike` says what makes the two drills different in themselves, so that nobody reads too much into a trend."""

    with_drill: str
    began_at: str
    unlike: tuple[str, ...]
    changes: tuple[Change, ...]


def compare(before: Record, now: Record, *, name: str) -> Comparison:
    changes = [
        _change(f"{label}, p95", "ms", _p95(before, key), _p95(now, key), noise=NOISE_MS)
        for key, label in _operations(before, now)
    ]
    changes += [
        _change("Errors", "", before.errors_of_all, now.errors_of_all, noise=0.0),
        _change("Turned away for a moment", "", before.shed_of_all, now.shed_of_all, noise=_some(before)),
        _change("Acknowledged and lost", "", before.lost, now.lost, noise=0.0, part=0.0),
        _change("CPU, mean of all processes", "% of a core", _cpu(before), _cpu(now), noise=5.0),
        _change("Memory, highest", "MiB", _memory(before), _memory(now), noise=32.0),
        _change("Waiting for locks, highest", "", _waiting(before), _waiting(now), noise=5.0),
    ]
    return Comparison(name, before.began_at, tuple(_unlike(before, now)), tuple(changes))


def trend_of(before: float | None, now: float | None, *, noise: float, part: float = NOISE_PART) -> Trend:
    """Less is better, for everything that is compared here."""
    if before is None or now is None or abs(now - before) <= max(noise, part * before):
        return Trend.SAME
    return Trend.WORSE if now > before else Trend.BETTER


def _change(
    name: str, unit: str, before: float | None, now: float | None, *, noise: float, part: float = NOISE_PART
) -> Change:
    return Change(name, unit, before, now, trend_of(before, now, noise=noise, part=part))


def _operations(before: Record, now: Record) -> list[tuple[str, str]]:
    both = [one.name for one in now.operations if before.operation(one.name)]
    return [(name, name_of(name)) for name in both]


def _p95(record: Record, name: str) -> float | None:
    found = record.operation(name)
    return found.p95 if found and found.ok else None


def _some(record: Record) -> float:
    return max(5.0, record.doctors / 100)


def _cpu(record: Record) -> float | None:
    totals = [sum(moment.cpu.values()) for moment in record.moments if moment.cpu]
    return round(sum(totals) / len(totals), 1) if totals else None


def _memory(record: Record) -> float | None:
    totals = [sum(moment.memory.values()) for moment in record.moments if moment.memory]
    return round(max(totals) / 1_048_576, 1) if totals else None


def _waiting(record: Record) -> float | None:
    return max((m.locks_waiting for m in record.moments if m.locks_waiting is not None), default=None)


def _unlike(before: Record, now: Record) -> list[str]:
    pairs = [
        ("webinar", before.webinar_id, now.webinar_id),
        ("multiple", f"{before.multiple}×", f"{now.multiple}×"),
        ("minutes", f"{before.minutes:g}", f"{now.minutes:g}"),
        ("doctors", f"{before.doctors:,}", f"{now.doctors:,}"),
        ("audience", before.audience, now.audience),
        ("at the door", f"{before.at_door:,}", f"{now.at_door:,}"),
        ("by a link", f"{before.by_link:,}", f"{now.by_link:,}"),
        ("machine", _machine(before), _machine(now)),
        ("replicas", _counts(before), _counts(now)),
        ("faults", _faults(before), _faults(now)),
    ]
    return [f"{name}: {then} then, {today} now" for name, then, today in pairs if then != today]


def _machine(record: Record) -> str:
    return f"{record.machine.get('cores', '?')} cores"


def _counts(record: Record) -> str:
    return ", ".join(f"{count} {tier}" for tier, count in record.replicas.items() if count) or "none of its own"


def _faults(record: Record) -> str:
    return ", ".join(fault.name for fault in record.faults) or "none"
