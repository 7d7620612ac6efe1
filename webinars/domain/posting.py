"""Beats that come by HTTP: a page that closes, a line without WebSockets, what an earlier visit could not deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.ranges import intersect, seconds
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
    """Within the length the session was opened with, and like an ack: on demand, what was seen live counts as well."""
    play = PlaySession.objects.filter(pk=session, user=user_id, webinar=webinar_id).first()
    if play is None:
        return 0, False
    record = WatchRecord.objects.filter(user=user_id, webinar=webinar_id, phase=play.phase).first()
    if record is None:
        return 0, False
    if not play.shown:
        seen = min(record.seen_seconds, play.media_seconds)
    else:
        seen = seconds(intersect((*record.coverage, *(play.carried or ())), play.shown))
    return seen, record.reached_at is not None
