"""How well a webinar played, report by report: of months in the database and of those in cold storage alike."""

from collections.abc import Iterator
from datetime import date
from itertools import chain, islice
from typing import Any

from django.db import connections
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.domain.cold import files
from analytics.domain.exporting.datasets import (
    CODE,
    NUMBER,
    TEXT,
    UTC_TIME,
    Column,
    Dataset,
    Key,
    Row,
    Scope,
    Source,
    select,
)
from analytics.models import ColdFile, PlaybackReport
from core.replica import reading

_MONTHS = """
SELECT DISTINCT date_trunc('month', session_started_at AT TIME ZONE 'UTC')::date
FROM analytics_playbackreport WHERE webinar_id = %s
"""
# As coarse as in a file: a row says the same before and after its month is moved.
_REPORTS = """
SELECT to_char(%(month)s::date, 'YYYY-MM'),
    row_number() OVER (ORDER BY session_started_at, session_id, number) AS row,
    date_trunc('day', session_started_at, 'UTC'), date_trunc('minute', received_at, 'UTC'), phase, country, device,
    network, start_ms, play_ms, stall_ms, stalls, kbits, errors, error_kind, replayed::text
FROM analytics_playbackreport
WHERE webinar_id = %(webinar)s AND session_started_at >= (%(month)s::date)::timestamp AT TIME ZONE 'UTC'
    AND session_started_at < (%(month)s::date + interval '1 month') AT TIME ZONE 'UTC'
ORDER BY row OFFSET %(skipped)s LIMIT %(limit)s
"""
_LEFT_OUT = {"session_started_at", "received_at", "session", "number", "webinar"}
_REST = [number for number, name in enumerate(files.COLUMNS) if name not in _LEFT_OUT]


def _read(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    if source.webinar is None:
        raise ValueError("This dataset is about a webinar.")
    begun, row = (date.fromisoformat(f"{after[0]}-01"), int(after[1])) if after else (None, 0)
    found = chain.from_iterable(
        _of_month(month, webinar_id=source.webinar.pk, skipped=row if month == begun else 0, limit=limit)
        for month in _months(source.webinar.pk)
        if begun is None or month >= begun
    )
    return islice(found, limit)


def _months(webinar_id: int) -> list[date]:
    """In order. A file is fetched and read whole, so only those in which the webinar has a row."""
    alias = reading()
    with connections[alias].cursor() as cursor:
        cursor.execute(_MONTHS, [webinar_id])
        found = {month for (month,) in cursor.fetchall()}
    has_some = Q(webinars=None) | Q(webinars__contains=[webinar_id])
    cold = ColdFile.objects.using(alias).filter(has_some, table=PlaybackReport._meta.db_table)
    return sorted(found | set(cold.values_list("month", flat=True)))


def _of_month(month: date, *, webinar_id: int, skipped: int, limit: int | None) -> Iterator[Row]:
    """The database is asked first and the list of files after it: a month that is moved meanwhile is in one of them."""
    values = {"month": month, "webinar": webinar_id, "skipped": skipped, "limit": limit}
    rows = select(_REPORTS, values)
    first = next(rows, None)
    cold = ColdFile.objects.using(reading()).filter(table=PlaybackReport._meta.db_table, month=month).first()
    if cold is None:
        return chain([] if first is None else [first], rows)
    return islice(_cold(cold, webinar_id), skipped, None)


def _cold(cold: ColdFile, webinar_id: int) -> Iterator[Row]:
    name = f"{cold.month:%Y-%m}"
    for number, row in enumerate(files.rows_of(cold, webinar_id=webinar_id), 1):
        yield (name, number, *_times(row), *(row[at] for at in _REST))


def _times(row: Any) -> Row:
    return files.midnight(row[0]), row[1]


PLAYBACK = Dataset(
    key="playback",
    scope=Scope.WEBINAR,
    title=_("How well it played"),
    about=_(
        "What players told of themselves while a webinar was watched: one row for each report. Nothing says whose "
        "player it was."
    ),
    key_columns=2,
    read=_read,
    columns=(
        Column("month", CODE, _("In which the player was opened, in UTC: “2027-01”.")),
        Column("row", NUMBER, _("Within that month. In the present month a report that comes later may move others.")),
        Column("opened_on", UTC_TIME, _("The day on which the player was opened.")),
        Column("received_at", UTC_TIME, _("The minute in which the report came.")),
        Column("phase", CODE, _("“live” or “on_demand”: the broadcast or the recording.")),
        Column("country", CODE, _("Of the doctor’s profile (ISO 3166-1, two letters). Empty: not stated.")),
        Column("device", CODE, _("“phone”, “tablet”, “computer”, “tv” or “other”.")),
        Column("network", CODE, _("As the browser says: “wifi”, “wired”, “4g”, “3g”, “2g”, “slow-2g” or “unknown”.")),
        Column("start_ms", NUMBER, _("Milliseconds from the tap to the first picture, where one began.")),
        Column("play_ms", NUMBER, _("Milliseconds played since the report before.")),
        Column("stall_ms", NUMBER, _("Milliseconds waited for data since then.")),
        Column("stalls", NUMBER, _("How often it waited.")),
        Column("kbits", NUMBER, _("Bitrate of the picture in kbit/s, times the seconds played.")),
        Column("errors", NUMBER, _("What went wrong, counted.")),
        Column("error_kind", CODE, _("The last of them: “network”, “refused” or “broken”.")),
        Column("replayed", TEXT, _("Seconds that were seen before and played again, as ranges.")),
    ),
)
