"""The moments that doctors played again, found on the curve of replays."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analytics.domain.retention import Curve

LEAST_PEOPLE = 3
MOST_MOMENTS = 5
APART_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of the axis. `people`, the most, are at `at`; within `[start, end)` there are half as many or more."""

    start: int
    end: int
    at: int
    people: int


def moments_of(curve: Curve) -> tuple[Moment, ...]:
    """The most replayed first; none that fewer than three played again, nor a quarter of those at the first one.

    The highest second (the earliest of several) and all around it down to half as many is a moment. Then the same again
    with what is more than a minute away from all moments before.
    """
    parts = [(start, end, people) for (start, people), (end, _) in pairwise(curve.steps)]
    found: list[Moment] = []
    while parts and len(found) < MOST_MOMENTS:
        top = max(range(len(parts)), key=lambda place: parts[place][2])
        most = parts[top][2]
        if most < LEAST_PEOPLE or (found and most * 4 < found[0].people):
            break
        moment = _around(parts, top)
        found.append(moment)
        parts = _without(parts, moment.start - APART_SECONDS, moment.end + APART_SECONDS)
    return tuple(found)


def _around(parts: Sequence[tuple[int, int, int]], top: int) -> Moment:
    """Only over what touches: where a moment was taken out the curve ends."""
    low = high = top
    most = parts[top][2]
    while low > 0 and parts[low - 1][1] == parts[low][0] and parts[low - 1][2] * 2 >= most:
        low -= 1
    while high + 1 < len(parts) and parts[high + 1][0] == parts[high][1] and parts[high + 1][2] * 2 >= most:
        high += 1
    return Moment(parts[low][0], parts[high][1], parts[top][0], most)


def _without(parts: Sequence[tuple[int, int, int]], low: int, high: int) -> list[tuple[int, int, int]]:
    """What lies outside [low, high)."""
    left = [(start, min(end, low), people) for start, end, people in parts if start < low]
    right = [(max(start, high), end, people) for start, end, people in parts if end > high]
    return [*left, *right]
