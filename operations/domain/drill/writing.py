"""From what was seen to the record: the crowd's report, the looks at the processes, and what is to be said of them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from operations.domain.crowd.measure import CrowdReport, Progress
from operations.domain.crowd.verify import Verdict
from operations.domain.drill.record import ErrorKind, Injected, Moment, Operation, Record
from operations.domain.drill.sampling import Look

MOST_EXAMPLES = 5
LONGEST_EXAMPLE = 180  # a page of an error begins like every other
LATE_SECONDS = 0.5  # from here on the load generator is slower than the doctors it plays
BUSY_PERCENT = 90.0  # of the whole machine, for a quarter of the time


@dataclass(frozen=True)
class Facts:
    report: CrowdReport
    verdict: Verdict
    looks: tuple[Look, ...]
    unanswered: int
    injected: tuple[Injected, ...]
    told: tuple[str, ...]
    target: str
    replicas: Mapping[str, int]
    kept_back: int
    machine: dict[str, Any]
    unfinished: str


class Wished(Protocol):
    @property
    def webinar_id(self) -> int: ...
    @property
    def multiple(self) -> int: ...
    @property
    def minutes(self) -> float: ...
    @property
    def seed(self) -> int: ...


def make_record(wishes: Wished, scene: Mapping[str, Any], facts: Facts, *, title: str, now: datetime) -> Record:
    report, verdict = facts.report, facts.verdict
    moments = tuple(moments_of(facts.looks, report.course))
    return Record(
        webinar_id=wishes.webinar_id,
        title=title,
        began_at=now.isoformat(timespec="seconds"),
        seconds=round(max([one.elapsed for one in report.course], default=report.seconds), 1),
        multiple=wishes.multiple,
        minutes=wishes.minutes,
        seed=wishes.seed,
        audience=scene["kind"],
        doctors=len(scene["members"]),
        came=report.arrived,
        countries=dict(scene["countries"]),
        target=facts.target,
        machine=facts.machine,
        replicas={tier: count for tier, count in facts.replicas.items() if count},
        operations=tuple(operations_of(report)),
        moments=moments,
        errors=tuple(errors_of(report)),
        faults=facts.injected,
        lost=verdict.lost + verdict.unexpected,
        lost_examples=tuple(verdict.examples[:MOST_EXAMPLES]),
        acknowledged=verdict.acked_beats + verdict.ok_questions + verdict.ok_votes + verdict.ok_spots,
        saturated_by=saturation(moments, cores=int(facts.machine.get("cores") or 1), late=report.late_seconds),
        told=facts.told,
        unmeasured=tuple(_unmeasured(facts)),
        kept_back=facts.kept_back,
        unfinished=facts.unfinished,
        at_door=sum(bool(one["door"]) for one in scene["members"]),
        by_link=sum(bool(one["link_token"]) for one in scene["members"]),
    )


def operations_of(report: CrowdReport) -> list[Operation]:
    """What takes part in a visit first, then by how often it happened."""
    found = []
    for name, one in report.operations.items():
        failed, latency = sum(one.failed.values()), one.latency
        p50, p95, p99 = (round(latency.quantile(share) * 1000, 1) for share in (0.5, 0.95, 0.99))
        count = one.ok + failed + one.shed + one.unknown
        longest = round(latency.longest * 1000, 1)
        found.append(Operation(name, count, one.ok, failed, one.shed, one.unknown, p50, p95, p99, longest))
    order = {"page": 0, "join": 1, "spot": 2}
    return sorted(found, key=lambda one: (order.get(one.name, 3), -one.count, one.name))


def errors_of(report: CrowdReport) -> list[ErrorKind]:
    """The most frequent first. A failed join is told by its parts, unless it has none: then nobody would hear of it."""
    kinds: dict[str, int] = {}
    for name, one in report.operations.items():
        for kind, count in one.failed.items():
            kinds[f"{name}: {kind}"] = count
        if one.unknown:
            kinds[f"{name}: unknown"] = one.unknown
    return [
        ErrorKind(
            kind, count, tuple(line[:LONGEST_EXAMPLE] for line in report.failures if f" {kind}" in line)[:MOST_EXAMPLES]
        )
        for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]


def moments_of(looks: Sequence[Look], course: Sequence[Progress]) -> list[Moment]:
    """Each look at the processes with what the crowd had met by then."""
    times = [one.elapsed for one in course]
    found, before = [], 0
    for look in looks:
        if look.at < 0:
            continue
        index = bisect_right(times, look.at)
        known = course[index - 1] if index else Progress(elapsed=0.0)
        earlier = course[before - 1] if before else Progress(elapsed=0.0)
        found.append(
            Moment(
                at=round(look.at, 1),
                arrived=known.arrived,
                sockets=known.watching,
                requests=known.ok + known.failed + known.shed + known.unknown,
                errors=known.failed + known.unknown,
                sheds=known.shed,
                page_p95=_p95_between(earlier, known, "page"),
                join_p95=_p95_between(earlier, known, "join"),
                busy=look.busy,
                cpu=look.cpu,
                memory=look.memory,
                threads=look.threads,
                connections=look.connections,
                sessions=look.sessions,
                locks=look.locks,
                locks_waiting=look.locks_waiting,
            )
        )
        before = index
    return found


def _p95_between(before: Progress, after: Progress, name: str) -> float | None:
    found = after.quantile_since(before, name, 0.95)
    return None if found is None else round(found * 1000, 1)


def saturation(moments: Sequence[Moment], *, cores: int, late: float) -> str:
    """What was the first to be full, in words."""
    if late > LATE_SECONDS:
        return f"the load generator itself: it was up to {late:.1f} s late. The site may bear more than this shows"
    busy = [moment.busy for moment in moments if moment.busy is not None]
    if busy and sorted(busy)[len(busy) * 3 // 4] >= BUSY_PERCENT:
        by_tier: dict[str, float] = {}
        for moment in moments:
            for tier, percent in moment.cpu.items():
                by_tier[tier] = by_tier.get(tier, 0.0) + percent
        first = max(by_tier, key=lambda tier: by_tier[tier])
        used = sum(busy) * cores
        share, own = 100 * by_tier[first] / used, 100 * sum(by_tier.values()) / used
        others = f", {100 - own:.0f} % to programs that are no part of the drill" if own < 80 else ""
        return f"the CPU of this machine; {share:.0f} % of what was used went to {first}{others}"
    if any((moment.locks_waiting or 0) >= 20 for moment in moments):
        return "locks in the database"
    return "nothing"


def _unmeasured(facts: Facts) -> list[str]:
    lines = []
    if facts.unanswered:
        lines.append(f"The database did not answer {facts.unanswered} of {len(facts.looks)} looks at its sessions.")
    if not facts.looks:
        lines.append("Nobody looked at CPU, memory and locks.")
    return lines
