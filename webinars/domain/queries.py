"""What a person has watched: the union of live and recorded coverage, in seconds of the recording."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FilteredRelation, Q

from accounts.models import User
from core.ranges import Range, Ranges, seconds, union
from webinars.domain.resume import media_seconds, next_unseen, required_seconds, resume_point, unseen_seconds
from webinars.domain.timeline import Timeline
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar


@dataclass(frozen=True, slots=True)
class WatchSummary:
    """`length` and `required` are 0 while there is no recording. `reached` is for ever, whatever the video becomes."""

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
    def is_started(self) -> bool:
        return self.last_beat_at is not None


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
    rows = (
        Webinar.objects.filter(pk__in=webinar_ids)
        .annotate(record=FilteredRelation("watch_records", condition=Q(watch_records__user=user)))
        .values_list(
            "pk",
            "video__duration_seconds",
            "completion_percent",
            "record__phase",
            "record__coverage",
            "record__position_seconds",
            "record__reached_at",
            "record__last_beat_at",
        )
    )
    lengths: dict[int, tuple[float | None, int]] = {}
    records: dict[int, list[_Row]] = {}
    for pk, duration, percent, phase, *rest in rows:
        lengths[pk] = (duration, percent)
        found = records.setdefault(pk, [])
        if phase is not None:
            found.append(_Row(phase, *rest))
    return {pk: _summarise(pk, *lengths[pk], records[pk]) for pk in lengths}


def playback_state(*, webinar: Webinar, user: User) -> PlaybackState:
    """One query. The webinar must come with its video, as `rules.get_webinar_for` gives it."""
    rows = [
        _Row(one.phase, one.coverage, one.position_seconds, one.reached_at, one.last_beat_at)
        for one in WatchRecord.objects.filter(user=user, webinar=webinar)
    ]
    duration = webinar.video.duration_seconds if webinar.video else None
    summary = _summarise(webinar.pk, duration, webinar.completion_percent, rows)
    return PlaybackState(
        phase=Phase.ON_DEMAND,
        position=resume_point(position=summary.position, coverage=summary.coverage, length=summary.length),
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
    coverage = union(*(_in_recording(row, timeline) for row in rows))
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
