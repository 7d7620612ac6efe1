"""What people did for accredited activities, from what the other apps have kept. Reads only.

The number of queries depends neither on the number of people nor on that of accreditations: one for what is the same
for everybody (`Gatherer`), and at most seven for each batch of people (`gather`).

What is exact, and what is not:

* **Live**, by our own broadcast: a second counts when it was broadcast within the activity's window. A second is known
  by its place in the program, whose first one has a time, so this is exact; who rewinds while it is live has watched
  the same seconds.
* **Live, at a meeting elsewhere**: the time between joining and leaving, cut to the window. As exact as the pages' word
  that they are still open.
* **Recording**: coverage knows which seconds, not when. Who watched only within the window has all of them, which is
  exact. Who also watched before or after it has at most as many as the wall time within the window allows at the
  highest playback rate and the watch engine's slack, which may be some too many, and never one that was impossible.
* **The day of taking part** is that of the latest beat within the window that brought a new second: who plays a second
  again has finished no later. A beat that was kept without a line counts when it arrived, for a live activity not
  after the webinar's end. Records without the moment of their newest second count by their latest beat.
* **The test**: the attempt that counts; where it came too late, the one that would have counted of those in time. Its
  day is that of handing in, also where a person marks it later.
* **Feedback** is known to the day, in UTC. Whether test and feedback came in time is the rules' to say.
* **Acknowledging** counts when it came before the first beat.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, Subquery

from accounts.models import User
from assessments.enums import AttemptState, Counting
from assessments.models import Attempt, EvaluationReceipt
from certification.authorities.base import Evidence, Granted, Terms
from certification.authorities.councils import INDIA
from certification.authorities.cycles import day_in
from certification.authorities.stored import as_data
from certification.domain.terms import INSTANT, terms_of, zone_of
from certification.enums import AuthorityKey, Format
from certification.models import Accreditation, Acknowledgement, Activity, DisclosureSheet, LedgerEntry
from core.db import Interval
from core.ranges import Ranges, intersect, seconds
from webinars.domain.attendance import merge
from webinars.domain.resume import media_seconds
from webinars.domain.timelines import RecordingMap, on_air
from webinars.enums import IngestKind, Phase
from webinars.models import Broadcast, Visit, WatchRecord, Webinar

PHASES = {Format.LIVE.value: Phase.LIVE, Format.ENDURING.value: Phase.ON_DEMAND}
ENDLESS = 2**31 - 1
PERCENT_PLACES = Decimal("0.0001")
JUST_CHANGED = timedelta(hours=1)
Key = tuple[int, int]  # accreditation, person
Acknowledged = tuple[datetime, datetime | None]  # at, and when another wording took its place


@dataclass(frozen=True, slots=True)
class Media:
    """What there was to watch. `counts`: which seconds of the coverage are of the activity."""

    webinar_id: int
    counts: Ranges
    length: int
    ended_at: datetime | None
    is_elsewhere: bool


@dataclass(frozen=True, slots=True)
class Watched:
    seconds: int = 0
    last_at: datetime | None = None
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A marked attempt. `counts`: among all of this person's, whenever they were."""

    at: datetime
    percent: Decimal
    counts: bool
    counting: str


