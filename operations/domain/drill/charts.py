"""Charts as plain geometry for inline SVG: lines only. Words and figures stand around them, as HTML, for phones too."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from operations.domain.drill.record import Moment, Record

WIDTH, HEIGHT = 1_000, 300
MOST_POINTS = 240
MOST_SERIES = 10  # as many as there are tones in the style sheet
# A kind of process has the same tone in all charts.
TONES = {
    "web": 0, "nginx": 1, "realtime": 2, "postgresql": 3, "worker": 4, "drill": 5, "valkey": 6, "pgbouncer": 7,
    "beat": 8, "whole machine": 9,
}  # fmt: skip
Value = float | None


@dataclass(frozen=True)
class Line:
    """`tone` is its colour and its dash: who sees no colours tells them apart too."""

    name: str
    tone: int
    paths: tuple[str, ...]  # points of polylines; a gap is where nothing could be asked
    mean: str
    highest: str


@dataclass(frozen=True)
class Band:
    """A fault, from its begin to the recovery."""

    x: float
    width: float
    name: str


@dataclass(frozen=True)
class Chart:
    title: str
    unit: str
    about: str
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    limits: tuple[tuple[float, str], ...]  # (y, words)
    ticks: tuple[tuple[float, str], ...]  # (percent from the top, words)
    times: tuple[str, ...]


@dataclass(frozen=True)
class Drawing:
    """What the charts of one drill have in common."""

    record: Record
    moments: tuple[Moment, ...]
    end: float

    @classmethod
    def of(cls, record: Record) -> "Drawing":
        moments = thinned(record.moments)
        return cls(record, moments, max([moment.at for moment in moments], default=1.0) or 1.0)

    def chart(
        self,
        title: str,
        unit: str,
        about: str,
        series: Mapping[str, Sequence[Value]],
        *,
        limits: Mapping[str, float] | None = None,
    ) -> Chart:
        shown = _largest(series)
        known = [value for values in shown.values() for value in values if value is not None]
        given = limits or {}
        highest = max(known, default=0.0)
        # A limit far above what was measured would press the lines flat: then only its words are shown.
        top = nice_top(max([highest, *(limit for limit in given.values() if limit <= 2.5 * highest)], default=1.0))
        lines = tuple(
            Line(name, TONES.get(name, number), self._paths(values, top), *_figures(values))
            for number, (name, values) in enumerate(shown.items())
        )
        return Chart(
            title,
            unit,
            about,
            lines,
            self._bands(),
            tuple((HEIGHT - HEIGHT * limit / top, name) for name, limit in given.items() if limit <= top),
            tuple((percent, figure(top * (100 - percent) / 100)) for percent in (0.0, 50.0, 100.0)),
            tuple(clock(self.end * part) for part in (0.0, 0.5, 1.0)),
        )

    def _paths(self, values: Sequence[Value], top: float) -> tuple[str, ...]:
        pieces: list[list[str]] = [[]]
        for moment, value in zip(self.moments, values, strict=True):
            if value is not None:
                pieces[-1].append(f"{WIDTH * moment.at / self.end:.1f},{HEIGHT - HEIGHT * min(value, top) / top:.1f}")
            elif pieces[-1]:
                pieces.append([])
        # A point alone is drawn as a line to itself: round ends make it a dot.
        return tuple(" ".join(piece if len(piece) > 1 else piece * 2) for piece in pieces if piece)

    def _bands(self) -> tuple[Band, ...]:
        found = []
        for fault in self.record.faults:
            until = self.end if fault.recovered_at is None else fault.recovered_at
            begin, end = (WIDTH * min(at, self.end) / self.end for at in (fault.at, until))
            found.append(Band(round(begin, 1), round(max(4.0, end - begin), 1), fault.name))
        return tuple(found)

    def of_each(self, get: Callable[[Moment], Mapping[str, float]], scale: float = 1.0) -> dict[str, list[Value]]:
        """What was not there in a look that was answered is 0: a process that died, a state that nobody was in."""
        names = sorted({name for moment in self.moments for name in get(moment)})
        looks = [get(moment) for moment in self.moments]
        return {name: [look.get(name, 0) * scale if look else None for look in looks] for name in names}

    def values(self, get: Callable[[Moment], Value]) -> list[Value]:
        return [get(moment) for moment in self.moments]

    def rates(self, get: Callable[[Moment], int]) -> list[Value]:
        """A second, between one look and the next."""
        found: list[Value] = []
        before = Moment(at=0.0)
        for moment in self.moments:
            passed = moment.at - before.at
            found.append(round((get(moment) - get(before)) / passed, 2) if passed > 0 else None)
            before = moment
        return found


def charts_of_doctors(record: Record, *, page_limit: float, join_limit: float) -> list[Chart]:
    drawing = Drawing.of(record)
    return [
        drawing.chart(
            "Doctors",
            "",
            "Who has come so far, and who is here with the room open.",
            {"came": drawing.values(lambda m: m.arrived), "here": drawing.values(lambda m: m.sockets)},
        ),
        drawing.chart(
            "Waiting",
            "ms, p95",
            "Of every look: pages, and the whole way from the first click to playing.",
            {"page": drawing.values(lambda m: m.page_p95), "join": drawing.values(lambda m: m.join_p95)},
            limits={"limit for pages": page_limit, "limit for joining": join_limit},
        ),
        drawing.chart(
            "Asked and answered",
            "a second",
            "Everything doctors sent: requests and messages on sockets.",
            {
                "answers": drawing.rates(lambda m: m.requests),
                "errors": drawing.rates(lambda m: m.errors),
                "turned away for a moment": drawing.rates(lambda m: m.sheds),
            },
        ),
    ]


def charts_of_machine(record: Record) -> list[Chart]:
    drawing = Drawing.of(record)
    cores = int(record.machine.get("cores") or 1)
    kinds = "By kind of process."
    cpu = drawing.of_each(lambda m: m.cpu)
    cpu |= {"whole machine": [None if m.busy is None else m.busy * cores for m in drawing.moments]}
    memory = drawing.of_each(lambda m: m.memory, 1 / 1_048_576)
    sessions = drawing.of_each(lambda m: m.sessions)
    locks = {"held": drawing.values(lambda m: m.locks), "waited for": drawing.values(lambda m: m.locks_waiting)}
    found = [
        drawing.chart("CPU", "% of one core", f"{kinds} This machine has {cores} cores.", cpu),
        drawing.chart("Memory", "MiB", f"Resident. {kinds} What several share counts for each.", memory),
        drawing.chart("Threads", "", kinds, drawing.of_each(lambda m: m.threads)),
        drawing.chart("Connections", "", "Open to the port of each kind.", drawing.of_each(lambda m: m.connections)),
        drawing.chart("Sessions of PostgreSQL", "", "By state. In a gap it did not answer.", sessions),
        drawing.chart("Locks in PostgreSQL", "", "In all sessions.", locks),
    ]
    return [chart for chart in found if any(line.paths for line in chart.lines)]


def thinned(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    step = max(1, math.ceil(len(moments) / MOST_POINTS))
    return tuple(moments[::step])


def nice_top(highest: float) -> float:
    """The next 1, 2, 3, 5 or 8 of its power of ten: the axis ends on a figure that can be read."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 2, 3, 5, 8, 10, 20) if step * power >= highest * 1.03)


def figure(value: float) -> str:
    if value >= 100_000:
        return f"{value / 1000:,.0f} k"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _largest(series: Mapping[str, Sequence[Value]]) -> dict[str, Sequence[Value]]:
    """In their order, but never more than there are tones: the smallest are left out."""
    if len(series) <= MOST_SERIES:
        return dict(series)
    highest = {name: max((v for v in values if v is not None), default=0.0) for name, values in series.items()}
    kept = sorted(highest, key=lambda name: -highest[name])[:MOST_SERIES]
    return {name: values for name, values in series.items() if name in kept}


def _figures(values: Sequence[Value]) -> tuple[str, str]:
    known = [value for value in values if value is not None]
    return (figure(sum(known) / len(known)), figure(max(known))) if known else ("–", "–")
