# ruff: noqa: S608  # put together from constants of this module
"""Before, at and after a webinar. The slot is its begin: the same message about another date is another message."""

from reminders.domain.known_dates import BEGIN, OUTDATED
from reminders.domain.planning.sources import DOCTORS, Source
from reminders.enums import Kind

# Planned are only dates that calendars were told of: `noticed_at` is since when this date is known.
_WEBINARS = f"""
webinars AS (
    SELECT w.*, l.course_id, {BEGIN.format("w.starts_at")} AS slot,
        greatest(l.opens_at, c.opens_at, p.opens_at) AS opens_at,
        least(l.closes_at, c.closes_at, p.closes_at) AS closes_at,
        l.position, c.is_sequential, (
            SELECT min(r.noticed_at) FROM reminders_schedulerevision r
            WHERE r.webinar_id = w.id AND r.starts_at = w.starts_at AND NOT r.is_cancelled
        ) AS noticed_at
    FROM webinars_webinar w
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id AND c.status = 'published'
    JOIN courses_programme p ON p.id = c.programme_id AND p.status = 'published'
    WHERE c.programme_id = %(programme)s
)"""
_LET_IN = """
    NOT EXISTS (
        SELECT FROM webinars_personrestriction x
        WHERE x.webinar_id = w.id AND x.user_id = d.user_id AND x.kind = 'removed' AND x.lifted_at IS NULL
    )
"""
# A webinar may go live before anybody has looked at its new date: then its doctors know it from that moment on.
_PLACES = f"""{DOCTORS},{_WEBINARS},
places AS (
    SELECT w.id, w.slot, w.starts_at, w.live_at, w.planned_minutes, w.course_id, w.position, w.is_sequential, d.user_id,
        'webinar/' || w.id AS subject, g.registered_at,
        greatest(d.since_at, least(w.noticed_at, w.live_at), g.registered_at) AS since_at
    FROM webinars w CROSS JOIN doctors d
    LEFT JOIN webinars_registration g ON g.webinar_id = w.id AND g.user_id = d.user_id AND g.cancelled_at IS NULL
    WHERE coalesce(w.noticed_at, w.live_at) IS NOT NULL AND w.cancelled_at IS NULL AND w.ended_at IS NULL
    AND {{times}}
    AND (NOT w.needs_registration OR g.id IS NOT NULL)
    AND coalesce(w.opens_at <= w.starts_at, true) AND coalesce(w.closes_at > w.starts_at, true)
    AND coalesce(d.opens_at <= w.starts_at, true) AND coalesce(d.closes_at > w.starts_at, true)
    AND {_LET_IN}
)"""
_COMING = _PLACES.replace("{times}", "w.live_at IS NULL AND w.starts_at BETWEEN %(first)s AND %(last)s")
_ON_AIR = _PLACES.replace("{times}", "w.live_at BETWEEN %(first)s AND %(last)s")
_REGISTERED = _PLACES.replace("{times}", "g.registered_at BETWEEN %(first)s AND %(last)s")

_NOT_THERE = """
    NOT EXISTS (
        SELECT FROM webinars_playsession s WHERE s.webinar_id = p.id AND s.user_id = p.user_id AND s.phase = 'live'
    )
    AND NOT EXISTS (SELECT FROM webinars_visit v WHERE v.webinar_id = p.id AND v.user_id = p.user_id)
"""
# A button that leads to a locked door helps nobody. What is only days away may be unlocked until then.
_UNLOCKED = """
    NOT EXISTS (
        SELECT FROM courses_course_prerequisites q
        JOIN courses_course b ON b.id = q.to_course_id AND b.status = 'published'
        WHERE q.from_course_id = p.course_id AND NOT EXISTS (
            SELECT FROM courses_coursecompletion k WHERE k.course_id = b.id AND k.user_id = p.user_id
        )
    )
    AND NOT (p.is_sequential AND EXISTS (
        SELECT FROM courses_lesson b
        WHERE b.course_id = p.course_id AND b.is_required AND b.position < p.position AND NOT EXISTS (
            SELECT FROM courses_lessoncompletion k WHERE k.lesson_id = b.id AND k.user_id = p.user_id
        )
    ))
"""
_BEFORE = "SELECT user_id, subject, slot, starts_at AS event_at, since_at, starts_at AS until_at FROM places p"
# Of use until half of the time that was left has passed: "tomorrow" is no word for in an hour.
_HALFWAY = "t.due_at + (t.until_at - t.due_at) / 2"

