"""Beats that come by HTTP: a page that closes, a line without WebSockets, what an earlier visit could not deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Subquery

from webinars.domain.beats import Beat, BeatError, read_beat, read_number
from webinars.domain.watching import record_beats
from webinars.enums import Refusal
from webinars.models import PlaySession, WatchRecord


@dataclass(frozen=True, slots=True)
class RefusedBeat:
    """`n` is None for something so malformed that it has no number."""

    n: int | None
    reason: Refusal

    @property
    def detail(self) -> str:
        return str(self.reason.label)


@dataclass(frozen=True, slots=True)
class Posted:
    acked: tuple[int, ...]
    refused: tuple[RefusedBeat, ...]
    seen: int
    done: bool


def post_beats(*, user_id: int, webinar_id: int, session: UUID, raw_beats: Sequence[Any], now: datetime) -> Posted:
    """Each beat is judged by itself. `seen` and `done` are of the session's phase, also when nothing was credited."""
    beats: list[Beat] = []
    refused: list[RefusedBeat] = []
    for raw in raw_beats:
        try:
            beats.append(read_beat(raw, user_id=user_id, webinar_id=webinar_id, session=str(session)))
        except BeatError as error:
            refused.append(RefusedBeat(read_number(raw), error.refusal))
    acked = []
    for beat, result in zip(beats, record_beats(beats, now=now), strict=True):
        if result.refusal is None:
            acked.append(beat.number)
        else:
            refused.append(RefusedBeat(beat.number, result.refusal))
    seen, done = _figures(user_id=user_id, webinar_id=webinar_id, session=session)
    return Posted(tuple(acked), tuple(refused), seen, done)


def _figures(*, user_id: int, webinar_id: int, session: UUID) -> tuple[int, bool]:
    """Within the length the session was opened with: a longer version may have been watched before."""
    play = PlaySession.objects.filter(pk=session, user=user_id)
    row = (
        WatchRecord.objects.filter(user=user_id, webinar=webinar_id, phase__in=play.values("phase"))
        .annotate(length=Subquery(play.values("media_seconds")))
        .values_list("seen_seconds", "length", "reached_at")
        .first()
    )
    return (min(row[0], row[1]), row[2] is not None) if row else (0, False)
