"""Where to go on, and what is still unseen. Pure arithmetic on whole seconds of the recording."""

import math

from core.ranges import Range, Ranges, gaps, seconds

# Nobody is sent back for less: a second lost at a seek is no part of a lecture.
SMALLEST_GAP_SECONDS = 2
# Closer to the end than this, "continue" would show the last slide and stop.
END_SECONDS = 5.0


def media_seconds(duration_seconds: float) -> int:
    """A measured duration as whole seconds, rounded like the spans of beats, so that the last second can be reached."""
    return max(1, math.floor(duration_seconds + 0.5))


def required_seconds(length: int, percent: int) -> int:
    """Unique seconds that complete a lesson, rounded up: 90 % of 10 minutes and 1 second is 541 s."""
    return max(1, -(-length * percent // 100))


def unseen_parts(coverage: Ranges, *, length: int) -> Ranges:
    return tuple(
        (start, end) for start, end in gaps(coverage, until=length) if end - start >= min(SMALLEST_GAP_SECONDS, length)
    )


def unseen_seconds(coverage: Ranges, *, length: int) -> int:
    return seconds(unseen_parts(coverage, length=length))


def next_unseen(coverage: Ranges, *, after: float, length: int) -> Range | None:
    """The part to jump to: the first that begins at or behind `after`, else the first of all."""
    parts = unseen_parts(coverage, length=length)
    return next((part for part in parts if part[0] >= after), parts[0] if parts else None)


def resume_point(*, position: float, coverage: Ranges, length: int) -> float:
    """The very position, not rounded. At the end: the first unseen part, and the beginning when there is none."""
    if 0 <= position < length - END_SECONDS:
        return position
    part = next_unseen(coverage, after=0, length=length)
    return float(part[0]) if part else 0.0