# Of the date that holds no more. Two minutes: what was claimed before the change was noticed may have left after it.
_LEFT_ALREADY = """
    SELECT FROM reminders_delivery o
    WHERE o.subject = 'webinar/' || w.id AND o.user_id = d.user_id
    AND o.kind IN ('registered', 'week_before', 'day_before', 'hour_before', 'soon', 'moved')
    AND o.state IN ('sending', 'sent', 'unknown') AND o.claimed_at <= r.noticed_at + interval '2 minutes'
"""
_HAS_PLACE = """
    EXISTS (
        SELECT FROM webinars_registration g WHERE g.webinar_id = w.id AND g.user_id = d.user_id
        AND g.cancelled_at IS NULL AND g.registered_at <= r.noticed_at
    )
"""
# For whom today's date is another one than the one they know. Changed to and fro, the last change counts alone.
_MOVED = f"""
    SELECT d.user_id, 'webinar/' || w.id AS subject, w.slot || '#' || r.number AS slot, r.noticed_at AS event_at,
        r.noticed_at AS since_at, w.starts_at AS until_at
    FROM webinars w
    JOIN reminders_schedulerevision r ON r.webinar_id = w.id AND r.starts_at = w.starts_at AND NOT r.is_cancelled
    JOIN reminders_schedulerevision b ON b.webinar_id = w.id AND b.number = r.number - 1
        AND (b.starts_at <> r.starts_at OR b.is_cancelled)
    CROSS JOIN doctors d
    WHERE w.cancelled_at IS NULL AND w.ended_at IS NULL AND w.live_at IS NULL
    AND r.noticed_at BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (
        SELECT FROM reminders_schedulerevision n
        WHERE n.webinar_id = w.id AND n.number > r.number AND (n.starts_at <> r.starts_at OR n.is_cancelled)
    )
    AND {_LET_IN}
    AND EXISTS ({OUTDATED.replace("{mine}", "w.slot || '#' || r.number")} OFFSET 0)
"""
# A date that was taken away altogether is cancelled as well.
_CANCELLED = f"""
    SELECT d.user_id, 'webinar/' || w.id AS subject, {BEGIN.format("r.starts_at")} || '#' || r.number AS slot,
        r.noticed_at AS event_at, r.noticed_at AS since_at,
        greatest(r.starts_at, r.noticed_at + interval '2 hours') AS until_at
    FROM webinars w
    JOIN reminders_schedulerevision r ON r.webinar_id = w.id AND r.is_cancelled
    CROSS JOIN doctors d
    WHERE (w.cancelled_at IS NOT NULL OR w.starts_at IS NULL) AND r.noticed_at BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM reminders_schedulerevision n WHERE n.webinar_id = w.id AND n.number > r.number)
    AND NOT EXISTS (
        SELECT FROM reminders_schedulerevision b
        WHERE b.webinar_id = w.id AND b.number = r.number - 1 AND b.is_cancelled
    )
    AND {_LET_IN}
    AND ({_HAS_PLACE} OR EXISTS ({_LEFT_ALREADY} OFFSET 0))
"""

