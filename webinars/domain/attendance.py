"""Who was there: intervals from joining to leaving, by person. Read from what the watch engine and visits have kept."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from core.db import Interval, Intervals
from core.ranges import intersect, seconds
from webinars.enums import Phase
from webinars.models import Broadcast, Visit, WatchRecord, Webinar

# A reload, a change of room, a short loss of the line: nobody has left.
MERGED_GAP = timedelta(seconds=60)
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Attendance:
    """`seen_seconds` are seconds of the programme watched; for a meeting elsewhere, the time of being there."""

    user: User
    intervals: Intervals
    seen_seconds: int

    @property
    def first_join(self) -> datetime:
        return self.intervals[0][0]

    @property
    def last_leave(self) -> datetime:
        return self.intervals[-1][1]

    @property
    def present_seconds(self) -> int:
        return int(sum((end - start).total_seconds() for start, end in self.intervals))

    @property
    def minutes_live(self) -> int:
        """Rounded down: nobody reads of a minute that was not watched."""
        return self.seen_seconds // 60


def merge(intervals: Iterable[Interval], *, gap: timedelta = MERGED_GAP) -> Intervals:
    """Sorted; what lies less than `gap` apart becomes one."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start - merged[-1][1] < gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def attendance_of(webinar: Webinar, *, search: str = "") -> Iterator[Attendance]:
    """By name. People are read in thousands: 15,000 rows cost some megabytes, not some hundred."""
    people = _people(webinar, search)
    for start in range(0, len(people), BATCH):
        yield from _batch(webinar, people[start : start + BATCH])


def count_attendance(webinar: Webinar, *, search: str = "") -> int:
    return len(_people(webinar, search))


def page_of_attendance(webinar: Webinar, *, search: str = "", start: int, end: int) -> list[Attendance]:
    return list(_batch(webinar, _people(webinar, search)[start:end]))


def _people(webinar: Webinar, search: str) -> list[int]:
    """Ids in the order of names. Two index scans: who watched live, and who visited."""
    watched = WatchRecord.objects.filter(webinar=webinar, phase=Phase.LIVE).values("user")
    visited = Visit.objects.filter(webinar=webinar).values("user")
    people = User.objects.filter(pk__in=watched.union(visited))
    for word in search.split():
        people = people.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(registration_number__icontains=word)
        )
    return list(people.order_by("last_name", "first_name", "pk").values_list("pk", flat=True))


def _batch(webinar: Webinar, ids: list[int]) -> Iterator[Attendance]:
    intervals: dict[int, list[Interval]] = defaultdict(list)
    seen: dict[int, int] = defaultdict(int)
    for user_id, clock, coverage, program_seconds in _watched(webinar, ids):
        intervals[user_id] += [_until_the_end(one, webinar) for one in clock]
        shown = ((0, math.ceil(program_seconds)),) if program_seconds else coverage
        seen[user_id] += seconds(intersect(coverage, shown))
    visits: dict[int, list[Interval]] = defaultdict(list)
    for user_id, joined, seen_at, left in Visit.objects.filter(webinar=webinar, user__in=ids).values_list(
        "user_id", "joined_at", "seen_at", "left_at"
    ):
        visits[user_id].append((joined, left or seen_at))
    for user_id, there in visits.items():
        seen[user_id] += int(sum((end - start).total_seconds() for start, end in merge(there, gap=timedelta())))
        intervals[user_id] += there
    users = User.objects.in_bulk(ids)
    for user_id in ids:
        if merged := merge(intervals[user_id]):
            yield Attendance(user=users[user_id], intervals=merged, seen_seconds=seen[user_id])


def _watched(webinar: Webinar, ids: list[int]) -> Iterable[Any]:
    """With the length of the broadcast, where it was ours."""
    length = Broadcast.objects.filter(webinar=OuterRef("webinar"), is_rehearsal=False).values("program_seconds")[:1]
    records = WatchRecord.objects.filter(webinar=webinar, phase=Phase.LIVE, user__in=ids)
    return records.values_list("user_id", "clock", "coverage", Subquery(length))


def _until_the_end(interval: Interval, webinar: Webinar) -> Interval:
    """A clock runs until the latest beat is received, which may be days later where a device was without a line."""
    start, end = interval
    return start, max(start, min(end, webinar.ended_at)) if webinar.ended_at else end


HEADINGS = (
    _("Name"),
    _("E-mail"),
    _("Country"),
    _("Medical council"),
    _("Registration number"),
    _("First join (UTC)"),
    _("Last leave (UTC)"),
    _("Minutes live"),
    _("Minutes present"),
    _("Intervals (UTC)"),
)


def table_of(webinar: Webinar, *, search: str = "") -> Iterator[tuple[str | int, ...]]:
    """The rows of an export, the headings first. Times are in UTC: the file is read in many places."""
    yield tuple(str(heading) for heading in HEADINGS)
    for row in attendance_of(webinar, search=search):
        person = row.user
        yield (
            person.get_full_name(),
            person.email,
            str(person.country.name) if person.country else "",
            person.medical_council,
            person.registration_number,
            _moment(row.first_join),
            _moment(row.last_leave),
            row.minutes_live,
            row.present_seconds // 60,
            "; ".join(f"{_moment(start)} – {_moment(end)}" for start, end in row.intervals),
        )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def record_export(
    *, webinar: Webinar, form: str, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    """A file with people's names leaves the house: who took it is kept."""
    audit.record("attendance.exported", actor=actor, subject=webinar, request=request, details={"form": form}, now=now)
