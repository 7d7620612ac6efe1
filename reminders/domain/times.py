"""When a message goes out on the doctor's own clock. Pure: no query, and no clock but the one that is handed in.

Clocks are set forward and back. A time of day that a day does not have counts as the first moment after the gap; one
that it has twice counts the first time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@lru_cache(maxsize=1_000)
def zone_named(name: str) -> ZoneInfo:
    """UTC for a name that this machine's tz database does not know (any longer)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """In UTC. Of a gap its end: what was 02:30 on a day that goes from 02:00 to 03:00 is 03:00."""
    wanted = datetime.combine(day, at.replace(tzinfo=None))
    found = wanted.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wanted:
        return found
    before, after = wanted.replace(tzinfo=zone), wanted.replace(tzinfo=zone, fold=1)
    early, late = sorted((before.astimezone(UTC), after.astimezone(UTC)))
    while late - early > timedelta(seconds=1):  # the change lies between the two readings
        middle = early + (late - early) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wanted:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def due_of(event: datetime, *, offset_minutes: int, local_time: time | None, zone: ZoneInfo) -> datetime:
    """With `local_time` at that hour, else to the minute. Before an event: of the day on which event plus offset falls
    there. After it: the first such hour that comes then, because nobody hears of a thing before it has happened.
    """
    moved = event + timedelta(minutes=offset_minutes)
    if local_time is None:
        return moved
    day = moved.astimezone(zone).date()
    found = moment_of(day, local_time, zone)
    return found if offset_minutes < 0 or found >= moved else moment_of(day + DAY, local_time, zone)


def next_allowed(at: datetime, *, quiet_from: time, quiet_until: time, zone: ZoneInfo) -> datetime:
    """`at` itself outside the quiet hours, else their end. From and until the same: there are none.

    Asked of the hours themselves, not of the clock's face: in the night of a change the hour from 02:00 may come twice.
    """
    if quiet_from == quiet_until:
        return at
    today = at.astimezone(zone).date()
    for day in (today - DAY, today):
        begin = moment_of(day, quiet_from, zone)
        end = moment_of(day + DAY if quiet_until < quiet_from else day, quiet_until, zone)
        if begin <= at < end:
            return end
    return at


@dataclass(frozen=True, slots=True)
class LocalDay:
    """Of one zone: `at` is a time of its day, and what is due then is what falls into [begins_at, ends_at). In UTC."""

    zone: str
    begins_at: datetime
    ends_at: datetime
    at: datetime


def local_days(
    zones: Iterable[str], *, local_time: time, onwards: bool, first: datetime, last: datetime
) -> Iterator[LocalDay]:
    """`due_of` as a table, for whatever lies within [first, last]. `onwards`: not before the event.

    Zones go by the name that was given: one that nobody knows is as UTC.
    """
    for name in zones:
        zone = zone_named(name)
        day = first.astimezone(zone).date()
        final = last.astimezone(zone).date() + DAY
        while day <= final:
            at = moment_of(day, local_time, zone)
            if onwards:
                yield LocalDay(name, moment_of(day - DAY, local_time, zone) + INSTANT, at + INSTANT, at)
            else:
                yield LocalDay(name, moment_of(day, time(), zone), moment_of(day + DAY, time(), zone), at)
            day += DAY


def local_weeks(
    zones: Iterable[str], *, offset_minutes: int, local_time: time | None, now: datetime
) -> Iterator[tuple[str, str, datetime]]:
    """For each zone: its name, the ISO week there ("2026-W48") and when a weekly message is due in it.

    The offset is from the first moment of Monday.
    """
    for name in zones:
        zone = zone_named(name)
        today = now.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        year, week, _weekday = monday.isocalendar()
        begins = moment_of(monday, time(), zone)
        if local_time is None:
            day, clock = divmod(offset_minutes, 1440)
            due = moment_of(monday + timedelta(days=day), time(clock // 60, clock % 60), zone)
        else:
            due = due_of(begins, offset_minutes=offset_minutes, local_time=local_time, zone=zone)
        yield name, f"{year}-W{week:02}", due
