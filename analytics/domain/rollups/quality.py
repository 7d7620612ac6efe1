"""How well it played, by hour and by minute: sums of the reports by when they were received."""

from datetime import UTC, datetime
from typing import LiteralString

from django.db import connection

from analytics.models import PlaybackReport

START_BOUNDS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000)  # ms; the last bucket is for what took longer

_BUCKETS = ", ".join(
    f"count(*) FILTER (WHERE start_ms >= {low} AND start_ms < {high})"
    for low, high in zip((0, *START_BOUNDS), (*START_BOUNDS, 2**31 - 1), strict=True)
)
_MEASURES = "plays, sessions, starts, start_ms_sum, start_buckets, play_ms, stall_ms, stalls, kbits, errors"
_SUMS = f"""
    count(*) FILTER (WHERE number = 1), count(DISTINCT session_id), count(start_ms), coalesce(sum(start_ms), 0),
    ARRAY[{_BUCKETS}], sum(play_ms), sum(stall_ms), sum(stalls), sum(kbits), sum(errors)
"""


def _making(table: LiteralString, unit: LiteralString, columns: LiteralString) -> str:
    return f"""
        INSERT INTO {table} (webinar_id, phase, at, {columns}, {_MEASURES})
        SELECT webinar_id, phase, date_trunc('{unit}', received_at, 'UTC'), {columns}, {_SUMS}
        FROM analytics_playbackreport WHERE webinar_id = %s AND received_at >= %s::timestamptz
        GROUP BY 1, 2, 3, {columns}
    """  # noqa: S608  # put together from constants


_HOURS = _making("analytics_qualityhour", "hour", "country, device, network")
_MINUTES = _making("analytics_qualityminute", "minute", "country")
_CLEAR_HOURS = "DELETE FROM analytics_qualityhour WHERE webinar_id = %s AND at >= %s::timestamptz"
_CLEAR_MINUTES = "DELETE FROM analytics_qualityminute WHERE webinar_id = %s AND at >= %s::timestamptz"


def first_change(*, webinar_id: int, after: datetime) -> datetime | None:
    """The hour in UTC from which the figures differ since `after`; nothing where none does."""
    reports = PlaybackReport.objects.filter(webinar=webinar_id, received_at__gt=after)
    first = reports.order_by("received_at").values_list("received_at", flat=True).first()
    return first.astimezone(UTC).replace(minute=0, second=0, microsecond=0) if first else None


def make(*, webinar_id: int, since: datetime) -> int:
    """All rows from `since` on anew, a full hour in UTC; how many there are. Within the caller's transaction."""
    made = 0
    with connection.cursor() as cursor:
        for clear, statement in ((_CLEAR_HOURS, _HOURS), (_CLEAR_MINUTES, _MINUTES)):
            cursor.execute(clear, [webinar_id, since])
            cursor.execute(statement, [webinar_id, since])
            made += cursor.rowcount
    return made
