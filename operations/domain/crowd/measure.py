"""What a crowd met: histograms and counts that several processes make and one adds up."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PRECISION = 1.02  # a bucket is two per cent wide
_STEP = math.log(PRECISION)
SHORTEST = 1e-5  # seconds; anything below is counted as this
JOIN, SPOT, MAIL = "join", "spot", "mail"
WHOLES = frozenset({JOIN, SPOT})  # operations that repeat what others count: left out of sums


class Histogram:
    """Durations in buckets that widen with them: every quantile is right to a per cent, in some hundred numbers."""

    __slots__ = ("buckets", "count", "longest", "total")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        index = int(math.log(max(seconds, SHORTEST) / SHORTEST) / _STEP)
        self.buckets[index] = self.buckets.get(index, 0) + 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def merge(self, other: "Histogram") -> None:
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)

    def quantile(self, share: float) -> float:
        """Seconds that `share` of all stayed within; 0 where there was none."""
        wanted, seen = math.ceil(self.count * share), 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= max(1, wanted):
                return min(self.longest, SHORTEST * math.exp(_STEP * (index + 0.5)))
        return 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def to_dict(self) -> dict[str, Any]:
        buckets = {str(index): count for index, count in sorted(self.buckets.items())}
        return {"buckets": buckets, "count": self.count, "total": self.total, "longest": self.longest}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Histogram":
        made = cls()
        made.buckets = {int(index): count for index, count in raw["buckets"].items()}
        made.count, made.total, made.longest = raw["count"], raw["total"], raw["longest"]
        return made


@dataclass(slots=True)
class Operation:
    """One kind of thing that doctors do. `failed` by kind: "500", "timeout", "reset" …

    `shed` are answers 503 with Retry-After, which was obeyed: no failure. `unknown` are those whose answer was lost
    after the request had gone: they may have happened or not.
    """

    ok: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    shed: int = 0
    unknown: int = 0
    latency: Histogram = field(default_factory=Histogram)  # of those that were ok

    @property
    def errors(self) -> int:
        return sum(self.failed.values()) + self.unknown

    def merge(self, other: "Operation") -> None:
        self.ok += other.ok
        self.failed += other.failed
        self.shed += other.shed
        self.unknown += other.unknown
        self.latency.merge(other.latency)

    def to_dict(self) -> dict[str, Any]:
        plain = {"ok": self.ok, "failed": dict(self.failed), "shed": self.shed, "unknown": self.unknown}
        return {**plain, "latency": self.latency.to_dict()}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "Operation":
        latency = Histogram.from_dict(raw["latency"])
        return cls(raw["ok"], Counter(raw["failed"]), raw["shed"], raw["unknown"], latency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How it stands, about once a second. `elapsed` seconds since the first arrival was due."""

    elapsed: float
    arrived: int = 0
    joined: int = 0  # have come as far as playing, ever
    watching: int = 0  # now, with their socket open
    ok: int = 0
    failed: int = 0
    shed: int = 0
    unknown: int = 0
    late_seconds: float = 0.0  # how far the generator itself was behind, at worst: above 0.5 it is the bottleneck
    latencies: dict[str, dict[str, int]] = field(default_factory=dict)  # buckets so far, of pages and joins

    def __add__(self, other: "Progress") -> "Progress":
        added = {name: getattr(self, name) + getattr(other, name) for name in _ADDED}
        late = max(self.late_seconds, other.late_seconds)
        both = {
            name: dict(Counter(self.latencies.get(name, {})) + Counter(other.latencies.get(name, {})))
            for name in self.latencies.keys() | other.latencies.keys()
        }
        elapsed = max(self.elapsed, other.elapsed)
        return Progress(elapsed=elapsed, late_seconds=late, latencies=both, **added)

    def quantile_since(self, before: "Progress", name: str, share: float) -> float | None:
        """Seconds, of what happened between the two; None where nothing did."""
        then = before.latencies.get(name, {})
        counts = {int(index): count - then.get(index, 0) for index, count in self.latencies.get(name, {}).items()}
        between = Histogram()
        between.buckets = {index: count for index, count in counts.items() if count > 0}
        between.count, between.longest = sum(between.buckets.values()), math.inf
        return between.quantile(share) if between.count else None


_ADDED = ("arrived", "joined", "watching", "ok", "failed", "shed", "unknown")


@dataclass(slots=True, kw_only=True)
class CrowdReport:
    """All processes together. Operations: `page` (home and webinar), `join` (see `doctor`), and the parts below it."""

    seconds: float = 0.0
    arrived: int = 0
    joined: int = 0
    most_watching: int = 0
    operations: dict[str, Operation] = field(default_factory=dict)
    course: list[Progress] = field(default_factory=list)  # second by second
    failures: list[str] = field(default_factory=list)  # the first ones in words
    generator_cpu_seconds: float = 0.0
    late_seconds: float = 0.0
    journals: list[str] = field(default_factory=list)  # files for `verify`

    def operation(self, name: str) -> Operation:
        return self.operations.get(name) or Operation()

    @property
    def errors(self) -> int:
        """Failed and unknown of all kinds; what repeats those of its parts is left out."""
        return sum(one.errors for name, one in self.operations.items() if name not in WHOLES)

    @property
    def shed(self) -> int:
        return sum(one.shed for name, one in self.operations.items() if name not in WHOLES)

    def merge(self, other: "CrowdReport") -> None:
        """Of another process of the same crowd. The course is added up by whoever heard both."""
        self.seconds = max(self.seconds, other.seconds)
        self.arrived += other.arrived
        self.joined += other.joined
        self.most_watching += other.most_watching
        for name, one in other.operations.items():
            self.operations.setdefault(name, Operation()).merge(one)
        self.failures = [*self.failures, *other.failures][:MOST_FAILURES]
        self.generator_cpu_seconds += other.generator_cpu_seconds
        self.late_seconds = max(self.late_seconds, other.late_seconds)
        self.journals += other.journals

    def to_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in _PLAIN}
        operations = {name: one.to_dict() for name, one in self.operations.items()}
        return {**plain, "operations": operations, "course": [asdict(one) for one in self.course]}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "CrowdReport":
        operations = {name: Operation.from_dict(one) for name, one in raw["operations"].items()}
        course = [Progress(**one) for one in raw["course"]]
        return cls(**{name: raw[name] for name in _PLAIN}, operations=operations, course=course)


_PLAIN = (
    "seconds", "arrived", "joined", "most_watching", "failures", "generator_cpu_seconds", "late_seconds", "journals",
)  # fmt: skip
MOST_FAILURES = 50


def merged(reports: Iterable[CrowdReport]) -> CrowdReport:
    whole = CrowdReport()
    for one in reports:
        whole.merge(one)
    return whole
