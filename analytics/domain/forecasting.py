"""When a certificate will be ready, and an honest reason where no day can be said."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from analytics.domain.progress import CourseProgress, LessonProgress, ProgrammeProgress
from analytics.domain.stretches import Stretch
from analytics.enums import Outlook, Standing
from courses.domain.availability import State as Open
from courses.enums import CompletionRule
from webinars.models import Webinar

PACE_DAYS = 28
LONGEST_FORECAST = timedelta(days=730)
UNDATED = datetime.max.replace(tzinfo=UTC)
BY_STANDING = {
    Standing.COMPLETED: Outlook.FINISHED,
    Standing.ENDED: Outlook.ENDED,
    Standing.LATER: Outlook.BEGINS_LATER,
}


@dataclass(frozen=True, slots=True)
class Forecast:
    """`day` with READY only. `weekly_seconds` with TOO_LATE only: the pace at which it would still be done; 0 where
    something needed comes only after the end."""

    outlook: Outlook
    day: date | None = None
    weekly_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Coming:
    """A lecture without a recording: until `ends_at` it can be seen live, and after that its recording is awaited.

    `seconds`: what will have to be watched of that recording.
    """

    ends_at: datetime | None
    seconds: int


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What a course or lesson still takes: seconds to watch, and the earliest moment at which it can be done."""

    seconds: int
    earliest: datetime


def lectures_to_come(progress: ProgrammeProgress, *, now: datetime) -> dict[int, Coming]:
    """By webinar, for those without a recording that a certificate may need. One query."""
    waited = {
        lesson.webinar_id: lesson
        for course in progress.counted
        if not course.completed_at
        for lesson in course.counted
        if lesson.webinar_id and not lesson.completed_at and not lesson.total_seconds
    }
    rows = Webinar.objects.filter(pk__in=waited).only(
        "starts_at", "planned_minutes", "completion_percent", "ended_at", "cancelled_at"
    )
    return {row.pk: _coming(row, waited[row.pk], now) for row in rows}


def _coming(webinar: Webinar, lesson: LessonProgress, now: datetime) -> Coming:
    if webinar.starts_at is None or webinar.cancelled_at is not None:
        return Coming(None, 0)
    planned = timedelta(minutes=webinar.planned_minutes)
    if webinar.ended_at is None and webinar.starts_at + planned > now:
        return Coming(webinar.starts_at + planned, 0)
    needed = math.ceil(planned.total_seconds() * webinar.completion_percent / 100)
    return Coming(now, max(0, needed - lesson.watched.live_seconds))


def forecast_of(
    progress: ProgrammeProgress,
    stretches: Iterable[Stretch],
    *,
    coming: Mapping[int, Coming],
    now: datetime,
    zone: tzinfo,
) -> Forecast:
    """The day on which what is left is watched at the pace of the last four weeks.

    Nothing can be done before it opens or takes place: the day is never before that. Where some courses of many
    are enough, the shortest and the earliest ones are counted, so the true day is that one or later.
    """
    if progress.standing is not Standing.RUNNING:
        return Forecast(BY_STANDING[progress.standing])
    if not progress.remaining:
        return Forecast(Outlook.FINISHED if progress.needed else Outlook.NOT_ANNOUNCED)
    ahead = _programme_ahead(progress, coming, now)
    if ahead is None:
        return Forecast(Outlook.OUT_OF_REACH)
    if ahead.earliest == UNDATED:
        return Forecast(Outlook.NOT_ANNOUNCED)
    if not ahead.seconds and ahead.earliest <= now:
        return Forecast(Outlook.NOTHING_TO_WATCH)
    return _at_this_pace(progress, ahead, _recent(stretches, now), now=now, zone=zone)


def _recent(stretches: Iterable[Stretch], now: datetime) -> float:
    since = now - timedelta(days=PACE_DAYS)
    return sum(max(0.0, (min(end, now) - max(start, since)).total_seconds()) * share for start, end, share in stretches)


def _at_this_pace(
    progress: ProgrammeProgress, ahead: _Ahead, recent: float, *, now: datetime, zone: tzinfo
) -> Forecast:
    """`recent`: seconds at lectures in the last four weeks."""
    closes_at = progress.availability.closes_at
    if closes_at and ahead.earliest > closes_at:
        return Forecast(Outlook.TOO_LATE)
    if recent <= 0 and ahead.seconds:
        return Forecast(Outlook.NO_PACE)
    days = ahead.seconds * PACE_DAYS / recent if recent else 0.0
    left = (closes_at - now) / timedelta(days=1) if closes_at else math.inf
    if days > left:
        return Forecast(Outlook.TOO_LATE, weekly_seconds=math.ceil(ahead.seconds * min(1, 7 / left)))
    if days > LONGEST_FORECAST.days:
        return Forecast(Outlook.FAR)
    return Forecast(Outlook.READY, max(now + timedelta(days=days), ahead.earliest).astimezone(zone).date())


def _programme_ahead(progress: ProgrammeProgress, coming: Mapping[int, Coming], now: datetime) -> _Ahead | None:
    """None where it cannot be completed any more, because too much of it has closed."""
    courses = [course for course in progress.counted if not course.completed_at]
    found = [one for course in courses if (one := _course_ahead(course, coming, now))]
    if len(found) < progress.remaining and len(found) < len(courses):
        return None
    return _least(found, progress.remaining)


def _course_ahead(course: CourseProgress, coming: Mapping[int, Coming], now: datetime) -> _Ahead | None:
    lessons = [lesson for lesson in course.counted if not lesson.completed_at]
    number = len(lessons)
    if course.rule == CompletionRule.N_OF_M:
        number = max(0, (course.required_count or 0) - (len(course.counted) - len(lessons)))
    found = [_lesson_ahead(lesson, coming, now) for lesson in lessons if lesson.availability.state is not Open.CLOSED]
    if course.availability.state is Open.CLOSED or (len(found) < number and len(found) < len(lessons)):
        return None
    least = _least(found, number if course.lessons else 1)  # without lessons there is nothing to complete yet
    return _Ahead(least.seconds, max(least.earliest, course.availability.opens_at or now))


def _lesson_ahead(lesson: LessonProgress, coming: Mapping[int, Coming], now: datetime) -> _Ahead:
    opens = max(now, lesson.availability.opens_at or now)
    to_come = coming.get(lesson.webinar_id or 0)
    if to_come is None:
        return _Ahead(lesson.needed_seconds, opens)
    return _Ahead(to_come.seconds, max(opens, to_come.ends_at) if to_come.ends_at else UNDATED)


def _least(parts: Sequence[_Ahead], number: int) -> _Ahead:
    """Of the parts, as many as are asked for: the shortest ones, and the earliest ones."""
    if number <= 0:
        return _Ahead(0, datetime.min.replace(tzinfo=UTC))
    dates = sorted(part.earliest for part in parts)
    earliest = dates[number - 1] if number <= len(dates) else UNDATED
    return _Ahead(sum(sorted(part.seconds for part in parts)[:number]), earliest)
