"""Time at lectures on the wall clock, of which as much counts as was watched."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from core.db import Interval


class Stretch(NamedTuple):
    """From `start` until `end` somebody had a lecture open, and was at it for this `share` of the time."""

    start: datetime
    end: datetime
    share: float = 1.0


def stretches_of(clock: Iterable[Interval], *, seen_seconds: int) -> list[Stretch]:
    """Of one watch record, without empty pieces. Its clock runs from the opening of the player to its latest beat, and
    nothing says when it stood still in between: so what was seen is spread evenly over all of it.
    """
    pieces = [(start, end) for start, end in clock if end > start]
    length = sum((end - start).total_seconds() for start, end in pieces)
    return [Stretch(start, end, min(1.0, seen_seconds / length)) for start, end in pieces]


def at_once(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order, none over another: two devices at once are one person, who has no more time than there is."""
    edges = [edge for one in stretches for edge in ((one.start, one.share, 1), (one.end, -one.share, -1))]
    found: list[Stretch] = []
    open_pieces, share, since = 0, 0.0, None
    for at, steps in groupby(sorted(edges), key=lambda edge: edge[0]):
        if open_pieces and since:
            found.append(Stretch(since, at, min(1.0, max(0.0, share))))
        for _, step, number in steps:
            open_pieces += number
            share = share + step if open_pieces else 0.0
        since = at
    return found