_READY = f"""{DOCTORS},{_WEBINARS},
ready AS (
    SELECT w.*, greatest(
        w.ended_at, v.published_at, CASE WHEN w.recording_policy <> 'automatic' THEN w.recording_opens_at END
    ) AS ready_at
    FROM webinars w JOIN media_video v ON v.id = w.video_id AND v.published_version <> ''
    WHERE coalesce(w.closes_at > %(now)s, true) AND coalesce(w.opens_at <= %(now)s, true)
    AND (w.starts_at IS NULL OR w.ended_at IS NOT NULL)
    AND (w.starts_at IS NULL OR w.recording_policy = 'automatic' OR w.recording_opens_at <= %(now)s)
)"""
_COMPLETED = """
    EXISTS (SELECT FROM courses_lessoncompletion k WHERE k.lesson_id = w.lesson_id AND k.user_id = d.user_id)
"""
_RECORDING = f"""
    SELECT d.user_id, 'webinar/' || w.id AS subject, w.slot, w.ready_at AS event_at, d.since_at,
        NULL::timestamptz AS until_at
    FROM ready w CROSS JOIN doctors d
    WHERE w.ended_at IS NOT NULL AND d.since_at <= w.ended_at AND w.ready_at BETWEEN %(first)s AND %(last)s
    AND coalesce(d.closes_at > %(now)s, true) AND {_LET_IN}
"""
_UNSEEN = f"""
    NOT {_COMPLETED}
    AND NOT EXISTS (
        SELECT FROM webinars_watchrecord r WHERE r.webinar_id = w.id AND r.user_id = d.user_id AND r.seen_seconds >= 60
    )
    AND NOT EXISTS (SELECT FROM webinars_visit v WHERE v.webinar_id = w.id AND v.user_id = d.user_id)
"""
# Records have no index by time, as every beat would have to keep it: who has beaten lately is among those who opened
# the player lately, at most a day before the first beat that counts. What was left long ago is not read again each
# minute, but of recordings that came lately.
_LEFT = f"""
    SELECT d.user_id, 'webinar/' || w.id AS subject, coalesce(w.slot, '') AS slot,
        greatest(r.left_at, CASE WHEN w.starts_at IS NOT NULL THEN w.ready_at END) AS event_at, d.since_at,
        NULL::timestamptz AS until_at
    FROM ready w
    JOIN LATERAL (
        SELECT b.user_id FROM beaten b WHERE b.webinar_id = w.id
        UNION
        SELECT v.user_id FROM webinars_watchrecord v
        WHERE v.webinar_id = w.id AND w.starts_at IS NOT NULL AND w.ready_at >= %(first)s
        AND (%(users)s::bigint[] IS NULL OR v.user_id = ANY (%(users)s::bigint[]))
    ) q ON true
    JOIN LATERAL (
        SELECT max(v.last_beat_at) AS left_at FROM webinars_watchrecord v
        WHERE v.webinar_id = w.id AND v.user_id = q.user_id AND v.seen_seconds >= 60
    ) r ON r.left_at IS NOT NULL
    JOIN doctors d ON d.user_id = q.user_id
    WHERE greatest(r.left_at, CASE WHEN w.starts_at IS NOT NULL THEN w.ready_at END) BETWEEN %(first)s AND %(last)s
    AND coalesce(d.closes_at > %(now)s, true) AND {_LET_IN}
"""
_BEATEN = f"""{_READY},
beaten AS (
    SELECT DISTINCT s.webinar_id, s.user_id FROM webinars_playsession s
    WHERE s.started_at >= %(first)s - interval '1 day'
    AND (%(users)s::bigint[] IS NULL OR s.user_id = ANY (%(users)s::bigint[]))
)"""
# Who makes a pause of some minutes, or is back by now, has not left.
_AWAY = f"NOT {_COMPLETED} AND r.left_at <= %(now)s - interval '15 minutes'"
_DAYS = "t.due_at + interval '{} days'"

SOURCES = (
    Source(
        Kind.REGISTERED,
        "SELECT user_id, subject,"
        " to_char(registered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS slot,"
        " registered_at AS event_at, registered_at AS since_at, starts_at AS until_at FROM places p",
        "least(t.due_at + interval '1 day', t.until_at)",
        (_REGISTERED,),
    ),
    Source(Kind.WEEK_BEFORE, _BEFORE, _HALFWAY, (_COMING,)),
    Source(Kind.DAY_BEFORE, _BEFORE, _HALFWAY, (_COMING,)),
    Source(Kind.HOUR_BEFORE, f"{_BEFORE} WHERE {_UNLOCKED}", "t.until_at - interval '10 minutes'", (_COMING,)),
    Source(
        Kind.SOON,
        f"{_BEFORE} WHERE {_UNLOCKED}",
        "t.until_at + interval '5 minutes'",
        (_COMING,),
        undone=_NOT_THERE,
    ),
    Source(
        Kind.LIVE,
        "SELECT user_id, subject, slot, live_at AS event_at, since_at,"
        " greatest(starts_at, live_at) + make_interval(mins => planned_minutes) AS until_at"
        f" FROM places p WHERE {_UNLOCKED}",
        "t.until_at",
        (_ON_AIR,),
        undone=_NOT_THERE,
    ),
    Source(Kind.MOVED, _MOVED, f"least(t.until_at, {_DAYS.format(3)})", (DOCTORS, _WEBINARS)),
    Source(Kind.CANCELLED, _CANCELLED, f"least(t.until_at, {_DAYS.format(3)})", (DOCTORS, _WEBINARS)),
    Source(Kind.RECORDING_READY, _RECORDING, _DAYS.format(5), (_READY,), undone=_UNSEEN),
    Source(Kind.LEFT_EARLY, _LEFT, _DAYS.format(5), (_BEATEN,), undone=_AWAY),
)
