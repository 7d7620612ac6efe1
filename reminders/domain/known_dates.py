"""Which date of a webinar a doctor knows: what a message that left said of it, or the page on which a place was taken.

A notice of a change is about the difference between that date and today's, however often it changed in between.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection

from reminders.models import Delivery

SLOT = "%Y-%m-%dT%H:%MZ"
# As slots have it: the begin of a webinar, in UTC.
BEGIN = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')"""
_LEFT = "o.subject = 'webinar/' || w.id AND o.user_id = d.user_id AND o.state IN ('sending', 'sent', 'unknown')"

# Of `w` (id, slot: today's date) and `d` (user_id), the newest that differs from today's, or none. `mine` is the slot
# of the notice itself: what another channel said of the same change is no earlier date.
#
# What counts is what was said last; and what was said last with a calendar file, because a calendar stays at that. A
# confirmation says the date of its moment and not in its slot; two minutes: it may have been worded before the change
# was noticed. Better a notice too many than a doctor before a closed door.
OUTDATED = f"""
    SELECT x.slot, x.is_cancelled FROM (
        SELECT s.slot, s.is_cancelled, s.at, max(s.at) OVER () AS last_at,
            max(s.at) FILTER (WHERE s.has_file) OVER () AS file_at
        FROM (
            SELECT split_part(o.slot, '#', 1) AS slot, o.kind = 'cancelled' AS is_cancelled, o.claimed_at AS at,
                o.kind IN ('week_before', 'moved', 'cancelled') AS has_file
            FROM reminders_delivery o
            WHERE {_LEFT}
            AND o.kind IN ('week_before', 'day_before', 'hour_before', 'soon', 'moved', 'cancelled')
            AND NOT (o.kind IN ('moved', 'cancelled') AND o.slot = {{mine}})
            UNION ALL
            SELECT {BEGIN.format("b.starts_at")}, b.is_cancelled, h.at, true
            FROM (
                SELECT g.registered_at AS at FROM webinars_registration g
                WHERE g.webinar_id = w.id AND g.user_id = d.user_id AND g.cancelled_at IS NULL
                UNION ALL
                SELECT o.claimed_at - interval '2 minutes' FROM reminders_delivery o
                WHERE {_LEFT} AND o.kind = 'registered'
            ) h
            JOIN reminders_schedulerevision b ON b.webinar_id = w.id AND b.number = coalesce((
                SELECT max(n.number) FROM reminders_schedulerevision n
                WHERE n.webinar_id = w.id AND n.noticed_at <= h.at
            ), 0)
        ) s
    ) x
    WHERE x.at IN (x.last_at, x.file_at) AND (x.slot IS DISTINCT FROM w.slot OR x.is_cancelled)
    ORDER BY x.at DESC LIMIT 1
"""  # noqa: S608  # put together from constants of this module
_OF_THESE = f"""
    SELECT d.number, k.slot
    FROM unnest(%(numbers)s::bigint[], %(users)s::bigint[], %(webinars)s::bigint[], %(slots)s::text[])
        AS d (number, user_id, webinar_id, mine)
    JOIN LATERAL (
        SELECT id, {BEGIN.format("starts_at")} AS slot FROM webinars_webinar WHERE id = d.webinar_id
    ) w ON true
    JOIN LATERAL ({OUTDATED.replace("{mine}", "d.mine")}) k ON true
"""  # noqa: S608


def outdated(notices: Iterable[Delivery]) -> dict[int, datetime]:
    """By the id of a message about a webinar, the begin that its doctor was told last and that holds no more. Whoever
    knows today's, or none, is not there. One query, none without messages.
    """
    listed = [(one.pk, one.user_id, number_in(one.subject), one.slot) for one in notices]
    if not listed:
        return {}
    numbers, users, webinars, slots = (list(column) for column in zip(*listed, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_OF_THESE, {"numbers": numbers, "users": users, "webinars": webinars, "slots": slots})
        rows = cursor.fetchall()
    return {number: begin for number, slot in rows if (begin := begin_in(slot)) is not None}


def begin_in(slot: str) -> datetime | None:
    """The begin of a webinar that a slot names; none where it names something else."""
    try:
        return datetime.strptime(slot.partition("#")[0], SLOT).replace(tzinfo=UTC)
    except ValueError:
        return None


def number_in(subject: str) -> int:
    """12 of "webinar/12"; 0 where there is none."""
    number = subject.partition("/")[2]
    return int(number) if number.isdecimal() and number.isascii() else 0