class Gatherer:
    """For these accreditations, which come with activity, lesson, course and programme. One query."""

    def __init__(self, accreditations: Sequence[Accreditation]) -> None:
        self.accreditations = accreditations
        self.activities = list({one.activity_id: one.activity for one in accreditations}.values())
        self.media = _media_of(self.activities)

    def gather(self, user_ids: Sequence[int]) -> dict[Key, Evidence]:
        """By accreditation and person, for all of them. At most seven queries."""
        numbers = _numbers(user_ids)
        watched = self._watched(user_ids)
        results = self._results(user_ids)
        evaluated = self._evaluated(user_ids)
        acknowledged = self._acknowledged(user_ids)
        granted = self._granted(user_ids)
        found = {}
        for one in self.accreditations:
            activity, media = one.activity, self.media.get(one.activity_id)
            zone, tested_by = zone_of(activity), terms_of(one).tested_by
            for user_id in user_ids:
                number, council = numbers.get(user_id, ("", ""))
                seen = watched.get((activity.pk, user_id), Watched())
                lines = granted.get((user_id, one.authority, one.council), ())
                tried = _counting(results.get((activity.assessment_id or 0, user_id), ()), zone, until=tested_by)
                answered_on = evaluated.get((activity.evaluation_id or 0, user_id))
                acknowledged_at, came_first = _read(acknowledged.get((activity.pk, user_id), ()), seen)
                found[one.pk, user_id] = Evidence(
                    format=activity.format,
                    watched_seconds=seen.seconds,
                    media_seconds=media.length if media else 0,
                    took_part_on=day_in(seen.last_at, zone) if seen.last_at else None,
                    best_percent=tried.percent if tried else None,
                    has_assessment=activity.assessment_id is not None,
                    is_evaluated=answered_on is not None,
                    has_acknowledged=came_first,
                    other_format_credit=_of_other_format(lines, activity),
                    council=council if one.authority == AuthorityKey.INDIA else "",
                    registration_number=number,
                    granted=tuple(line.granted for line in lines if line.origin_id != activity.origin_id),
                    event=_event(activity.lesson.course.programme_id, one.event, activity.lesson_id),
                    tested_on=day_in(tried.at, zone) if tried else None,
                    evaluated_on=answered_on,
                    began_at=seen.first_at,
                    acknowledged_at=acknowledged_at,
                    copy_credit=_of_copies(lines, activity),
                )
        return found

    def _watched(self, user_ids: Sequence[int]) -> dict[Key, Watched]:
        by_webinar: dict[tuple[int, str], list[Activity]] = defaultdict(list)
        for activity in self.activities:
            if media := self.media.get(activity.pk):
                by_webinar[media.webinar_id, PHASES[activity.format]].append(activity)
        found: dict[Key, Watched] = {}
        rows = WatchRecord.objects.filter(
            webinar__in={webinar for webinar, _phase in by_webinar}, user__in=user_ids
        ).values_list("user_id", "webinar_id", "phase", "coverage", "clock", "first_beat_at", "last_beat_at", "grew_at")
        for user_id, webinar_id, phase, coverage, clock, first, last, grew in rows:
            for activity in by_webinar.get((webinar_id, phase), ()):
                times = clock or ((first, last),)
                seen = _counted(activity, self.media[activity.pk], coverage, times, first)
                found[activity.pk, user_id] = _until_nothing_new(seen, grew)
        return found | self._visits(user_ids)

    def _visits(self, user_ids: Sequence[int]) -> dict[Key, Watched]:
        """No query where no webinar is a meeting elsewhere."""
        elsewhere = {
            self.media[one.pk].webinar_id: one
            for one in self.activities
            if one.pk in self.media and self.media[one.pk].is_elsewhere and one.format == Format.LIVE
        }
        if not elsewhere:
            return {}
        times: dict[Key, list[Interval]] = defaultdict(list)
        for user_id, webinar_id, joined, seen, left in Visit.objects.filter(
            webinar__in=elsewhere, user__in=user_ids
        ).values_list("user_id", "webinar_id", "joined_at", "seen_at", "left_at"):
            activity = elsewhere[webinar_id]
            end = _ended(self.media[activity.pk])
            times[activity.pk, user_id] += _within(((joined, left or seen),), activity, until=end)
        return {
            key: Watched(int(_length(merge(there, gap=timedelta()))), _latest(there), min(there)[0])
            for key, there in times.items()
            if there
        }

    def _results(self, user_ids: Sequence[int]) -> Mapping[Key, Sequence[Tried]]:
        """By lesson and person: the marked attempts, in order."""
        lessons = {one.assessment_id for one in self.activities if one.assessment_id}
        if not lessons:
            return {}
        rows = Attempt.objects.filter(
            quiz__lesson__in=lessons, user__in=user_ids, state=AttemptState.MARKED, submitted_at__isnull=False
        ).values_list("quiz__lesson_id", "user_id", "submitted_at", "score", "most_points", "counts", "quiz__counting")
        found: dict[Key, list[Tried]] = defaultdict(list)
        for lesson_id, user_id, at, score, most, counts, counting in rows.order_by("number"):
            if at is not None:  # as the filter has it
                found[lesson_id, user_id].append(Tried(at, percent_of(score, most), counts, counting))
        return found

    def _evaluated(self, user_ids: Sequence[int]) -> dict[Key, date]:
        lessons = {one.evaluation_id for one in self.activities if one.evaluation_id}
        if not lessons:
            return {}
        rows = EvaluationReceipt.objects.filter(evaluation__lesson__in=lessons, user__in=user_ids)
        return {
            (lesson_id, user_id): on
            for lesson_id, user_id, on in rows.values_list("evaluation__lesson_id", "user_id", "answered_on")
        }

    def _acknowledged(self, user_ids: Sequence[int]) -> dict[Key, list["Acknowledged"]]:
        """The first one first, each with when another wording took its place."""
        later = DisclosureSheet.objects.filter(activity=OuterRef("sheet__activity"), pk__gt=OuterRef("sheet"))
        rows = (
            Acknowledgement.objects.filter(sheet__activity__in=self.activities, user__in=user_ids)
            .annotate(until=Subquery(later.order_by("pk").values("made_at")[:1]))
            .order_by("acknowledged_at", "pk")
            .values_list("sheet__activity_id", "user_id", "acknowledged_at", "until")
        )
        found: dict[Key, list[Acknowledged]] = defaultdict(list)
        for activity_id, user_id, at, until in rows:
            found[activity_id, user_id].append((at, until))
        return found

    def _granted(self, user_ids: Sequence[int]) -> Mapping[tuple[int, str, str], list["Line"]]:
        """By person, authority and council, across programmes: as the newest line of the ledger has it."""
        rows = (
            LedgerEntry.objects.filter(
                claim__user__in=user_ids, claim__authority__in={one.authority for one in self.accreditations}
            )
            .order_by("claim_id", "-number")
            .distinct("claim_id")
            .values_list(
                "claim__user_id",
                "claim__authority",
                "claim__council",
                "claim__lesson_id",
                "claim__copy_of_id",
                "claim__accreditation__activity__format",
                "claim__programme_id",
                "claim__accreditation__event",
                "claim__took_part_on",
                "credits",
            )
        )
        found: dict[tuple[int, str, str], list[Line]] = defaultdict(list)
        for user_id, authority, council, lesson_id, copy_of_id, form, programme_id, named, on, credit in rows:
            event = _event(programme_id, named, lesson_id)
            had = Granted(on=on, credit=credit or Decimal(0), format=form, event=event)
            found[user_id, authority, council].append(Line(lesson_id, copy_of_id or lesson_id, had))
        return found


