"""A webinar's numbers as the charts take them. Drawing and what one sees in words are the template's (`charts`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.domain.presenting.audience import Group
from analytics.domain.presenting.items import ItemFigures
from analytics.domain.presenting.marks import MarkKind
from analytics.domain.presenting.report import WebinarReport
from analytics.domain.retention import Curve
from analytics.rendering.data import Bar, Mark, Series
from analytics.rendering.data import MarkKind as Sign
from analytics.rendering.facts import curve_facts
from analytics.templatetags.chart_words import country_name, number, percent
from analytics.views.coming_charts import replay_marks
from core.templatetags.ui import clock

POINTS = 240
MOST_BARS = 10
EDGE_SECONDS = 120
SIGNS = {MarkKind.CHAPTER: Sign.CHAPTER, MarkKind.POLL: Sign.POLL}


@dataclass(frozen=True, slots=True)
class PollChart:
    key: str
    question: str
    votes: int
    bars: list[Bar]


def retention(report: WebinarReport) -> list[Series]:
    """Viewers along the lecture; a phase that nobody watched has no line."""
    found, length = report.retention, report.axis.length
    curves = ((_("Everybody"), found.everybody), (_("Live"), found.live), (_("Recording"), found.recorded))
    shown = [(label, curve) for label, curve in curves if curve.peak]
    if len(shown) == 2:  # in one phase only: it is everybody
        shown = shown[1:]
    return [_series(label, curve, length, is_area=not index) for index, (label, curve) in enumerate(shown)]


def _series(label: str, curve: Curve, length: int, *, is_area: bool) -> Series:
    points = curve.sampled(length=length, points=POINTS)
    # From the very beginning to the end: the first chapter stands at 0.
    return Series(label, [(0.0, points[0][1]), *points, (float(length), points[-1][1])], is_area=is_area)


def retention_words(report: WebinarReport) -> str:
    """The most, and the sharpest drop; not of the first and last two minutes, when everybody comes and goes."""
    curve, length = report.retention.everybody, report.axis.length
    if not curve.peak:
        return ""
    most = ngettext(
        "At most %(number)s doctor saw the same moment.", "At most %(number)s doctors saw the same moment.", curve.peak
    ) % {"number": number(curve.peak)}
    inside = [
        (x, y) for x, y in curve.sampled(length=length, points=POINTS) if EDGE_SECONDS <= x <= length - EDGE_SECONDS
    ]
    facts = curve_facts(Series("", inside), window=60)
    if facts is None or facts.sharpest is None or facts.sharpest.size < 1:
        return most
    fall = facts.sharpest
    where = {"at": clock(fall.before[0]), "share": percent(fall.size / fall.before[1])}
    return most + " " + _("The sharpest drop is at %(at)s: %(share)s left within a minute.") % where


def marks(report: WebinarReport) -> list[Mark]:
    found = [Mark(one.second, one.title, SIGNS[one.kind]) for one in report.marks]
    for minute, asked in report.questions_by_minute:
        label = ngettext("%(number)s question", "%(number)s questions", asked) % {"number": number(asked)}
        found.append(Mark(minute * 60 + 30, label, Sign.QUESTION))
    return [*found, *replay_marks(report)]


def countries_map(groups: Iterable[Group]) -> dict[str, int]:
    return {group.name: group.people for group in groups}


def countries(groups: Sequence[Group]) -> list[Bar]:
    return _groups(groups, country_name)


def specialties(groups: Sequence[Group]) -> list[Bar]:
    return _groups(groups, str)


def _groups(groups: Sequence[Group], name_of: Callable[[str], str]) -> list[Bar]:
    bars = [Bar(name_of(group.name) if group.name else _("Not stated"), group.people) for group in groups[:MOST_BARS]]
    rest = groups[MOST_BARS:]
    if rest:
        label = ngettext("%(number)d more", "%(number)d more", len(rest)) % {"number": len(rest)}
        bars.append(Bar(label, sum(group.people for group in rest)))
    return bars


def poll_chart(poll: Mapping[str, Any]) -> PollChart:
    results = poll["results"] or {}
    bars = list(_poll_bars(poll, results))
    return PollChart(f"poll-{poll['id']}", poll["question"], results.get("votes", 0), bars)


def _poll_bars(poll: Mapping[str, Any], results: Mapping[str, Any]) -> Iterable[Bar]:
    counts = results.get("counts", {})
    if poll["options"]:
        return [Bar(one["text"], counts.get(str(one["position"]), 0)) for one in poll["options"]]
    if results.get("words"):
        return [Bar(word, times) for word, times in list(results["words"].items())[:MOST_BARS]]
    steps = range(poll["scale_from"], poll["scale_to"] + 1) if poll["kind"] == "scale" else ()
    return [Bar(str(step), counts.get(str(step), 0)) for step in steps]


def items(report: WebinarReport) -> list[Bar]:
    """The share of the points; the hardest first, as the domain gives them."""
    return [Bar(one.name, one.right_percent / 100, place_of(one)) for one in report.items]


def place_of(item: ItemFigures) -> str:
    """Where in its lecture the answer is, if the test says so."""
    return _("at %(at)s") % {"at": clock(item.second)} if item.second else ""
