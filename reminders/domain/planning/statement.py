"""From what is to be told to whom, when and by which channel: the one INSERT around every source.

Hours of the doctor's own day come as a table of the days of each zone that people have, worked out by `times` in
Python: the database's idea of an hour that a day has twice is another one, and names that it does not know are errors
there.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import User
from reminders.domain.planning.sources import Source
from reminders.domain.times import local_days, local_weeks
from reminders.enums import Channel, Kind
from reminders.models import Journey
from reminders.transports import transport_for

# What is older than this when it is found is of no use any more, whatever it is: the longest that a source's `expires`
# gives.
LONGEST = timedelta(days=7)
EVER = (datetime.fromisoformat("1970-01-01T00:00:00+00:00"), datetime.fromisoformat("2999-01-01T00:00:00+00:00"))

_TO_THE_MINUTE = """
timed AS (
    SELECT c.user_id, c.subject, c.slot, c.event_at, c.since_at, c.until_at, u.phone, {due} AS due_at
    FROM candidates c JOIN accounts_user u ON u.id = c.user_id AND u.is_active
)""".replace("{due}", "c.event_at + make_interval(mins => %(offset)s)")
_BY_THE_CLOCK = """
days AS (
    SELECT * FROM unnest(%(zones)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[], %(at)s::timestamptz[])
        AS y (zone, begins_at, ends_at, at)
),
timed AS (
    SELECT c.user_id, c.subject, c.slot, c.event_at, c.since_at, c.until_at, u.phone, y.at AS due_at
    FROM candidates c JOIN accounts_user u ON u.id = c.user_id AND u.is_active
    JOIN days y ON y.zone = u.timezone AND c.event_at + make_interval(mins => %(offset)s) >= y.begins_at
        AND c.event_at + make_interval(mins => %(offset)s) < y.ends_at
)"""
_WEEKLY = """
weeks AS (
    SELECT * FROM unnest(%(zones)s::text[], %(weeks)s::text[], %(at)s::timestamptz[]) AS y (zone, week, at)
),
timed AS (
    SELECT c.user_id, c.subject, y.week AS slot, y.at AS event_at, c.since_at, c.until_at, u.phone, y.at AS due_at
    FROM candidates c JOIN accounts_user u ON u.id = c.user_id AND u.is_active JOIN weeks y ON y.zone = u.timezone
)"""
# The first channel that is wanted and has an address; of none the first, so that it is on record why nothing went out.
CHANNEL_OF = """coalesce((
        SELECT h.channel FROM unnest(%(channels)s::text[]) WITH ORDINALITY AS h (channel, number)
        WHERE coalesce(
            (SELECT k.is_on FROM reminders_channelchoice k WHERE k.user_id = t.user_id AND k.channel = h.channel),
            h.channel IN ('email', 'inbox')
        ) AND CASE h.channel
            WHEN 'sms' THEN t.phone <> ''
            WHEN 'whatsapp' THEN t.phone <> ''
            WHEN 'push' THEN EXISTS (
                SELECT FROM reminders_pushsubscription b WHERE b.user_id = t.user_id AND b.ended_at IS NULL
            )
            ELSE true
        END
        ORDER BY h.number LIMIT 1
    ), (%(channels)s::text[])[1])"""
_DUE = """,
due AS (SELECT t.*, {expires} AS expires_at FROM timed t WHERE t.due_at <= %(horizon)s),
wanted AS (
    SELECT t.subject, t.slot, t.user_id, t.due_at, t.expires_at, {channel} AS channel
    FROM due t
    WHERE t.expires_at > greatest(t.due_at, %(now)s) AND t.since_at <= t.due_at
    AND NOT EXISTS (
        SELECT FROM reminders_delivery o
        WHERE o.kind = %(kind)s AND o.subject = t.subject AND o.user_id = t.user_id AND o.slot = t.slot
        AND NOT (o.state = 'skipped' AND o.skip_reason = 'moved')
        OFFSET 0
    )
)
"""
# OFFSET 0: asked for each row by the index. As a join, thousands of rows that were written a moment ago, of which the
# planner knows nothing yet, are compared with each other.
LOOK = "SELECT subject, slot, user_id, channel, due_at FROM wanted ORDER BY due_at, user_id"
# A webinar that was moved and moved back has its old begin again: what was withdrawn then is planned anew.
INSERT = """
INSERT INTO reminders_delivery (
    key, programme_id, user_id, kind, subject, slot, channel, is_urgent, due_at, expires_at, state, skip_reason, tries,
    error, transport, provider_id
)
SELECT gen_random_uuid(), %(programme)s, user_id, %(kind)s, subject, slot, channel, %(urgent)s, due_at, expires_at,
    'planned', '', 0, '', '', ''
