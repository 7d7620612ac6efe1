"""Which webinars come, when they need machines, and for how many doctors."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Count, F, Q, Sum

from courses.enums import EnrolmentStatus, PublishStatus
from courses.models import Enrolment
from webinars.models import Registration, SpotWindow, Webinar

HORIZON = timedelta(days=14)
LATE_SHARE = 1 / 3  # of the registered, who come on top
ATTENDING_SHARE = 0.6  # of a programme's doctors where nobody registers
RUNS_ON = timedelta(minutes=15)  # at a time
LONGEST_OVERRUN = timedelta(hours=4)  # after it a webinar counts as forgotten
LOOK_BACK = timedelta(hours=24)
MAY_COME = (EnrolmentStatus.INVITED, EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    webinar_id: int
    title: str
    timezone: str  # the programme's
    starts_at: datetime
    ends_at: datetime
    doctors: int


def expected_doctors(
    *, registered: int, enrolled: int, free_at_the_door: int, places: int | None, needs_registration: bool
) -> int:
    """To the safe side: machines too many cost cents, too few a webinar."""
    coming = ceil(registered * (1 + LATE_SHARE))
    if not needs_registration:
        coming = max(coming, ceil(enrolled * ATTENDING_SHARE))
    coming += free_at_the_door
    return coming if places is None else min(coming, places)


def end_of(webinar: Webinar, starts_at: datetime, *, now: datetime) -> datetime:
    """The real end, else the planned one; who is live beyond it is given another quarter of an hour on the clock."""
    if webinar.ended_at is not None:
        return webinar.ended_at
    planned = max(starts_at, webinar.live_at or starts_at) + timedelta(minutes=webinar.planned_minutes)
    if webinar.live_at is None or now < planned or now > planned + LONGEST_OVERRUN:
        return planned
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    return quarter + 2 * RUNS_ON


def coming_events(*, now: datetime, horizon: timedelta = HORIZON) -> list[Event]:
    """Published live webinars up to the horizon, those of the last day included. Four queries whatever their number."""
    webinars = list(
        Webinar.objects.filter(
            starts_at__gt=now - LOOK_BACK,
            starts_at__lt=now + horizon,
            cancelled_at=None,
            lesson__course__status=PublishStatus.PUBLISHED,
            lesson__course__programme__status=PublishStatus.PUBLISHED,
        )
        .select_related("lesson__course__programme")
        .order_by("starts_at", "pk")
    )
    registered, enrolled, free = _numbers(webinars, now=now)
    return [
        Event(
            webinar_id=webinar.pk,
            title=webinar.lesson.title,
            timezone=webinar.lesson.course.programme.timezone,
            starts_at=webinar.starts_at.replace(second=0, microsecond=0),
            ends_at=_whole_minute(end_of(webinar, webinar.starts_at, now=now)),
            doctors=expected_doctors(
                registered=registered[webinar.pk],
                enrolled=enrolled[webinar.lesson.course.programme_id],
                free_at_the_door=free[webinar.pk],
                places=webinar.capacity,
                needs_registration=webinar.needs_registration,
            ),
        )
        for webinar in webinars
        if webinar.starts_at is not None
    ]


def _whole_minute(at: datetime) -> datetime:
    """Not before it. Actions are named after their moment: two in one second would be one."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + timedelta(minutes=1)


def _numbers(webinars: Sequence[Webinar], *, now: datetime) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Registered by webinar, enrolled by programme, free places at the door by webinar; 0 for the others."""
    ids = [webinar.pk for webinar in webinars]
    programmes = {webinar.lesson.course.programme_id for webinar in webinars}
    registered = Registration.objects.filter(webinar__in=ids, cancelled_at=None).values_list("webinar")
    enrolled = Enrolment.objects.filter(programme__in=programmes, status__in=MAY_COME).values_list("programme")
    free = SpotWindow.objects.filter(Q(webinar__in=ids) & Q(closes_at__gt=now)).values_list("webinar")
    return (
        defaultdict(int, registered.annotate(number=Count("pk"))),
        defaultdict(int, enrolled.annotate(number=Count("pk"))),
        defaultdict(int, free.annotate(number=Sum(F("capacity") - F("approved_count")))),
    )
