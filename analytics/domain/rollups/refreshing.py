"""Brings the tables of figures up to what people did: webinar by webinar, each in a transaction of its own.

A refresh looks at what changed since the last one, and a minute before: a beat is written up to some seconds after the
time it carries. What it does not see in a webinar where something happened (a player that was opened days ago) is put
right at night. Where nothing happened, another country in a profile or a person who was deleted leaves no trace that a
look at records could find: so every night a seventh of all webinars is made anew as well, and within a week each one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.db.models import Max

from analytics.domain import partitions
from analytics.domain.rollups import audience, quality
from analytics.models import ColdFile, PlaybackReport, RollupState
from analytics.rules import SESSION_DAYS
from core.logging import get_logger
from webinars.enums import Phase
from webinars.models import Webinar

log = get_logger("analytics")
MARGIN = timedelta(minutes=1)
# The latest minutes of a live webinar wait until everybody has told of them, so they are looked for a second time.
UNTOLD = MARGIN + audience.MINUTE + audience.STILL_THERE
# A player that was opened so long ago may still tell what it plays; beyond that the night looks after it.
SESSION_LASTS = timedelta(days=1)
# Reports of a session that began before a month that lies in cold storage ended: nothing later is taken.
STRADDLES = timedelta(days=SESSION_DAYS + 1)
NIGHTS = 7  # until every webinar was made anew, whether anything happened in it or not
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# Of this transaction: to compile a statement takes longer than to run it, and a webinar's pieces are sorted in memory.
_PLANNED = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """`rows` that were made; 0 where nothing had changed."""

    webinar_id: int
    rows: int


@dataclass(frozen=True, slots=True)
class Total:
    """`busy`: webinars that another process is at, and `failed`: those whose error is in the log."""

    webinars: int
    rows: int
    busy: int
    failed: int


def refresh_all(
    *, now: datetime, whole: bool = False, webinars: Sequence[int] | None = None, progress: Progress | None = None
) -> Total:
    """Of all in which something happened since the last time, or of those named. `progress` hears (done, of all)."""
    if not partitions.are_kept(now=now):
        partitions.keep(now=now)
    found = list(webinars) if webinars is not None else list(everything() if whole else changed(now=now))
    rows = busy = failed = 0
    for number, webinar_id in enumerate(found, 1):
        try:
            done = refresh(webinar_id=webinar_id, now=now, whole=whole)
        except Exception:  # of this webinar: the others get their figures
            log.exception("analytics.rollup_failed", webinar=webinar_id)
            failed += 1
        else:
            rows += done.rows if done else 0
            busy += done is None
        if progress:
            progress(number, len(found))
    return Total(len(found), rows, busy, failed)


def sweep(*, now: datetime) -> Total:
    """Every night: months that come, the webinars in which anything happened since, and this night's seventh of all."""
    partitions.keep(now=now)
    tonight = (one for one in everything() if one % NIGHTS == now.astimezone(UTC).toordinal() % NIGHTS)
    return refresh_all(now=now, whole=True, webinars=sorted({*_stale(), *tonight}))


@transaction.atomic
def refresh(*, webinar_id: int, now: datetime, whole: bool = False) -> Refreshed | None:
    """None: another process is at this webinar, and what it does is as good. Readers see all of it or nothing."""
    webinar = Webinar.objects.filter(pk=webinar_id).values("ended_at").first()
    if webinar is None or not _lock(webinar_id):
        return None
    state, _ = RollupState.objects.get_or_create(webinar_id=webinar_id)
    rows = _audience(state, ended_at=webinar["ended_at"], whole=whole, now=now) + _quality(state, whole=whole)
    state.seen_through = state.quality_through = now
    state.ended_at = webinar["ended_at"]
    if whole:
        state.whole_at = now
    if rows:
        state.changed_at = now
    state.save()
    return Refreshed(webinar_id, rows)


def _audience(state: RollupState, *, ended_at: datetime | None, whole: bool, now: datetime) -> int:
    make_live = partial(audience.make_live, webinar_id=state.webinar_id, ended_at=ended_at, now=now)
    make = partial(audience.make, webinar_id=state.webinar_id, phase=Phase.ON_DEMAND)
    if whole or state.seen_through is None:
        return make_live() + make(since=None)
    rows = 0
    known = state.seen_through - UNTOLD
    if ended_at != state.ended_at or audience.is_live_new(webinar_id=state.webinar_id, after=known):
        rows += make_live()
    if since := audience.first_change(webinar_id=state.webinar_id, after=state.seen_through - MARGIN):
        rows += make(since=since)
    return rows


