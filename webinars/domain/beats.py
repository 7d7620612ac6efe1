"""What a player sends, and what becomes of it. Read here once for the WebSocket and for HTTP."""

import math
from typing import Any, NamedTuple

from webinars.enums import Refusal

MAX_SPANS = 50
MAX_NUMBER = 2**53  # a browser's largest exact integer
MAX_SECONDS = 1_000_000  # far beyond any recording, and inside int4


class BeatError(Exception):
    """A beat that cannot be credited, whatever the database says."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Beat(NamedTuple):
    """A readable beat. Only `read_beat` makes one: `ranges` goes to PostgreSQL as a multirange literal, unchecked."""

    user_id: int
    webinar_id: int
    session: str
    number: int
    ranges: str
    position: float


class BeatResult(NamedTuple):
    """`refusal` is empty when the beat was credited in full. `seen` and `done` are None where no record was touched."""

    refusal: Refusal | None
    seen: int | None
    done: bool | None


def read_number(raw: Any) -> int | None:
    """The beat's own number, or None when even that is unreadable (then the answer can name no beat)."""
    number = raw.get("n") if type(raw) is dict else None
    return number if type(number) is int and 0 <= number <= MAX_NUMBER else None


def read_beat(raw: Any, *, user_id: int, webinar_id: int, session: str) -> Beat:
    """Check a decoded JSON beat. `session` must be a well-formed UUID already.

    Both ends of a span are rounded half up, so contiguous spans tile whole seconds exactly however they are cut.
    Overlapping, unsorted and empty spans are fine: PostgreSQL normalises a multirange. Python's `json` reads NaN and
    Infinity, which is why every number is compared in a way that a NaN fails.
    """
    number = read_number(raw)
    if number is None:
        raise BeatError(Refusal.MALFORMED)
    position, spans = raw.get("p"), raw.get("s")
    if type(spans) is not list or len(spans) > MAX_SPANS:
        raise BeatError(Refusal.MALFORMED)
    parts = [_read_span(span) for span in spans]
    _check_number(position)
    if not 0 <= position <= MAX_SECONDS:
        raise BeatError(Refusal.OUTSIDE_MEDIA)
    return Beat(user_id, webinar_id, session, number, "{" + ",".join(parts) + "}", position)


def _read_span(span: Any) -> str:
    if type(span) is not list or len(span) != 2:
        raise BeatError(Refusal.MALFORMED)
    start, end = span
    _check_number(start)
    _check_number(end)
    if not start <= end:
        raise BeatError(Refusal.MALFORMED)
    if start < 0 or end > MAX_SECONDS:
        raise BeatError(Refusal.OUTSIDE_MEDIA)
    return f"[{math.floor(start + 0.5)},{math.floor(end + 0.5)})"


def _check_number(value: Any) -> None:
    """An int or a finite float; a bool is an int to Python but not to the protocol."""
    kind = type(value)
    if kind is not int and (kind is not float or not math.isfinite(value)):
        raise BeatError(Refusal.MALFORMED)
