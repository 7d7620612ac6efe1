"""A time zone as VTIMEZONE (RFC 5545, 3.6.5): every change of its clocks within a span, one by one.

Rules ("the last Sunday in March") would be shorter and wrong for Morocco, whose clocks go back for Ramadan. A change is
looked for day by day, because two of them may lie within a month.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)


@lru_cache(maxsize=500)
def timezone_of(name: str, first_year: int, last_year: int) -> Timezone:
    """From the start of one year to the end of another, which must hold all that the calendar tells of the zone."""
    zone = ZoneInfo(name)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    made = Timezone()
    made.add("TZID", name)
    made.add_component(_observance(start, zone, before=_offset(start, zone)))
    for moment in _changes(zone, start, datetime(last_year + 1, 1, 1, tzinfo=UTC)):
        made.add_component(_observance(moment, zone, before=_offset(moment - timedelta(seconds=1), zone)))
    return made


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The moments, in UTC, from which on the clocks show something else."""
    day = start
    while day < end:
        following = day + DAY
        if _face(day, zone) != _face(following, zone):
            early, late = day, following
            while late - early > timedelta(seconds=1):
                middle = (early + (late - early) / 2).replace(microsecond=0)
                if _face(middle, zone) == _face(day, zone):
                    early = middle
                else:
                    late = middle
            yield late
        day = following


def _observance(moment: datetime, zone: ZoneInfo, *, before: timedelta) -> TimezoneStandard | TimezoneDaylight:
    """Its start is written by the clocks of before, as the RFC wants it."""
    local = moment.astimezone(zone)
    made = TimezoneDaylight() if local.dst() else TimezoneStandard()
    made.add("DTSTART", (moment + before).replace(tzinfo=None))
    made.add("TZOFFSETFROM", before)
    made.add("TZOFFSETTO", _offset(moment, zone))
    made.add("TZNAME", local.tzname() or str(zone))
    return made


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _face(moment: datetime, zone: ZoneInfo) -> tuple[timedelta | None, str | None]:
    local = moment.astimezone(zone)
    return local.utcoffset(), local.tzname()
