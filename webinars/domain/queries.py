"""What a person has watched: the union of live and recorded coverage, in seconds of the recording as it is shown."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FilteredRelation, Q, QuerySet

from accounts.models import User
from core.prepared import Prepared
from core.ranges import Range, Ranges, intersect, seconds
from webinars.domain.resume import media_seconds, next_unseen, required_seconds, resume_point, unseen_seconds
from webinars.domain.timelines import RecordingMap, on_air
from webinars.enums import Phase
from webinars.models import Webinar


@dataclass(frozen=True, slots=True)
class WatchSummary:
    """`length` and `required` are 0 while there is no recording. `reached` is for ever, whatever the video becomes.

    `live_seconds` is what was watched live, whether or not the recording shows it; `live_position` in program time.

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
    live_seconds: int = 0
    live_position: float = 0.0
    live_coverage: Ranges = ()

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


NOBODY = 0
NOTHING_WATCHED = WatchSummary(0, (), 0, 0, 0, 0.0, reached=False, last_beat_at=None)


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """What the player and the resume bar need. `position` is where to continue, in seconds of the phase's timeline.

    While it is live that is program time, and nobody can say yet how long it will be: `duration` and `required` are 0.
    """

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


def watch_summary(*, user: User, webinar_ids: Collection[int]) -> dict[int, WatchSummary]:
    """One query for all of them; a webinar never watched is present with nothing seen."""
    if not webinar_ids:
        return {}
    found = summarise_each(_watched.rows(webinars=list(webinar_ids), user=user.pk))
    return {summary.webinar_id: summary for summary, _ in found}


def watched_rows(webinars: QuerySet[Webinar], *values: str, user: int) -> QuerySet[Any, tuple[Any, ...]]:
    """For `summarise_each`, with more columns of the webinar. NOBODY has watched nothing."""
    return webinars.annotate(
        record=FilteredRelation("watch_records", condition=Q(watch_records__user=user))
    ).values_list(
        "pk",
        "video__published_version",
        "video__duration_seconds",
        "completion_percent",
        on_air(),
        "record__phase",
        "record__coverage",
        "record__position_seconds",
        "record__reached_at",
        "record__last_beat_at",
        *values,
    )


_watched = Prepared[tuple[Any, ...]](
    lambda webinars, user: watched_rows(Webinar.objects.filter(pk__in=webinars), user=user)
)
_playing = Prepared[tuple[Any, ...]](
    lambda webinar, user: watched_rows(Webinar.objects.filter(pk=webinar), "video__duration_seconds", user=user)
)


def summarise_each(rows: Iterable[tuple[Any, ...]]) -> list[tuple[WatchSummary, tuple[Any, ...]]]:
    """What a person has watched of each webinar, from `watched_rows`, and the columns that were asked for besides."""
    known: dict[int, tuple[float | None, int, Any, tuple[Any, ...]]] = {}
    records: dict[int, list[_Row]] = {}
    for pk, version, duration, percent, edition, phase, coverage, position, reached_at, last_beat_at, *rest in rows:
        known[pk] = (duration if version else None, percent, edition, tuple(rest))
        found = records.setdefault(pk, [])
        if phase is not None:
            found.append(_Row(phase, coverage, position, reached_at, last_beat_at))
    return [
        (_summarise(pk, duration, percent, RecordingMap.read(edition) if edition else None, records[pk]), rest)
        for pk, (duration, percent, edition, rest) in known.items()
    ]


def playback_state(*, webinar: Webinar, user: User) -> PlaybackState:
    """One query."""
    ((summary, (duration,)),) = summarise_each(_playing.rows(webinar=webinar.pk, user=user.pk))
    if webinar.live_at is not None and webinar.ended_at is None:
        return PlaybackState(
            phase=Phase.LIVE,
            position=summary.live_position,
            coverage=summary.live_coverage,
            duration=0.0,
            seen=summary.live_seconds,
            required=0,
            unseen=0,
            next_unseen=None,
        )
    return PlaybackState(
        phase=Phase.ON_DEMAND,
        position=summary.resume_at,
        coverage=summary.coverage,
        duration=duration if summary.length else 0.0,
        seen=summary.seen,
        required=summary.required,
        unseen=summary.unseen,
        next_unseen=next_unseen(summary.coverage, after=summary.position, length=summary.length),
    )


def _summarise(
    pk: int, duration: float | None, percent: int, edition: RecordingMap | None, rows: Iterable[_Row]
) -> WatchSummary:
    """The latest record's position wins, whichever phase it is of. At most one record a phase."""
    by_phase = {row.phase: row for row in rows}
    live, recorded = by_phase.get(Phase.LIVE), by_phase.get(Phase.ON_DEMAND)
    latest = max(by_phase.values(), key=lambda row: row.last_beat_at, default=None)
    coverage = recorded.coverage if recorded else ()
    length = media_seconds(duration) if duration else 0
    if edition is not None:
        length = min(length, seconds(edition.shown(duration or 0.0)))
        coverage = edition.seen(live=live.coverage if live else (), uncut=coverage)
    coverage = intersect(coverage, ((0, length),))
    return WatchSummary(
        webinar_id=pk,
        coverage=coverage,
        seen=seconds(coverage),
        required=required_seconds(length, percent) if length else 0,
        length=length,
        position=_position(latest, edition),
        reached=any(row.reached_at for row in by_phase.values()),
        last_beat_at=latest.last_beat_at if latest else None,
        live_seconds=seconds(live.coverage) if live else 0,
        live_position=live.position if live else 0.0,
        live_coverage=live.coverage if live else (),
    )


def _position(latest: _Row | None, edition: RecordingMap | None) -> float:
    """In seconds of what is shown. Live positions of a broadcast that has no recording yet are nowhere in it."""
    if latest is None:
        return 0.0
    if edition is None:
        return 0.0 if latest.phase == Phase.LIVE else latest.position
    timeline = edition.program_to_shown if latest.phase == Phase.LIVE else edition.uncut_to_shown
    return timeline.to_recording(latest.position)