FROM wanted ORDER BY due_at, user_id
ON CONFLICT (kind, subject, user_id, channel, slot) DO UPDATE SET
    state = 'planned', skip_reason = '', ended_at = NULL, tries = 0, error = '', due_at = excluded.due_at,
    expires_at = excluded.expires_at
WHERE reminders_delivery.state = 'skipped' AND reminders_delivery.skip_reason = 'moved'
"""


def statement_of(source: Source, journey: Journey, ending: str) -> str:
    timed = _WEEKLY if source.is_weekly else _BY_THE_CLOCK if journey.local_time else _TO_THE_MINUTE
    return f"{source.with_tables()},{timed}{_DUE.format(expires=source.expires, channel=CHANNEL_OF)}{ending}"


def parameters(
    journey: Journey, *, source: Source, zones: list[str], horizon: timedelta, now: datetime
) -> dict[str, Any]:
    offset = timedelta(minutes=journey.offset_minutes)
    spread = timedelta(days=2) if journey.local_time else timedelta()
    values: dict[str, Any] = {
        "programme": journey.programme_id,
        "users": None,
        "kind": journey.kind,
        "channels": usable_channels(journey.channels),
        "urgent": journey.is_urgent,
        "offset": journey.offset_minutes,
        "now": now,
        "horizon": now + horizon,
        "first": now - offset - LONGEST - spread,
        "last": now - offset + horizon + spread,
    }
    if journey.kind in {Kind.WEEK_BEFORE, Kind.PROGRAMME_CLOSING}:
        values["first"] = now  # until half of the way to the event, however long that is
    if source.is_weekly:
        weeks = list(local_weeks(zones, offset_minutes=journey.offset_minutes, local_time=journey.local_time, now=now))
        values |= {
            "zones": [one[0] for one in weeks],
            "weeks": [one[1] for one in weeks],
            "at": [one[2] for one in weeks],
        }
    elif journey.local_time:
        days = list(
            local_days(
                zones,
                local_time=journey.local_time,
                onwards=journey.offset_minutes >= 0,
                first=values["first"] + offset,
                last=values["last"] + offset,
            )
        )
        values |= {
            "zones": [one.zone for one in days],
            "begins": [one.begins_at for one in days],
            "ends": [one.ends_at for one in days],
            "at": [one.at for one in days],
        }
    return values


def zones_of() -> list[str]:
    """The zones that anybody has, as they are written there."""
    return list(User.objects.order_by("timezone").values_list("timezone", flat=True).distinct())


def usable_channels(channels: list[str]) -> list[str]:
    """Those that this site can send by; all of them where it has none, so that the reason is on record."""
    return [one for one in channels if one == Channel.INBOX or transport_for(Channel(one)) is not None] or list(
        channels
    )


def still_wanted(
    source: Source, *, programme_id: int, user_ids: list[int], done_too: bool = False, now: datetime
) -> set[tuple[int, str, str]]:
    """(person, subject, slot) that this kind would be sent for now, at any time. Weekly ones have no slot here.

    `done_too`: also where the doctor has taken the step that it is about.
    """
    first, last = EVER
    values: dict[str, Any] = {"programme": programme_id, "users": user_ids, "now": now, "first": first, "last": last}
    tables = source.with_tables(done_too=done_too)
    with connection.cursor() as cursor:
        cursor.execute(f"{tables} SELECT user_id, subject, coalesce(slot, '') FROM candidates", values)  # noqa: S608
        return {(user, subject, slot) for user, subject, slot in cursor.fetchall()}