@dataclass(frozen=True, slots=True)
class Line:
    lesson_id: int
    origin_id: int
    granted: Granted


def _event(programme_id: int, named: str, lesson_id: int) -> str:
    """What a council caps as one: the event that the office named, of one programme, else the webinar for itself."""
    name = " ".join(named.split()).casefold()
    return f"event-{programme_id}-{name}" if name else f"lesson-{lesson_id}"


def _of_other_format(lines: Iterable[Line], activity: Activity) -> Decimal:
    of_webinar = (one.granted for one in lines if one.lesson_id == activity.lesson_id)
    return sum((one.credit for one in of_webinar if one.format != activity.format), Decimal(0))


def _counting(tried: Sequence[Tried], zone: str, *, until: date | None) -> Tried | None:
    """`until`: the last day in time. A better result that came later takes nothing from one that was there before."""
    found = next((one for one in tried if one.counts), None)
    if found is None or until is None or day_in(found.at, zone) <= until:
        return found
    in_time = [one for one in tried if day_in(one.at, zone) <= until]
    if not in_time:
        return found
    return max(in_time, key=lambda one: one.percent) if found.counting == Counting.BEST else in_time[-1]


def _of_copies(lines: Iterable[Line], activity: Activity) -> Decimal:
    same = (one for one in lines if one.origin_id == activity.origin_id and one.lesson_id != activity.lesson_id)
    return sum((one.granted.credit for one in same), Decimal(0))


def percent_of(score: Decimal | None, most: Decimal) -> Decimal:
    """Cut, not rounded, to four places: marks to pass have two, so nobody passes by it and nobody fails."""
    if not most:
        return Decimal(100)
    return ((score or Decimal(0)) * 100 / most).quantize(PERCENT_PLACES, ROUND_DOWN)


