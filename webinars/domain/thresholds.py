"""Who has watched enough when the threshold falls under what they have seen: no beat of theirs will come to say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from core.ranges import intersect, seconds
from webinars.domain.resume import media_seconds, required_seconds
from webinars.domain.timelines import RecordingMap, on_air, recording_map
from webinars.enums import Phase
from webinars.models import PlaySession, WatchRecord, Webinar

# Rows are locked in the order of the group commit, so that the two wait for each other instead of deadlocking.
_REACH = """
WITH wanted AS (
    SELECT * FROM unnest(%s::int8[], %s::int4[], %s::int4[]) AS n (webinar_id, length, required)
), due AS (
    SELECT r.id, n.required
    FROM webinars_watchrecord r JOIN wanted n ON n.webinar_id = r.webinar_id
    WHERE r.phase = %s AND r.reached_at IS NULL AND (
        SELECT coalesce(sum(upper(s) - lower(s)), 0)
        FROM unnest(r.coverage * int4multirange(int4range(0, n.length))) AS s
    ) >= n.required
    ORDER BY r.user_id, r.webinar_id, r.phase
    FOR UPDATE OF r
)
UPDATE webinars_watchrecord r SET reached_at = %s, required_seconds = due.required FROM due WHERE r.id = due.id
"""


# Marks the given records, in the same order.
_MARK = """
WITH due AS (
    SELECT r.id FROM webinars_watchrecord r WHERE r.id = ANY(%s::int8[]) AND r.reached_at IS NULL
    ORDER BY r.user_id, r.webinar_id, r.phase
    FOR UPDATE OF r
)
UPDATE webinars_watchrecord r SET reached_at = %s, required_seconds = %s FROM due WHERE r.id = due.id
"""


# Players keep what was not acknowledged for some weeks at most.
LATEST_BEATS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Goal:
    webinar: Webinar
    edition: RecordingMap | None
    length: int

    @property
    def required(self) -> int:
        return required_seconds(self.length, self.webinar.completion_percent)


@transaction.atomic
def apply_threshold(webinars: Iterable[Webinar], *, now: datetime) -> int:
    """Marks the records that hold enough of the recording as it is now. Returns how many; `settle` completes them.

    Players that are open on this very length follow as well; nobody's goal ever rises. Select the video with it.
    """
    published = [one for one in webinars if one.video and one.video.is_published]
    return _apply([_goal(one, recording_map(one)) for one in published], now=now)


def apply_new_lengths(*, now: datetime) -> int:
    """Videos are published by an app that knows no webinars, so the sweep looks for lengths it has not seen yet."""
    webinars = Webinar.objects.exclude(video=None).exclude(video__published_version="").select_related("video")
    goals = [_goal(one, _read(one.edition)) for one in webinars.annotate(edition=on_air())]
    with transaction.atomic():
        return _apply([one for one in goals if one.length != one.webinar.counted_seconds], now=now)


def apply_late_beats(*, since: datetime, now: datetime) -> int:
    """Live seconds that a device delivered when the recording was there already. No live beat completes anything."""
    late = WatchRecord.objects.filter(
        webinar=OuterRef("pk"), phase=Phase.LIVE, reached_at=None, last_beat_at__gte=since
    )
    lately = Webinar.objects.filter(ended_at__gt=since - LATEST_BEATS, counted_seconds__gt=0)
    return apply_threshold(lately.filter(Exists(late)).select_related("video"), now=now)


def _apply(goals: Sequence[_Goal], *, now: datetime) -> int:
    plain = [one for one in goals if one.edition is None]
    reached = 0
    if plain:
        columns = zip(*((one.webinar.pk, one.length, one.required) for one in plain), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_REACH, [*map(list, columns), Phase.ON_DEMAND, now])
            reached = int(cursor.rowcount)
    for one in goals:
        if one.edition is not None:
            reached += _mark_union(one, one.edition, now=now)
        playing = PlaySession.objects.filter(
            webinar=one.webinar,
            phase=Phase.ON_DEMAND,
            ended_at=None,
            media_seconds=one.length,
            required_seconds__gt=one.required,
        )
        playing.update(required_seconds=one.required)
        Webinar.objects.filter(pk=one.webinar.pk).update(counted_seconds=one.length)
    return reached


def _mark_union(goal: _Goal, edition: RecordingMap, *, now: datetime) -> int:
    """Everybody's live and recorded seconds together: 15,000 people take about a second, once an edition.

    Read without a lock: coverage only grows, so who has enough keeps it. The recorded phase's record carries the mark,
    the live one where there is no other.
    """
    rows = (
        WatchRecord.objects.filter(webinar=goal.webinar)
        .order_by("user_id", "phase")
        .values_list("user_id", "phase", "pk", "coverage", "reached_at")
    )
    due: list[int] = []
    for _user, theirs in groupby(rows.iterator(2000), key=lambda row: row[0]):
        found = {phase: (pk, coverage, reached_at) for _, phase, pk, coverage, reached_at in theirs}
        if any(reached_at for _, _, reached_at in found.values()):
            continue
        live, recorded = (found[phase][1] if phase in found else () for phase in (Phase.LIVE, Phase.ON_DEMAND))
        if seconds(intersect(edition.seen(live=live, uncut=recorded), ((0, goal.length),))) >= goal.required:
            due.append(found[Phase.ON_DEMAND if Phase.ON_DEMAND in found else Phase.LIVE][0])
    with connection.cursor() as cursor:
        cursor.execute(_MARK, [due, now, goal.required])
        return int(cursor.rowcount)


def _goal(webinar: Webinar, edition: RecordingMap | None) -> _Goal:
    duration = (webinar.video.duration_seconds if webinar.video else None) or 0.0
    length = media_seconds(duration)
    return _Goal(webinar, edition, min(length, max(1, seconds(edition.shown(duration)))) if edition else length)


def _read(facts: Any) -> RecordingMap | None:
    return RecordingMap.read(facts) if facts else None