def _quality(state: RollupState, *, whole: bool) -> int:
    """Figures of months whose reports lie in cold storage stay as they are: nothing is left to make them from."""
    cold = ColdFile.objects.filter(table=PlaybackReport._meta.db_table).aggregate(last=Max("month"))["last"]
    earliest = BEGINNING
    if cold is not None:
        end = partitions.next_month(cold)
        earliest = datetime(end.year, end.month, 1, tzinfo=UTC) + STRADDLES
    if whole or state.quality_through is None:
        return quality.make(webinar_id=state.webinar_id, since=earliest)
    since = quality.first_change(webinar_id=state.webinar_id, after=state.quality_through - MARGIN)
    return quality.make(webinar_id=state.webinar_id, since=max(since, earliest)) if since else 0


def changed(*, now: datetime) -> Iterator[int]:
    """Webinars that may have anything new. At the first time, all of them."""
    last = RollupState.objects.aggregate(last=Max("seen_through"))["last"]
    if last is None:
        yield from everything()
        return
    with connection.cursor() as cursor:
        opened, reported = last - MARGIN - SESSION_LASTS, last - MARGIN
        cursor.execute(_CHANGED, {"opened": opened, "reported": reported, "soon": now + SESSION_LASTS})
        yield from (webinar_id for (webinar_id,) in cursor.fetchall())


_CHANGED = """
SELECT webinar_id FROM webinars_playsession WHERE started_at > %(opened)s
UNION SELECT webinar_id FROM analytics_playbackreport WHERE received_at > %(reported)s
UNION SELECT w.id FROM webinars_webinar w JOIN analytics_rollupstate s ON s.webinar_id = w.id
    WHERE w.ended_at IS DISTINCT FROM s.ended_at
UNION SELECT w.id FROM webinars_webinar w
    WHERE w.ingest = 'external' AND w.starts_at < %(soon)s AND w.cancelled_at IS NULL
        AND (w.ended_at IS NULL OR w.ended_at > %(opened)s)
        AND EXISTS (SELECT FROM webinars_visit v WHERE v.webinar_id = w.id)
ORDER BY 1
"""


def everything() -> Iterator[int]:
    """Every webinar that anybody ever watched or reported on, or that has figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.id FROM webinars_webinar w"
            " WHERE EXISTS (SELECT FROM webinars_watchrecord r WHERE r.webinar_id = w.id)"
            " OR EXISTS (SELECT FROM webinars_visit v WHERE v.webinar_id = w.id)"
            " OR EXISTS (SELECT FROM analytics_playbackreport p WHERE p.webinar_id = w.id)"
            " OR EXISTS (SELECT FROM analytics_rollupstate s WHERE s.webinar_id = w.id) ORDER BY 1"
        )
        yield from (webinar_id for (webinar_id,) in cursor.fetchall())


# Reads every watch record once.
_STALE = """
SELECT webinar_id FROM (
    SELECT webinar_id, max(last_beat_at) AS at FROM webinars_watchrecord GROUP BY 1
    UNION ALL SELECT webinar_id, max(greatest(seen_at, left_at)) FROM webinars_visit GROUP BY 1
    UNION ALL SELECT webinar_id, max(received_at) FROM analytics_playbackreport GROUP BY 1
) latest LEFT JOIN analytics_rollupstate s USING (webinar_id)
GROUP BY webinar_id, s.whole_at HAVING s.whole_at IS NULL OR max(at) > s.whole_at - %s * interval '1 second'
ORDER BY 1
"""


def _stale() -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute(_STALE, [UNTOLD.total_seconds()])
        yield from (webinar_id for (webinar_id,) in cursor.fetchall())


def _lock(webinar_id: int) -> bool:
    """Held to the end of the transaction, and given back by PostgreSQL itself where the process dies."""
    with connection.cursor() as cursor:
        cursor.execute(_PLANNED)
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('analytics.rollup:' || %s::int8, 0))", [webinar_id]
        )
        return bool(cursor.fetchone()[0])
