"""Sets of whole seconds, as sorted, disjoint, half-open ranges.

`Ranges` is what an `int4multirange` column holds: `((0, 30), (45, 60))` is the seconds 0–29 and 45–59.
The functions are pure; the database does the same arithmetic with `+` and `*` on multiranges.
"""

import math
from collections.abc import Iterable

Range = tuple[int, int]
Ranges = tuple[Range, ...]


def normalise(ranges: Iterable[Range]) -> Ranges:
    """Sort, merge what overlaps or touches, and drop what is empty."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def union(*many: Iterable[Range]) -> Ranges:
    return normalise(pair for ranges in many for pair in ranges)


def intersect(left: Iterable[Range], right: Iterable[Range]) -> Ranges:
    found = []
    others = normalise(right)
    for start, end in normalise(left):
        for other_start, other_end in others:
            if other_start >= end:
                break
            found.append((max(start, other_start), min(end, other_end)))
    return normalise(found)


def gaps(ranges: Iterable[Range], *, until: int) -> Ranges:
    """The seconds of `[0, until)` that are in none of the ranges."""
    missing = []
    at = 0
    for start, end in normalise(ranges):
        if start >= until:
            break
        missing.append((at, start))
        at = end
    missing.append((at, until))
    return normalise(missing)


def seconds(ranges: Iterable[Range]) -> int:
    return sum(end - start for start, end in normalise(ranges))


def from_spans(spans: Iterable[tuple[float, float]]) -> Ranges:
    """Played spans in seconds become whole seconds, both ends rounded half up.

    Rounding each boundary by itself makes contiguous spans tile exactly: `[0, 30.4)` and `[30.4, 60)` give
    `[0, 30)` and `[30, 60)`, so nothing is lost or counted twice however a player cuts its beats.
    """
    return normalise((math.floor(start + 0.5), math.floor(end + 0.5)) for start, end in spans)
