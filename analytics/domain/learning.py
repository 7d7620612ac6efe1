"""A doctor's own numbers: weeks at work, pace, when the certificate will be ready, and how the cohort stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from django.db.models import Count, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from analytics.domain.forecasting import Forecast, forecast_of, lectures_to_come
from analytics.domain.progress import ProgrammeProgress
from analytics.domain.stretches import Stretch, at_once, stretches_of
from certification.enums import CREDIT_ENTRIES
from certification.models import LedgerEntry
from courses.enums import OPEN_ENROLMENTS
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from webinars.models import WatchRecord

WEEKS_SHOWN = 8
LEAST_COHORT = 20  # fewer colleagues, and "half of them" could be told by name


@dataclass(frozen=True, slots=True)
class Week:
    """From `begins`, a Monday on the doctor's calendar; `seconds` at lectures, live or recorded."""

    begins: date
    seconds: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Of the colleagues in the same programme (and cohort, if there are any), without the doctor."""

    people: int
    mine: int
    median_courses: float
    ahead_percent: int  # of colleagues with fewer courses completed


@dataclass(frozen=True, slots=True)
class Learning:
    """`streak`: weeks in a row, this one included once something was done in it. `credits` by authority's key."""

    watched_seconds: int
    needed_seconds: int
    weeks: tuple[Week, ...]
    streak: int
    forecast: Forecast
    credits: tuple[tuple[str, Decimal], ...]

    @property
    def is_active_now(self) -> bool:
        """Something was done this week."""
        return bool(self.weeks) and self.weeks[-1].is_active

    @property
    def bar(self) -> tuple[tuple[tuple[int, int], ...], int]:
        """Parts and length of the bar of what was watched; full once nothing is needed any more."""
        whole = self.watched_seconds + self.needed_seconds
        return ((0, self.watched_seconds),), max(1, whole)

    @property
    def watched_percent(self) -> int:
        """Of what the certificate asks to watch, rounded down."""
        whole = self.watched_seconds + self.needed_seconds
        return self.watched_seconds * 100 // whole if whole else 0


def learning_of(progress: ProgrammeProgress, *, user: User, now: datetime, zone: tzinfo) -> Learning:
    """Four queries."""
    stretches = _at_lectures(user, progress.id)
    deeds = list(
        LessonCompletion.objects.filter(user=user, lesson__course__programme=progress.id).values_list(
            "completed_at", flat=True
        )
    )
    weeks = weeks_of(stretches, deeds, now=now, zone=zone)
    return Learning(
        watched_seconds=sum(course.seen_seconds for course in progress.counted),
        needed_seconds=progress.needed_seconds,
        weeks=weeks[-WEEKS_SHOWN:],
        streak=streak_of(weeks),
        forecast=forecast_of(progress, stretches, coming=lectures_to_come(progress, now=now), now=now, zone=zone),
        credits=_credits(user, progress.id),
    )


def _at_lectures(user: User, programme_id: int) -> list[Stretch]:
    """Wall time at lectures, by the watch engine's clocks; a live one ends with the webinar at the latest."""
    records = WatchRecord.objects.filter(user=user, webinar__lesson__course__programme=programme_id)
    found: list[Stretch] = []
    for clock, phase, ended_at, seen in records.values_list("clock", "phase", "webinar__ended_at", "seen_seconds"):
        until = ended_at if phase == "live" else None
        found += stretches_of([(start, min(end, until or end)) for start, end in clock], seen_seconds=seen)
    return at_once(found)


def weeks_of(
    stretches: Iterable[Stretch], deeds: Iterable[datetime], *, now: datetime, zone: tzinfo
) -> tuple[Week, ...]:
    """Every week from the first in which something was done to this one; days are the doctor's own."""
    seconds: dict[date, float] = {}
    for start, end, share in stretches:
        at = start
        while at < end:
            monday = _monday(at, zone)
            border = datetime.combine(monday + timedelta(days=7), datetime.min.time(), tzinfo=zone)
            until = min(end, border)
            seconds[monday] = seconds.get(monday, 0.0) + (until - at).total_seconds() * share
            at = until
    active = set(seconds) | {_monday(at, zone) for at in deeds}
    this_week = _monday(now, zone)
    first = min(active, default=this_week)
    count = max(0, (this_week - first).days // 7) + 1
    mondays = [first + timedelta(days=7 * i) for i in range(count)]
    return tuple(Week(one, round(seconds.get(one, 0)), one in active) for one in mondays)


def _monday(at: datetime, zone: tzinfo) -> date:
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def streak_of(weeks: tuple[Week, ...]) -> int:
    """A week that has just begun breaks nothing: there is still time in it."""
    done = list(weeks if not weeks or weeks[-1].is_active else weeks[:-1])
    streak = 0
    while done and done.pop().is_active:
        streak += 1
    return streak


def _credits(user: User, programme_id: int) -> tuple[tuple[str, Decimal], ...]:
    """What the newest line of each claim says, added up by authority."""
    newest = LedgerEntry.objects.filter(claim=OuterRef("claim"), kind__in=sorted(CREDIT_ENTRIES)).order_by("-number")
    lines = LedgerEntry.objects.filter(
        user=user, programme=programme_id, kind__in=sorted(CREDIT_ENTRIES), number=Subquery(newest.values("number")[:1])
    )
    sums = lines.values_list("claim__authority").annotate(credits=Sum("credits")).order_by("claim__authority")
    return tuple((authority, amount) for authority, amount in sums if amount)


def cohort_of(enrolment: Enrolment) -> Cohort | None:
    """None where the cohort is too small to be one. Two queries, which bring a row for each number of courses."""
    colleagues = Enrolment.objects.filter(programme=enrolment.programme_id, status__in=OPEN_ENROLMENTS)
    if enrolment.cohort_id is not None:
        colleagues = colleagues.filter(cohort=enrolment.cohort_id)
    completed = CourseCompletion.objects.filter(course__programme=enrolment.programme_id)
    number_of = completed.filter(user=OuterRef("user")).order_by().values("user").values(number=Count("pk"))
    rows = (
        colleagues.exclude(user=enrolment.user_id)
        .order_by()
        .values(done=Coalesce(Subquery(number_of), 0))
        .annotate(people=Count("pk"))
        .order_by("done")
    )
    numbers = [(row["done"], row["people"]) for row in rows]
    people = sum(number for _, number in numbers)
    if people < LEAST_COHORT:
        return None
    mine = completed.filter(user=enrolment.user_id).count()
    median = (_nth(numbers, (people - 1) // 2) + _nth(numbers, people // 2)) / 2
    behind = sum(number for done, number in numbers if done < mine)
    return Cohort(people, mine, median, 100 * behind // people)


def _nth(numbers: list[tuple[int, int]], place: int) -> int:
    """The courses of the colleague at this place, from 0, when they stand in a row by courses completed."""
    for done, people in numbers:
        place -= people
        if place < 0:
            return done
    raise IndexError(place)
