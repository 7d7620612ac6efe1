"""Who was there by minute, hour and day: one statement for a phase of a webinar, by sweeping over pieces of time.

A piece is from joining to leaving, as `webinars.domain.attendance` lists them: watch records and visits together, gaps
of less than a minute closed, live clocks cut where the webinar ended (a device without a line delivers days later). A
piece is made a range that is longer by just less than a minute: then PostgreSQL's own union closes the gaps.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from webinars.domain.attendance import MERGED_GAP
from webinars.enums import Phase

BEGINNING = "-infinity"
ALMOST = MERGED_GAP - timedelta(microseconds=1)
# Who is there tells so every ten seconds in the player and twice a minute in a meeting elsewhere. A piece that ended
# two of those ago, and some seconds for the way here, may still go on: nobody has left yet.
STILL_THERE = timedelta(seconds=75)
MINUTE = timedelta(minutes=1)

# Of whom there is nothing new since that day the record is left out, but of all others every piece: an arrival is none
# when the piece before it is near, and a newcomer is one who was never there. A batch of beats that is overtaken by
# another one leaves its own, earlier, time: hence the minute. Visits are few, and read as a whole.
#
# A player that stands still has a clock that goes on. So hours and days count as much of what was open as was watched,
# the same share of all of a person's pieces: nothing says when it stood still.
_PIECES = """
there AS (
    SELECT w.user_id, lower(piece) AS start, least(upper(piece), %(ended)s::timestamptz) AS stop,
        w.seen_seconds AS seen, 0 AS visited
    FROM webinars_watchrecord w CROSS JOIN LATERAL unnest(w.clock) AS piece
    WHERE w.webinar_id = %(webinar)s AND w.phase = %(phase)s AND lower(piece) < %(ended)s::timestamptz
        AND w.last_beat_at >= %(since)s::timestamptz - interval '1 minute'
    UNION ALL
    SELECT v.user_id, v.joined_at, coalesce(v.left_at, v.seen_at), 0,
        extract(epoch FROM coalesce(v.left_at, v.seen_at) - v.joined_at)
    FROM webinars_visit v WHERE v.webinar_id = %(webinar)s AND %(phase)s = 'live'
),
pieces AS MATERIALIZED (
    SELECT m.user_id, lower(piece) AS start, upper(piece) - %(almost)s::interval AS stop, m.watched, m.opened
    FROM (
        SELECT user_id, range_agg(tstzrange(start, stop + %(almost)s::interval)) AS merged,
            max(seen) + sum(visited) AS watched, nullif(sum(extract(epoch FROM stop - start)), 0) AS opened
        FROM there GROUP BY user_id
    ) m
    CROSS JOIN LATERAL unnest(m.merged) AS piece
),
spans AS MATERIALIZED (
    SELECT user_id, start, stop, date_trunc('minute', start, 'UTC') AS first_minute,
        date_trunc('minute', CASE WHEN stop > start THEN stop - interval '1 microsecond' ELSE stop END, 'UTC')
            AS last_minute,
        date_trunc('minute', stop, 'UTC') AS left_minute, min(start) OVER (PARTITION BY user_id) AS came_at,
        watched, opened
    FROM pieces
)
"""
# Two pieces of a person lie a minute apart or more, so never in the same minute: people are pieces there. `runs` are
# minutes after one another in which nobody comes or goes.
_MINUTES = """
changes AS (
    SELECT at, sum(step) AS step, sum(arrived) AS arrivals, sum(leaving) AS leavings
    FROM (
        SELECT greatest(first_minute, %(since)s::timestamptz) AS at, 1 AS step, 0 AS arrived, 0 AS leaving
        FROM spans WHERE last_minute >= %(since)s::timestamptz
        UNION ALL SELECT last_minute + interval '1 minute', -1, 0, 0
        FROM spans WHERE last_minute >= %(since)s::timestamptz
        UNION ALL SELECT first_minute, 0, 1, 0 FROM spans WHERE first_minute >= %(since)s::timestamptz
        UNION ALL SELECT left_minute, 0, 0, 1 FROM spans WHERE left_minute >= %(since)s::timestamptz
    ) steps
    GROUP BY at
),
runs AS (
    SELECT at, lead(at) OVER w AS until, sum(step) OVER w AS people, arrivals, leavings
    FROM changes WINDOW w AS (ORDER BY at)
),
minutes AS (
    INSERT INTO analytics_audienceminute (webinar_id, phase, at, people, arrivals, leavings)
    SELECT %(webinar)s, %(phase)s, minute, people, CASE WHEN minute = at THEN arrivals ELSE 0 END,
        CASE WHEN minute = at THEN leavings ELSE 0 END
    FROM runs
    CROSS JOIN LATERAL generate_series(
        at, CASE WHEN people > 0 THEN until - interval '1 minute' ELSE at END, interval '1 minute'
    ) AS minute
    WHERE (people > 0 OR arrivals > 0 OR leavings > 0) AND minute <= %(last_minute)s::timestamptz
    RETURNING 1
)
"""
_HOURS = """
hours AS (
    INSERT INTO analytics_audiencehour (webinar_id, phase, at, country, timezone, people, seconds)
    SELECT %(webinar)s, %(phase)s, hour, u.country, u.timezone, count(DISTINCT s.user_id),
        round(sum(least(spent, spent * s.watched / s.opened)))
    FROM spans s
    JOIN accounts_user u ON u.id = s.user_id
    CROSS JOIN LATERAL generate_series(
        greatest(date_trunc('hour', s.first_minute, 'UTC'), %(since)s::timestamptz), s.last_minute, interval '1 hour'
    ) AS hour
    CROSS JOIN LATERAL extract(epoch FROM least(s.stop, hour + interval '1 hour') - greatest(s.start, hour)) AS spent
    GROUP BY hour, u.country, u.timezone
    RETURNING 1
)
"""
_DAYS = """
days AS (
    INSERT INTO analytics_audienceday (webinar_id, phase, "on", country, specialty, people, seconds, newcomers)
    SELECT %(webinar)s, %(phase)s, day::date, u.country, u.specialty, count(DISTINCT s.user_id),
        round(sum(least(spent, spent * s.watched / s.opened))),
        count(DISTINCT s.user_id) FILTER (WHERE day = date_trunc('day', s.came_at AT TIME ZONE 'UTC'))
    FROM spans s
    JOIN accounts_user u ON u.id = s.user_id
    CROSS JOIN LATERAL generate_series(
        greatest(date_trunc('day', s.first_minute AT TIME ZONE 'UTC'), %(since)s::timestamptz AT TIME ZONE 'UTC'),
        s.last_minute AT TIME ZONE 'UTC', interval '1 day'
    ) AS day
    CROSS JOIN LATERAL extract(epoch FROM
        least(s.stop, (day + interval '1 day') AT TIME ZONE 'UTC') - greatest(s.start, day AT TIME ZONE 'UTC')) AS spent
    GROUP BY day, u.country, u.specialty
    RETURNING 1
)
"""
_OF_PHASE = "webinar_id = %(webinar)s AND phase = %(phase)s AND"
_CLEAR = (
    f"DELETE FROM analytics_audienceminute WHERE {_OF_PHASE} at >= %(since)s::timestamptz",  # noqa: S608
    f"DELETE FROM analytics_audiencehour WHERE {_OF_PHASE} at >= %(since)s::timestamptz",  # noqa: S608
    f"""DELETE FROM analytics_audienceday
        WHERE {_OF_PHASE} "on" >= (%(since)s::timestamptz AT TIME ZONE 'UTC')::date""",  # noqa: S608
)
_MAKE = f"""
WITH {_PIECES}, {_MINUTES}, {_HOURS}, {_DAYS}
SELECT (SELECT count(*) FROM minutes) + (SELECT count(*) FROM hours) + (SELECT count(*) FROM days)
"""  # noqa: S608  # put together from the constants above

# A beat makes the piece it belongs to longer, up to its receipt. So what changed lies between the beginning of the
# pieces that end after that time, less a gap that they may have closed, and now.
_LOW = """
SELECT min(lower(piece)) FROM webinars_watchrecord w CROSS JOIN LATERAL unnest(w.clock) AS piece
WHERE w.webinar_id = %s AND w.phase = %s AND w.last_beat_at > %s AND upper(piece) > %s
"""
_IS_LIVE_NEW = """
SELECT EXISTS (SELECT FROM webinars_watchrecord WHERE webinar_id = %s AND phase = 'live' AND last_beat_at > %s)
    OR EXISTS (SELECT FROM webinars_visit WHERE webinar_id = %s AND greatest(seen_at, left_at) > %s)
