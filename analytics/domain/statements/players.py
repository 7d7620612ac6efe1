"""Which player a beat came from, and when a player is over: as far as the rows prove it, and no further. Pure."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

QUIET = timedelta(minutes=10)  # of a player that plays a beat comes every half a minute


@dataclass(frozen=True, slots=True)
class Opening:
    """A play session. `ended_at`: from when on no beat of it is taken: it was ended itself, or its device was."""

    id: uuid.UUID
    started_at: datetime
    media_seconds: int
    ended_at: datetime | None


def sender(at: datetime, *, clock: Iterable[tuple[datetime, datetime]], openings: Iterable[Opening]) -> Opening | None:
    """Whose beat came in `at`, where it can only have been one.

    A beat makes the clock of its record whole from the opening of its player on. So whoever was opened before the piece
    of the clock that holds `at` has sent nothing since the gap before it.
    """
    began = next((start for start, end in clock if start <= at <= end), None)
    if began is None:
        return None
    could = [one for one in openings if began <= one.started_at <= at and (one.ended_at is None or one.ended_at >= at)]
    return could[0] if len(could) == 1 else None


def over_at(player: Opening, *, last_beat_at: datetime, live_ended_at: datetime | None) -> datetime | None:
    """When it was over for certain. A live player shows the end some seconds late: its last beat may come after it."""
    ends = [] if player.ended_at is None else [player.ended_at]
    if live_ended_at is not None:
        ends.append(max(live_ended_at, last_beat_at))
    return min(ends, default=None)
