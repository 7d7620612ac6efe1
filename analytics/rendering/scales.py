"""Ticks of axes at round numbers, as many as there is room for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from analytics.rendering.data import Axis, ChartError, Scale
from analytics.rendering.text import width

MINUTE, HOUR, DAY = 60, 3600, 86_400
CLOCK = (
    1,
    2,
    5,
    10,
    15,
    20,
    30,
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 20, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
)
DAYS = tuple(DAY * n for n in (1, 2, 7, 14, 28, 56, 91, 182, 364))
# A tick every so many months from this many days on: from 28 days to 28 days nobody counts.
MONTHS = {28: 1, 56: 2, 91: 3, 182: 6, 364: 12}
MONDAY = 4 * DAY  # 5 January 1970
LABEL_GAP_PX = 14
MOST_TICKS = 500


def natural_steps(scale: Scale) -> Iterator[float]:
    """Rising without end."""
    if scale is Scale.CLOCK:
        yield from CLOCK
    if scale in {Scale.CLOCK, Scale.DAYS}:
        yield from DAYS
        yield from (DAYS[-1] * 2**n for n in range(1, 1000))
    power = 0 if scale is Scale.WHOLE else -9
    while True:
        for factor in (1, 2, 5) if scale is Scale.WHOLE else (1, 2, 2.5, 5):
            yield factor * 10.0**power
        power += 1


def step_of_at_least(least: float, scale: Scale) -> float:
    return next(step for step in natural_steps(scale) if step >= least * (1 - 1e-9))


def covering(low: float, high: float, scale: Scale, most: int = 5) -> list[float]:
    """Ticks from at or below `low` to at or above `high`, in at most about `most` intervals."""
    if high <= low:
        high = low + 1
    step = step_of_at_least((high - low) / most, scale)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [_tidy(n * step) for n in range(first, last + 1)]


def matching(low: float, high: float, scale: Scale, intervals: int) -> list[float]:
    """Ticks of a second axis that stand on the lines of the first one."""
    if high <= low:
        high = low + 1
    step = step_of_at_least((high - low) / intervals, scale)
    while math.floor(low / step + 1e-9) * step + intervals * step < high * (1 - 1e-12):
        step = step_of_at_least(step * 1.001, scale)
    first = math.floor(low / step + 1e-9)
    return [_tidy(n * step) for n in range(first, first + intervals + 1)]


def _tidy(value: float) -> float:
    return float(f"{value:.13g}")


@dataclass(frozen=True)
class Tick:
    """`share` of the width in per cent; `anchor` as SVG names it."""

    share: float
    text: str
    anchor: str


def fitting(low: float, high: float, axis: Axis, room: float, margin: float) -> list[Tick]:
    """Ticks inside whose labels leave `LABEL_GAP_PX` between them at `room` pixels, and the picture by no more than
    `margin`."""
    if high <= low:
        return [Tick(50, axis.write(low), "middle")]
    if not math.isfinite(high - low):
        raise ChartError(f"An axis from {low} to {high}")
    for step in natural_steps(axis.scale):
        if (high - low) / step > min(MOST_TICKS, room / LABEL_GAP_PX):
            continue
        values = [one - axis.offset for one in between(low + axis.offset, high + axis.offset, step, axis.scale)]
        if len(values) < 2:
            break
        ticks = [_placed(100 * (one - low) / (high - low), axis.write(one), room, margin) for one in values]
        if _are_apart(ticks, room):
            return ticks
    ends = [_placed(share, axis.write(value), room, margin) for share, value in ((0.0, low), (100.0, high))]
    return ends if _are_apart(ends, room) else ends[:1]


def between(low: float, high: float, step: float, scale: Scale) -> list[float]:
    """Multiples of `step` from `low` to `high`; for days Mondays, and first days of months or years."""
    is_calendar = scale in {Scale.CLOCK, Scale.DAYS} and step >= 7 * DAY
    if is_calendar and step >= 28 * DAY:
        return _first_days(low, high, MONTHS.get(round(step / DAY), 12 * max(1, round(step / (364 * DAY)))))
    base = MONDAY if is_calendar else 0
    first, last = math.ceil((low - base) / step - 1e-9), math.floor((high - base) / step + 1e-9)
    return [_tidy(base + n * step) for n in range(first, last + 1)]


def _first_days(low: float, high: float, months: int) -> list[float]:
    begin = datetime.fromtimestamp(low, UTC)
    month = (begin.year * 12 + begin.month - 1) // months * months
    found: list[float] = []
    while (at := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) <= high:
        found += [at] if at >= low else []
        month += months
    return found


def _placed(share: float, text: str, room: float, margin: float) -> Tick:
    at, half = share * room / 100, width(text) / 2
    if at - half < -margin:
        return Tick(share, text, "start")
    return Tick(share, text, "end" if at + half > room + margin else "middle")


def box_of(tick: Tick, room: float) -> tuple[float, float]:
    at, wide = tick.share * room / 100, width(tick.text)
    start = {"start": at, "middle": at - wide / 2, "end": at - wide}[tick.anchor]
    return start, start + wide


def _are_apart(ticks: Sequence[Tick], room: float) -> bool:
    boxes = [box_of(tick, room) for tick in ticks]
    return all(one[1] + LABEL_GAP_PX <= other[0] for one, other in pairwise(boxes))