def _numbers(user_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    rows = User.objects.filter(pk__in=user_ids).values_list("pk", "registration_number", "medical_council")
    return {pk: (number, council_key(council)) for pk, number, council in rows}


def council_key(text: str) -> str:
    """The key of a council in the table from what a doctor's profile says. Another one stays as it is written."""
    return _COUNCILS.get(_bare(text)) or " ".join(text.split())


def _bare(text: str) -> str:
    """'Maharashtra', 'the Medical Council of Maharashtra' and 'Maharashtra State Medical Council' are one."""
    words = re.findall(r"\w+", text.replace("_", " ").casefold())
    return " ".join(word for word in words if word not in _SAID_OF_ALL)


@cache
def council_titles() -> dict[str, str]:
    """By key, of every version of the rules."""
    versions = INDIA.versions
    return {key: council.title for pack in versions for key, council in getattr(pack, "councils", {}).items()}


_SAID_OF_ALL = frozenset({"medical", "council", "councils", "state", "of", "the"})
_COUNCILS: dict[str, str] = {
    _bare(name): council.key
    for pack in INDIA.versions
    for council in getattr(pack, "councils", {}).values()
    for name in (council.key, council.title, council.title.partition("(")[0])
}


# Media


def _media_of(activities: Sequence[Activity]) -> dict[int, Media]:
    """By activity. One query."""
    real = Broadcast.objects.filter(webinar=OuterRef("pk"), is_rehearsal=False).order_by("pk")
    rows = (
        Webinar.objects.filter(lesson__in={one.lesson_id for one in activities})
        .annotate(
            epoch=Subquery(real.values("epoch")[:1]),
            program=Subquery(real.values("program_seconds")[:1]),
            duration=F("video__duration_seconds"),
            edition=on_air(),
        )
        .values("pk", "lesson_id", "ingest", "planned_minutes", "ended_at", "epoch", "program", "duration", "edition")
    )
    by_lesson = {row["lesson_id"]: row for row in rows}
    return {
        one.pk: _live_media(one, by_lesson[one.lesson_id])
        if one.format == Format.LIVE
        else _recorded_media(by_lesson[one.lesson_id])
        for one in activities
        if one.lesson_id in by_lesson
    }


def _live_media(activity: Activity, row: Mapping[str, Any]) -> Media:
    """In seconds of the program: those of the broadcast that lie within the activity's window."""
    first, last = 0, math.ceil(row["program"]) if row["program"] else ENDLESS
    if row["epoch"] and activity.starts_at:
        first = max(first, math.ceil((activity.starts_at - row["epoch"]).total_seconds()))
    if row["epoch"] and activity.ends_at:
        last = min(last, math.floor((activity.ends_at - row["epoch"]).total_seconds()))
    last = max(first, last)
    length = last - first if row["program"] else row["planned_minutes"] * 60
    is_elsewhere = row["ingest"] == IngestKind.EXTERNAL
    return Media(row["pk"], ((first, last),) if last > first else (), length, row["ended_at"], is_elsewhere)


def _recorded_media(row: Mapping[str, Any]) -> Media:
    """In seconds of the uncut recording: those that it shows now."""
    duration = row["duration"]
    if not duration:
        return Media(row["pk"], ((0, ENDLESS),), 0, None, False)
    edition = RecordingMap.read(row["edition"]) if row["edition"] else None
    shown = edition.shown(duration) if edition else ((0, media_seconds(duration)),)
    return Media(row["pk"], shown, seconds(shown), None, False)


def _counted(
    activity: Activity, media: Media, coverage: Ranges, clock: Iterable[Interval], first_beat_at: datetime
) -> Watched:
    clock = tuple(clock)
    is_live = activity.format == Format.LIVE
    inside = list(_within(clock, activity, until=_ended(media) if is_live else None))
    if not inside:
        return Watched()
    count = seconds(intersect(coverage, media.counts))
    if not is_live:
        wall, allowed = _length(clock), _length(inside)
        if allowed < wall:
            count = min(count, int(allowed * settings.MAX_PLAYBACK_RATE) + settings.CREDIT_SLACK_SECONDS)
    started = inside[0][0]
    return Watched(count, _latest(inside), max(started, first_beat_at) if first_beat_at <= inside[-1][1] else started)


def _until_nothing_new(seen: Watched, grew_at: datetime | None) -> Watched:
    """`grew_at` outside of the window says nothing of what was watched within it."""
    if grew_at is None or seen.first_at is None or seen.last_at is None:
        return seen
    return replace(seen, last_at=grew_at) if seen.first_at <= grew_at < seen.last_at else seen


def _ended(media: Media) -> datetime | None:
    return media.ended_at


def _within(clock: Iterable[Interval], activity: Activity, *, until: datetime | None) -> Iterator[Interval]:
    """What of each interval lies in [start, end) of the activity. `until`: nothing of it is later than that."""
    for start, ends in clock:
        end = max(start, min(ends, until)) if until else ends
        opens, closes = activity.starts_at or start, activity.ends_at or end + INSTANT
        if start < closes and end >= opens:
            yield max(start, opens), min(end, closes)


def _length(intervals: Iterable[Interval]) -> float:
    return sum((end - start).total_seconds() for start, end in intervals)


def _latest(intervals: Iterable[Interval]) -> datetime:
    """Ends are not in them: who is there until midnight was not there on the next day."""
    start, end = max(intervals, key=lambda one: one[1])
    return max(start, end - INSTANT)


def _read(acknowledged: Sequence[Acknowledged], seen: Watched) -> tuple[datetime | None, bool]:
    """When the wording was acknowledged that held at the start, and whether that came first.

    One that was changed less than `JUST_CHANGED` before the start still counts: the doctor had read what there was.
    """
    start = seen.first_at
    for at, until in acknowledged:
        if start is None or (at <= start and (until is None or until > start - JUST_CHANGED)):
            return at, True
    return (acknowledged[0][0] if acknowledged else None), False


# Keeping it


def data_of(evidence: Evidence, terms: Terms) -> dict[str, Any]:
    """For JSON in one canonical form; `authorities.stored` reads it, and the same rules give the same decision.

    Nothing says whose it is: of a council number only that there is one.
    """
    data = as_data(evidence) | {"registration_number": "…" if evidence.registration_number.strip() else ""}
    return {"evidence": data, "terms": as_data(terms)}
