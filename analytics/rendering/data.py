"""What charts are made of: plain numbers, and labels that are text of users until `clean` had them.

A number that is none (NaN, ±∞) is refused here, before anything is drawn: in a picture it would be a hole that nobody
can explain. A value that is not known, or that may not be shown because too few people stand behind it, is `None`.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

Point = tuple[float, float | None]
Write = Callable[[float], str]
# Marks that turn the direction of what follows them: in a label of its own they can only do harm.
ISOLATES = frozenset("\u2066\u2067\u2068\u2069")
TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | ISOLATES


class ChartError(ValueError):
    """What cannot be drawn truthfully."""


def finite(value: float | None, what: str) -> None:
    if value is not None and not math.isfinite(value):
        raise ChartError(f"{what}: {value} is no number")


def amount(value: float | None, what: str) -> None:
    """Of people or things: there is no bar for less than nothing."""
    finite(value, what)
    if value is not None and value < 0:
        raise ChartError(f"{what}: {value} is less than nothing")


def clean(text: object, kept: frozenset[str] = frozenset()) -> str:
    """One line without control characters but those `kept`; a plain `str`, so that it is escaped whatever it was."""
    text = str(text)
    if text.isprintable():  # neither control characters nor marks of direction, and nearly always so
        return " ".join(text.split())
    line = (" " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in text)
    return " ".join("".join(one for one in line if one not in TURNS - kept and not _is_half(one)).split())


def _is_half(one: str) -> bool:
    """Half of a surrogate pair: no UTF-8 can carry it."""
    return "\ud800" <= one <= "\udfff"


@dataclass(frozen=True)
class Caption:
    """`key` is unique on its page and makes the ids; `summary` says in words what one sees; `heading` is the level of
    the title, 0 where the page says it already (a screen reader still hears it)."""

    key: str
    title: str
    summary: str = ""
    heading: int = 2


class Scale(StrEnum):
    """Which distances between two ticks are natural."""

    WHOLE = "whole"  # 1, 2, 5, 10 …: people do not come in halves
    DECIMAL = "decimal"  # also 0.25
    CLOCK = "clock"  # seconds: 10 s, 1 min, 5 min, 1 h, 1 day
    DAYS = "days"  # seconds: days and weeks


@dataclass(frozen=True)
class Axis:
    """`low` and `high` fix an end; `offset` is what to add to a moment for local wall time, so that ticks are full
    hours there."""

    write: Write
    scale: Scale = Scale.WHOLE
    title: str = ""
    low: float | None = None
    high: float | None = None
    offset: float = 0

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            finite(end, self.title)


@dataclass(frozen=True)
class Series:
    """`points` with rising x; y `None` leaves a gap. `is_step`: a value holds until the next point, as counts of
    people do."""

    label: str
    points: Sequence[Point]
    on_second_axis: bool = False
    is_step: bool = False
    is_area: bool = False

    def __post_init__(self) -> None:
        before = -math.inf
        for x, y in self.points:
            finite(x, self.label)
            finite(y, self.label)
            if x <= before:
                raise ChartError(f"{self.label}: {x} comes after {before}")
            before = x

    @property
    def known(self) -> list[tuple[float, float]]:
        return [(x, y) for x, y in self.points if y is not None]


class MarkKind(StrEnum):
    """What stands on a timeline. The order is that of the rows under the curve."""

    CHAPTER = "chapter"
    SLIDE = "slide"
    POLL = "poll"
    QUESTION = "question"
    REPLAY = "replay"
    NOTE = "note"


@dataclass(frozen=True)
class Mark:
    """Something at `at` on the x axis. `weight` > 0 asks for a numbered pin on the curve; the heaviest get one.
    `note` is said after the label where there is room: "9% left"."""

    at: float
    label: str
    kind: MarkKind = MarkKind.NOTE
    weight: float = 0
    note: str = ""

    def __post_init__(self) -> None:
        finite(self.at, self.label)
        finite(self.weight, self.label)


@dataclass(frozen=True)
class Bar:
    """`value` None: not shown, `note` says why. `url` makes the label a link."""

    label: str
    value: float | None
    note: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        amount(self.value, self.label)


@dataclass(frozen=True)
class Stack:
    """One dimension: how many gave each answer, from the lowest to the highest (for Likert 1 … 5: five counts).
    `mean` None is worked out with answers 1, 2 …; `history` are the means of earlier lectures, oldest first; `notes`
    stand beside the mean."""

    label: str
    counts: Sequence[float] | None
    mean: float | None = None
    history: Sequence[float] = ()
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for value in (*(self.counts or ()), self.mean, *self.history):
            amount(value, self.label)

    @property
    def total(self) -> float:
        return sum(self.counts or ())

    @property
    def average(self) -> float | None:
        if self.mean is not None:
            return self.mean
        if not self.total:
            return None
        return sum(answer * count for answer, count in enumerate(self.counts or (), start=1)) / self.total


@dataclass(frozen=True)
class Bin:
    """Values from `low` (included) to `high` (not)."""

    low: float
    high: float
    count: float | None

    def __post_init__(self) -> None:
        for value in (self.low, self.high):
            finite(value, "bin")
        amount(self.count, "bin")
        if self.high <= self.low:
            raise ChartError(f"A bin from {self.low} to {self.high}")


@dataclass(frozen=True)
class FunnelStep:
    """`value` people came so far. `url` and `url_label`: what can be done for those lost on the way here."""

    label: str
    value: float | None
    url: str = ""
    url_label: str = ""

    def __post_init__(self) -> None:
        amount(self.value, self.label)


def is_empty(series: Iterable[Series]) -> bool:
    return not any(one.known for one in series)
