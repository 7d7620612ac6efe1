"""What a person has watched: the union of live and recorded coverage, in seconds of the recording."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from accounts.models import User
from core.ranges import Range, Ranges, intersect, seconds, union
from webinars.domain.resume import media_seconds, next_unseen, required_seconds, resume_point, unseen_seconds
from webinars.domain.timeline import Timeline
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar


@dataclass(frozen=True, slots=True)
class WatchSummary:
    """`length` and `required` are 0 while there is no recording. `reached` is for ever, whatever the video becomes.

    `coverage` ends where the recording ends: what was watched of a longer version before counts only up to there.
    """

    webinar_id: int
    coverage: Ranges
    seen: int
    required: int
    length: int
    position: float
    reached: bool
    last_beat_at: datetime | None

    @property
    def percent(self) -> int:
        """Of the whole recording, rounded down: 100 means every second."""
        return self.seen * 100 // self.length if self.length else 0

    @property
    def unseen(self) -> int:
        return unseen_seconds(self.coverage, length=self.length) if self.length else 0

    @property
    def needed(self) -> int:
        """Seconds still to watch until the lesson counts."""
        return 0 if self.reached else max(0, self.required - self.seen)

    @property
    def resume_at(self) -> float:
        """Where "continue" starts, in seconds of the recording."""
        return resume_point(position=self.position, coverage=self.coverage, length=self.length)

    @property
    def is_started(self) -> bool:
        return self.last_beat_at is not None


NOTHING_WATCHED = WatchSummary(0, (), 0, 0, 0, 0.0, reached=False, last_beat_at=None)


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """What the player and the resume bar need. `position` is where to continue, in seconds of the phase's timeline."""

    phase: Phase
    position: float
    coverage: Ranges
    duration: float
    seen: int
    required: int
    unseen: int
    next_unseen: Range | None


@dataclass(frozen=True, slots=True)
class _Row:
    phase: str
    coverage: Ranges
    position: float
    reached_at: datetime | None
    last_beat_at: datetime


def timeline_of(webinar_id: int) -> Timeline:
    """No webinar has a broadcast yet, so no live second maps to a recording."""
    return Timeline()


def watch_summary(*, user: User, webinar_ids: Collection[int]) -> dict[int, WatchSummary]:
    """One query for all of them; a webinar never watched is present with nothing seen."""
    found = summarise_each(Webinar.objects.filter(pk__in=webinar_ids), user_id=user.pk)
    return {summary.webinar_id: summary for summary, _ in found}


def summarise_each(
    webinars: QuerySet[Webinar], *, user_id: int | None, values: Sequence[str] = ()
) -> list[tuple[WatchSummary, tuple[Any, ...]]]:
    """What a person has watched of each, with more columns of the webinar from the same query.

    Without a person nothing is watched.
    """
    rows = webinars.annotate(
        record=FilteredRelation("watch_records", condition=Q(watch_records__user=user_id))
    ).values_list(
        "pk",
        "video__published_version",
        "video__duration_seconds",
        "completion_percent",
        "record__phase",
        "record__coverage",
        "record__position_seconds",
        "record__reached_at",
        "record__last_beat_at",
        *values,
    )
    known: dict[int, tuple[float | None, int, tuple[Any, ...]]] = {}
    records: dict[int, list[_Row]] = {}
    for pk, version, duration, percent, phase, coverage, position, reached_at, last_beat_at, *rest in rows:
        known[pk] = (duration if version else None, percent, tuple(rest))
        found = records.setdefault(pk, [])
        if phase is not None:
            found.append(_Row(phase, coverage, position, reached_at, last_beat_at))
    return [(_summarise(pk, duration, percent, records[pk]), rest) for pk, (duration, percent, rest) in known.items()]


def playback_state(*, webinar: Webinar, user: User) -> PlaybackState:
    """One query. The webinar must come with its video, as `rules.get_webinar_for` gives it."""
    rows = [
        _Row(one.phase, one.coverage, one.position_seconds, one.reached_at, one.last_beat_at)
        for one in WatchRecord.objects.filter(user=user, webinar=webinar)
    ]
    duration = webinar.video.duration_seconds if webinar.video and webinar.video.is_published else None
    summary = _summarise(webinar.pk, duration, webinar.completion_percent, rows)
    return PlaybackState(
        phase=Phase.ON_DEMAND,
        position=summary.resume_at,
        coverage=summary.coverage,
        duration=duration or 0.0,
        seen=summary.seen,
        required=summary.required,
        unseen=summary.unseen,
        next_unseen=next_unseen(summary.coverage, after=summary.position, length=summary.length),
    )


def _summarise(pk: int, duration: float | None, percent: int, rows: Iterable[_Row]) -> WatchSummary:
    """The latest record's position wins, whichever phase it is of."""
    timeline = timeline_of(pk)
    rows = sorted(rows, key=lambda row: row.last_beat_at)
    latest = rows[-1] if rows else None
    length = media_seconds(duration) if duration else 0
    coverage = intersect(union(*(_in_recording(row, timeline) for row in rows)), ((0, length),))
    position = 0.0
    if latest:
        position = timeline.to_recording(latest.position) if latest.phase == Phase.LIVE else latest.position
    return WatchSummary(
        webinar_id=pk,
        coverage=coverage,
        seen=seconds(coverage),
        required=required_seconds(length, percent) if length else 0,
        length=length,
        position=position,
        reached=any(row.reached_at for row in rows),
        last_beat_at=latest.last_beat_at if latest else None,
    )


def _in_recording(row: _Row, timeline: Timeline) -> Ranges:
    return timeline.ranges_to_recording(row.coverage) if row.phase == Phase.LIVE else row.coverage
