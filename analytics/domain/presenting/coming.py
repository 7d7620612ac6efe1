"""Who came and went, minute by minute of the live webinar and day by day of the recording: read from the rollups."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Sum

from analytics.models import AudienceDay, AudienceMinute
from core.replica import reading
from webinars.enums import Phase


@dataclass(frozen=True, slots=True)
class Minute:
    """`people` were there at any moment of it."""

    at: datetime
    people: int
    arrivals: int
    leavings: int


@dataclass(frozen=True, slots=True)
class Day:
    """Of UTC. A person counts once in each; `newcomers` had never opened the recording before."""

    on: date
    people: int
    newcomers: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Coming:
    """Only minutes and days in which there was somebody, in order. Everybody who had it open, staff too."""

    minutes: tuple[Minute, ...] = ()
    days: tuple[Day, ...] = ()

    @property
    def peak(self) -> Minute | None:
        """The first one, where several are as high."""
        return max(self.minutes, key=lambda one: one.people, default=None)

    @property
    def busiest(self) -> Day | None:
        return max(self.days, key=lambda one: one.people, default=None)


def coming_of(webinar_id: int) -> Coming:
    """Two queries, on rows of minutes and days: their number does not follow that of the people."""
    minutes = AudienceMinute.objects.using(reading()).filter(webinar=webinar_id, phase=Phase.LIVE).order_by("at")
    # A person has one country and one specialty, so people may be added up within a day.
    days = (
        AudienceDay.objects.using(reading())
        .filter(webinar=webinar_id, phase=Phase.ON_DEMAND)
        .values("on")
        .annotate(together=Sum("people"), new=Sum("newcomers"), spent=Sum("seconds"))
        .order_by("on")
    )
    return Coming(
        tuple(Minute(*row) for row in minutes.values_list("at", "people", "arrivals", "leavings")),
        tuple(Day(*row) for row in days.values_list("on", "together", "new", "spent")),
    )
