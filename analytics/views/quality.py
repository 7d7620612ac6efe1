"""How well it played, for the moderators and operators of a programme."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from analytics.domain.quality import LiveCountry, Measures, Named, Quality, live_now, quality_of
from analytics.domain.rollups.quality import START_BOUNDS
from analytics.enums import DeviceKind, NetworkKind
from analytics.rendering.data import Bar, Series
from analytics.rules import get_lecture_of, get_reported_programme
from analytics.templatetags.chart_words import country_name, number
from analytics.views.coming_charts import noon
from core.clock import now
from courses.models import Programme
from webinars.enums import Phase
from webinars.models import Webinar

PERIODS = (7, 30, 365)  # days
MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class Asked:
    days: int
    webinar: Webinar | None
    phase: Phase | None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table. `webinar` only where it is a lecture."""

    name: str
    of: Measures
    webinar: Webinar | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class LiveLine:
    """The names of the countries in which it keeps stopping or does not come up at all; both empty: none is known."""

    webinar: Webinar
    stopping: str
    without_picture: str
    known: int
    unknown: int


@require_safe
@login_required
def quality(request: HttpRequest, slug: str) -> HttpResponse:
    programme, moment = get_reported_programme(request, slug), now()
    asked = _asked(request, programme)
    since = (moment.astimezone(UTC) - timedelta(days=asked.days)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = quality_of(programme, since=since, webinar=asked.webinar, phase=asked.phase)
    context = {"programme": programme, "asked": asked, "periods": PERIODS, "quality": found, **_charts(found)}
    context["live"] = _live(programme, moment)
    context["lectures"] = _lectures(programme, found)
    return render(request, "analytics/quality.html", context)


def _asked(request: HttpRequest, programme: Programme) -> Asked:
    days, webinar, phase = (request.GET.get(name, "") for name in ("days", "webinar", "phase"))
    if (days and days not in map(str, PERIODS)) or (phase and phase not in Phase.values):
        raise Http404
    return Asked(
        days=int(days or PERIODS[1]),
        webinar=get_lecture_of(programme, webinar) if webinar else None,
        phase=Phase(phase) if phase else None,
    )


def _live(programme: Programme, moment: datetime) -> list[LiveLine]:
    """What the alert says, in words."""
    countries = live_now(programme, now=moment)
    webinars = Webinar.objects.filter(pk__in=countries).select_related("lesson").order_by("pk")
    lines = []
    for webinar in webinars:
        found = countries[webinar.pk]
        known = sum(one.is_known for one in found)
        stopping = _names(one for one in found if one.keeps_stopping)
        lines.append(
            LiveLine(webinar, stopping, _names(one for one in found if one.has_no_picture), known, len(found) - known)
        )
    return lines


def _names(countries: Iterable[LiveCountry]) -> str:
    return ", ".join(_country(one.country) for one in countries)


def _lectures(programme: Programme, found: Quality) -> list[Line]:
    webinars = (
        Webinar.objects.filter(lesson__course__programme=programme)
        .select_related("lesson")
        .in_bulk([webinar for webinar, _phase, _of in found.lectures])
    )
    lines = []
    for webinar_id, phase, measures in found.lectures:
        if webinar := webinars.get(webinar_id):
            lines.append(Line(webinar.lesson.title, measures, webinar, phase))
    return lines


def _charts(found: Quality) -> Mapping[str, Any]:
    groups = {
        "countries": _lines(found.countries, _country),
        "devices": _lines(found.devices, lambda kind: str(DeviceKind(kind).label)),
        "networks": _lines(found.networks, lambda kind: str(NetworkKind(kind).label)),
    }
    return {
        "over_time": over_time(found),
        "starts": _starts(found.total),
        "groups": groups,
        "bars": {name: _bars(lines) for name, lines in groups.items()},
    }


def _country(code: str) -> str:
    return country_name(code) or _("Country not known")


def over_time(found: Quality) -> list[Series]:
    """By the minute, or by day of UTC, which is that date for every reader."""
    at = [one.timestamp() if found.by_minute else noon(one.astimezone(UTC).date()) for one, _of in found.times]
    waiting = [(x, of.waiting) for x, (_at, of) in zip(at, found.times, strict=True)]
    plays = [(x, float(of.plays)) for x, (_at, of) in zip(at, found.times, strict=True)]
    if not any(y is not None for _x, y in waiting):
        return []
    return [Series(_("Waiting"), waiting), Series(_("Players started"), plays, on_second_axis=True)]


def _starts(total: Measures) -> list[Bar]:
    """How many starts took how long; empty without any."""
    if not total.starts:
        return []
    lows = (0, *START_BOUNDS)
    names = [
        _("%(low)s to %(high)s s") % {"low": _seconds(low), "high": _seconds(high)}
        for low, high in zip(lows, START_BOUNDS, strict=False)
    ]
    names.append(_("%(low)s s or longer") % {"low": _seconds(START_BOUNDS[-1])})
    return [Bar(name, count) for name, count in zip(names, total.buckets, strict=True)]


def _seconds(milliseconds: int) -> str:
    return number(milliseconds / 1000) if milliseconds % 1000 == 0 else f"{milliseconds / 1000:g}"


def _lines(groups: Named, name: Callable[[str], str]) -> list[Line]:
    return [Line(name(key), of) for key, of in groups]


def _bars(lines: list[Line]) -> list[Bar]:
    """The share of waiting of those that played longest, worst first."""
    shown = [one for one in lines if one.of.waiting is not None][:MOST_BARS]
    shown.sort(key=lambda one: -(one.of.waiting or 0))
    return [Bar(one.name, one.of.waiting, _played(one.of.minutes)) for one in shown]


def _played(minutes: int) -> str:
    return ngettext("%(number)s minute played", "%(number)s minutes played", minutes) % {"number": number(minutes)}
