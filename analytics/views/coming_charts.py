"""Who came when, and on what, as the charts take it."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.domain.presenting.coming import Coming, Minute
from analytics.domain.presenting.devices import Devices
from analytics.domain.presenting.report import WebinarReport
from analytics.rendering.data import Bar, Mark, MarkKind, Series
from analytics.templatetags.chart_words import number, wall_day, wall_time
from core.templatetags.ui import clock

A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)


def live(report: WebinarReport) -> list[Series]:
    """By minute: who was there, who came, who left. While it is live nothing is said of the minutes to come."""
    minutes = _closed(report.coming.minutes, is_over=report.webinar.ended_at is not None)
    if not minutes:
        return []
    at = [one.at.timestamp() for one in minutes]
    there, came, left = ([(x, float(y)) for x, y in zip(at, row, strict=True)] for row in _columns(minutes))
    return [
        Series(_("There"), there, is_step=True, is_area=True),
        Series(_("Came"), came, is_step=True),
        Series(_("Left"), left, is_step=True),
    ]


def _columns(minutes: list[Minute]) -> Iterable[list[int]]:
    yield [one.people for one in minutes]
    yield [one.arrivals for one in minutes]
    yield [one.leavings for one in minutes]


def _closed(minutes: Iterable[Minute], *, is_over: bool) -> list[Minute]:
    """With a nothing after each minute that no other one follows."""
    found: list[Minute] = []
    for one in minutes:
        if found and one.at > found[-1].at + A_MINUTE:
            found.append(Minute(found[-1].at + A_MINUTE, 0, 0, 0))
        found.append(one)
    if found and is_over:
        found.append(Minute(found[-1].at + A_MINUTE, 0, 0, 0))
    return found


def live_words(coming: Coming) -> str:
    peak = coming.peak
    if peak is None:
        return ""
    said = ngettext(
        "At most %(number)s person was there in the same minute, at %(time)s on %(day)s.",
        "At most %(number)s people were there in the same minute, at %(time)s on %(day)s.",
        peak.people,
    )
    at = peak.at.timestamp()
    return said % {"number": number(peak.people), "time": wall_time(at), "day": wall_day(at)}


def recorded(coming: Coming) -> list[Series]:
    """By day of UTC, nothing where nobody was there; drawn at noon of that date in the reader's zone."""
    by_day = {one.on: one for one in coming.days}
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    dates = [first + A_DAY * day for day in range((last - first).days + 1)]
    people = [(noon(on), float(by_day[on].people if on in by_day else 0)) for on in dates]
    newcomers = [(noon(on), float(by_day[on].newcomers if on in by_day else 0)) for on in dates]
    return [Series(_("Watched"), people, is_area=True), Series(_("For the first time"), newcomers)]


def noon(on: date) -> float:
    """Where a day of UTC stands on an axis of dates, so that whoever reads in another zone reads that date."""
    return datetime.combine(on, time(12), timezone.get_current_timezone()).timestamp()


def recorded_words(coming: Coming) -> str:
    busiest = coming.busiest
    if busiest is None:
        return ""
    said = ngettext("Most on %(day)s: %(number)s person.", "Most on %(day)s: %(number)s people.", busiest.people)
    return said % {"number": number(busiest.people), "day": wall_day(noon(busiest.on))}


def devices(found: Devices) -> list[Bar]:
    return [Bar(str(kind.label), viewings) for kind, viewings in found.kinds]


def replay_marks(report: WebinarReport) -> list[Mark]:
    """With a pin each: there are few, and they are what a presenter looks for."""
    found = []
    for one in report.replays:
        label = ngettext("%(number)s doctor again", "%(number)s doctors again", one.people)
        span = f"{clock(one.start)}–{clock(one.end)}"
        found.append(
            Mark(one.at, label % {"number": number(one.people)}, MarkKind.REPLAY, weight=one.people, note=span)
        )
    return found
