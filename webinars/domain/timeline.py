"""The map from program time of a broadcast to time of its recording. Pure: no clock, no query.

Program time is in seconds since the broadcast's first segment. The recording is made from the very segments that were
broadcast, so every piece maps one to one; what lies between pieces was never recorded, or was cut out. The same map
with one piece leads from the uncut recording to a cut one.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.ranges import Ranges, normalise

Span = tuple[float, float]
ROUNDING_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Piece:
    """Program time `[start, end)` is recording time `[offset, offset + end - start)`."""

    start: float
    end: float
    offset: float

    @property
    def offset_end(self) -> float:
        return self.offset + (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Pieces in order, disjoint in both times. Without pieces there was no broadcast: nothing live maps anywhere.

    A recording may hold a moment that no piece names (program times that overlapped): it maps to what follows.
    """

    pieces: tuple[Piece, ...] = ()

    @classmethod
    def from_spans(cls, spans: Iterable[tuple[float, float, float]], *, cuts: Sequence[Span] = ()) -> "Timeline":
        """From `(program_start, program_end, recording_offset)` in playlist order, and cuts in uncut recording time.

        Trims of head and tail are cuts as well. Where program times overlap (a packager moved to a host with a slower
        clock) the earlier span keeps them: its viewers saw those seconds first. Zero-length spans vanish.
        """
        pieces: list[Piece] = []
        at = -math.inf
        for start, end, offset in spans:
            begin = max(start, at)
            if end > begin:
                pieces.append(Piece(begin, end, offset + (begin - start)))
                at = end
        return cls(tuple(_cut(pieces, _merge(cuts))))

    @property
    def recording_seconds(self) -> float:
        return self.pieces[-1].offset_end if self.pieces else 0.0

    def to_recording(self, point: float) -> float:
        """A time in a gap or a cut goes to the next piece, before the head to 0, after the end to the end."""
        for piece in self.pieces:
            if point < piece.start:
                return piece.offset
            if point < piece.end:
                return piece.offset + (point - piece.start)
        return self.recording_seconds

    def to_program(self, point: float) -> float:
        """The inverse, on the recording; outside it the nearest end."""
        for piece in self.pieces:
            if point < piece.offset_end:
                return piece.start + max(0.0, point - piece.offset)
        return self.pieces[-1].end if self.pieces else 0.0

    def ranges_to_recording(self, ranges: Ranges) -> Ranges:
        """Whole seconds, each boundary rounded half up by itself, so that ranges that touch still touch."""
        return _shift(ranges, [(piece.start, piece.end, piece.offset) for piece in self.pieces])

    def ranges_to_program(self, ranges: Ranges) -> Ranges:
        return _shift(ranges, [(piece.offset, piece.offset_end, piece.start) for piece in self.pieces])


def _shift(ranges: Ranges, moves: Sequence[tuple[float, float, float]]) -> Ranges:
    found = []
    for start, end in ranges:
        for low, high, target in moves:
            left, right = max(float(start), low), min(float(end), high)
            if left < right:
                found.append((_round(target + left - low), _round(target + right - low)))
    return normalise(found)


def _round(value: float) -> int:
    """Half up. Where one piece ends and the next begins at a half, the last digits of a float must not part them."""
    return math.floor(value + 0.5 + ROUNDING_NOISE)


def _merge(cuts: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(cuts):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _cut(pieces: Iterable[Piece], cuts: Sequence[Span]) -> list[Piece]:
    """Split the pieces at the cuts, drop what is cut, and move up what follows."""
    kept: list[Piece] = []
    for piece in pieces:
        for left, right in _remains(piece.offset, piece.offset_end, cuts):
            begin = piece.start + (left - piece.offset)
            end = begin + (right - left)
            if end > begin:  # a sliver may vanish in the floating point of a large program time
                kept.append(Piece(begin, end, left - _cut_before(left, cuts)))
    return kept


def _cut_before(point: float, cuts: Sequence[Span]) -> float:
    return sum(min(end, point) - start for start, end in cuts if start < point)


def _remains(start: float, end: float, cuts: Sequence[Span]) -> list[Span]:
    remains: list[Span] = []
    at = start
    for low, high in cuts:
        if high <= at or low >= end:
            continue
        if low > at:
            remains.append((at, low))
        at = max(at, high)
    if at < end:
        remains.append((at, end))
    return remains
