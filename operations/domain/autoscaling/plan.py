"""From events to steps: at these moments each tier gets these limits. Pure; nothing here asks AWS or the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from operations.domain.autoscaling.calendar import Event
from operations.domain.autoscaling.tiers import Tier
from operations.domain.capacity.inputs import ELASTIC, SHAPES, Assumptions, Audience, Costs
from operations.domain.capacity.report import markdown
from operations.domain.capacity.sizing import elastic_replicas

BEFORE, AFTER = timedelta(minutes=45), timedelta(minutes=30)
ALARM_BEFORE = timedelta(minutes=30)

# Doctors at once → replicas by tier.
Replicas = Callable[[int], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From `at` on. `because` are the events that begin or end then."""

    at: datetime
    doctors: int
    limits: Mapping[str, Limits]
    because: tuple[Event, ...]


def replicas_by_model(costs: Costs, given: Assumptions) -> Replicas:
    return lambda doctors: elastic_replicas(Audience(doctors=doctors), costs, given)


def limits_at(
    at: datetime,
    events: Sequence[Event],
    tiers: Sequence[Tier],
    replicas: Replicas,
    *,
    before: timedelta = BEFORE,
    after: timedelta = AFTER,
) -> tuple[int, dict[str, Limits]]:
    """Doctors and limits by tier. Overlapping webinars are added up as one audience."""
    doctors = sum(event.doctors for event in events if event.starts_at - before <= at < event.ends_at + after)
    needed = replicas(doctors) if doctors else {}
    found = {}
    for tier in tiers:
        low = max(tier.low, needed.get(tier.name, 0))
        found[tier.name] = Limits(low=low, high=tier.high if low == tier.low else max(tier.high, 2 * low))
    return doctors, found


def steps_of(events: Sequence[Event], tiers: Sequence[Tier], replicas: Replicas, *, now: datetime) -> list[Step]:
    """The first is now; then every moment at which limits change."""
    moments: dict[datetime, list[Event]] = {now: []}
    for event in events:
        for moment in (event.starts_at - BEFORE, event.ends_at + AFTER):
            if moment > now:
                moments.setdefault(moment, []).append(event)
    steps: list[Step] = []
    for moment in sorted(moments):
        doctors, limits = limits_at(moment, events, tiers, replicas)
        if not steps or limits != steps[-1].limits:
            steps.append(Step(at=moment, doctors=doctors, limits=limits, because=tuple(moments[moment])))
    return steps


def most_connections(steps: Sequence[Step]) -> int:
    """To PostgreSQL, when every tier has grown to its upper limit; the others as they stand."""
    others = sum(shape.standing * shape.connections for name, shape in SHAPES.items() if name not in ELASTIC)
    grown = [sum(one.high * SHAPES[name].connections for name, one in step.limits.items()) for step in steps]
    return others + max(grown, default=0)


def table(steps: Sequence[Step], tiers: Sequence[Tier]) -> list[str]:
    head = ["from (UTC)", "in the programme's zone", "doctors", *(tier.name for tier in tiers), "webinars"]
    return markdown(head, [_row(step, tiers) for step in steps])


def _row(step: Step, tiers: Sequence[Tier]) -> list[str]:
    zones = dict.fromkeys(event.timezone for event in step.because)
    local = ", ".join(f"{step.at.astimezone(ZoneInfo(zone)):%d %b %H:%M} {zone}" for zone in zones)
    limits = [step.limits[tier.name] for tier in tiers]
    titles = ", ".join(event.title for event in step.because) or "now"
    counts = [f"{one.low:,} to {one.high:,}" for one in limits]
    return [f"{step.at.astimezone(UTC):%Y-%m-%d %H:%M}", local or "–", f"{step.doctors:,}", *counts, titles]
