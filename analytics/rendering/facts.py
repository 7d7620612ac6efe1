"""What one sees in a picture, as numbers: the highest, the lowest, the sharpest drop. Sentences are made
elsewhere."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analytics.rendering.data import FunnelStep, Series

Known = tuple[float, float]
CLASSES = 5


@dataclass(frozen=True)
class Fall:
    """From `before` to `after`, two points of the curve."""

    before: Known
    after: Known

    @property
    def size(self) -> float:
        return self.before[1] - self.after[1]


@dataclass(frozen=True)
class CurveFacts:
    first: Known
    last: Known
    highest: Known  # the first one, where several are as high
    lowest: Known
    sharpest: Fall | None  # None: nowhere down


def curve_facts(series: Series, window: float | None = None) -> CurveFacts | None:
    """None without a known point. A drop is looked for within `window` of x, by default a thirtieth of the whole:
    between two seconds hardly anything ever falls, and over an hour everything does."""
    points = series.known
    if not points:
        return None
    reach = (points[-1][0] - points[0][0]) / 60 if window is None else window
    return CurveFacts(
        first=points[0],
        last=points[-1],
        highest=max(points, key=lambda point: point[1]),
        lowest=min(points, key=lambda point: point[1]),
        sharpest=sharpest_fall(series, reach),
    )


def sharpest_fall(series: Series, reach: float) -> Fall | None:
    """The greatest fall between two points at most `reach` apart (neighbours always count); never across a gap.
    Linear: the highest of the window stands first in a queue that only falls."""
    best: Fall | None = None
    tops: deque[Known] = deque()
    before: Known | None = None
    for x, y in series.points:
        if y is None:
            tops.clear()
            before = None
            continue
        while tops and tops[0][0] < x - reach:
            tops.popleft()
        top = max((one for one in (tops[0] if tops else None, before) if one), key=lambda one: one[1], default=None)
        if top and top[1] > y and (best is None or top[1] - y > best.size):
            best = Fall(top, (x, y))
        while tops and tops[-1][1] < y:
            tops.pop()
        tops.append((x, y))
        before = (x, y)
    return best


def value_at(series: Series, x: float) -> float | None:
    """The height of the curve as it is drawn; None beside it and in gaps."""
    points = series.points
    index = bisect_right(points, x, key=lambda point: point[0]) - 1
    if index < 0 or (index == len(points) - 1 and points[index][0] < x):
        return None
    (x0, y0) = points[index]
    if y0 is None or x0 == x or series.is_step:
        return y0
    (x1, y1) = points[index + 1]
    return None if y1 is None else y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def even_bounds(values: Sequence[float]) -> list[float]:
    """Upper ends of up to five classes of the same size, from 0 to the highest: for what differs little."""
    top = max(values, default=0)
    if top <= 0:
        return []
    bounds = [top * n / CLASSES for n in range(1, CLASSES + 1)]
    return [*sorted({_round_up(one) for one in bounds[:-1] if _round_up(one) < top}), top]


def skewed_bounds(values: Sequence[float]) -> list[float]:
    """Upper ends of up to five classes, each a multiple of the one before: for countries, where one has 5,310 and
    another 12."""
    positive = [value for value in values if value > 0]
    if not positive:
        return []
    low, top = min(positive), max(positive)
    factor = (top / low) ** (1 / CLASSES)
    bounds = [_round_up(low * factor**n) for n in range(1, CLASSES)]
    return [*sorted({one for one in bounds if one < top}), top]


def class_of(value: float, bounds: Sequence[float]) -> int:
    """0 for nothing, else 1 … 5; the highest class is always 5, also when there are fewer."""
    if value <= 0 or not bounds:
        return 0
    index = next((n for n, bound in enumerate(bounds) if value <= bound), len(bounds) - 1)
    return CLASSES - len(bounds) + index + 1


def _round_up(value: float) -> float:
    """To one digit or to 1.5, 2.5: a bound that can be read in a legend."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        float(f"{factor * power:.10g}")
        for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
        if value <= factor * power * (1 + 1e-9)
    )


@dataclass(frozen=True)
class Loss:
    """`people` were lost between two steps, `share` of those who had come to the first of them."""

    before: FunnelStep
    after: FunnelStep
    people: float
    share: float


def losses(steps: Sequence[FunnelStep]) -> list[Loss | None]:
    """One for every step but the first; None where a number is not shown, nobody came, or more came than before."""
    found: list[Loss | None] = []
    for before, after in pairwise(steps):
        if before.value and after.value is not None and after.value <= before.value:
            people = before.value - after.value
            found.append(Loss(before, after, people, people / before.value))
        else:
            found.append(None)
    return found