"""


def first_change(*, webinar_id: int, after: datetime) -> datetime | None:
    """Midnight in UTC of the day from which the figures on demand differ since `after`; nothing where none does."""
    with connection.cursor() as cursor:
        cursor.execute(_LOW, [webinar_id, Phase.ON_DEMAND, after, after])
        low: datetime | None = cursor.fetchone()[0]
    if low is None:
        return None
    return (low - MERGED_GAP).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def is_live_new(*, webinar_id: int, after: datetime) -> bool:
    """Whether anybody was there live since then."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_LIVE_NEW, [webinar_id, after, webinar_id, after])
        return bool(cursor.fetchone()[0])


def make_live(*, webinar_id: int, ended_at: datetime | None, now: datetime) -> int:
    """Every row of the broadcast anew. Until it has ended, minutes of which not everybody has told yet have none."""
    last = None if ended_at else now - STILL_THERE - MINUTE
    return make(webinar_id=webinar_id, phase=Phase.LIVE, since=None, ended_at=ended_at, last_minute=last)


def make(
    *,
    webinar_id: int,
    phase: Phase,
    since: datetime | None,
    ended_at: datetime | None = None,
    last_minute: datetime | None = None,
) -> int:
    """All rows from `since` on anew, midnight of a day in UTC, or every one; how many there are now.

    Within the caller's transaction. `ended_at`: of the broadcast, where the phase is live. `last_minute`: those that
    begin later get no row.
    """
    given: dict[str, Any] = {
        "webinar": webinar_id,
        "phase": phase.value,
        "since": since or BEGINNING,
        "ended": ended_at or "infinity",
        "last_minute": last_minute or "infinity",
        "almost": ALMOST,
    }
    with connection.cursor() as cursor:
        for statement in _CLEAR:
            cursor.execute(statement, given)
        cursor.execute(_MAKE, given)
        return int(cursor.fetchone()[0])
