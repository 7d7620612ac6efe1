"""The words, figures and sentences of charts, in the language and time zone of the reader."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.utils import numberformat, timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, get_language_bidi, ngettext, pgettext
from django.utils.translation import gettext as _
from django_countries import countries

from analytics.rendering.data import Axis, Bar, Bin, FunnelStep, MarkKind, Scale, Series, Stack, Write, clean
from analytics.rendering.facts import CurveFacts, curve_facts, losses
from analytics.rendering.words import Words
from core.templatetags.ui import clock, duration


@dataclass(frozen=True)
class Figures:
    """How a language writes numbers. Looked up once: asking for each figure costs more than drawing it."""

    point: str
    comma: str
    grouping: Any
    share: str

    def write(self, value: float, places: int) -> str:
        return numberformat.format(
            round(value, places), self.point, places, self.grouping, self.comma, force_grouping=True, use_l10n=True
        )


@cache
def _figures_of(_language: str) -> Figures:
    return Figures(
        str(get_format("DECIMAL_SEPARATOR")),
        str(get_format("THOUSAND_SEPARATOR")),
        get_format("NUMBER_GROUPING"),
        pgettext("share", "%(number)s%%"),
    )


def _figures() -> Figures:
    return _figures_of(get_language() or "")


def number(value: float) -> str:
    """'8,214', '4.75': as the language groups and points, with at most two places."""
    figures = _figures()
    places = 0 if float(value).is_integer() else 2
    text = figures.write(value, places)
    return text.rstrip("0").rstrip(figures.point) if places else text


def percent(share: float) -> str:
    """'47%' of 0.47. With a place near both ends, so that something is never nothing, and less than all never all."""
    places = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0
    value = share * 100
    if places:
        value = min(max(value, 0.1), 99.9)
    figures = _figures()
    return figures.share % {"number": figures.write(value, places)}


def mean(value: float) -> str:
    """'4.7': one place, also for a round one."""
    return _figures().write(value, 1)


def wall_time(at: float) -> str:
    """'19:30' of a POSIX time, in the reader's zone."""
    return date_format(_local(at), pgettext("time format on an axis", "H:i"))


def wall_day(at: float) -> str:
    return date_format(_local(at), pgettext("date format on an axis", "j M"))


def hour_of_day(hour: float) -> str:
    return date_format(datetime(2000, 1, 1, int(hour) % 24), pgettext("time format on an axis", "H:i"))  # noqa: DTZ001 - of no zone


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(timezone.get_current_timezone())


AXES: Mapping[str, tuple[Write, Scale]] = {
    "number": (number, Scale.WHOLE),
    "decimal": (number, Scale.DECIMAL),
    "mean": (mean, Scale.DECIMAL),
    "percent": (percent, Scale.DECIMAL),
    "clock": (clock, Scale.CLOCK),
    "duration": (duration, Scale.CLOCK),
    "time": (wall_time, Scale.CLOCK),
    "date": (wall_day, Scale.DAYS),
}


def axis(kind: str, title: str = "", *, low: float | None = None, high: float | None = None, near: float = 0) -> Axis:
    """`kind` is a key of `AXES`; `near`, a POSIX time, says which offset of the reader's zone puts ticks on full
    hours."""
    write, scale = AXES[kind]
    shift = _local(near).utcoffset() if kind in {"time", "date"} else None
    return Axis(write, scale, title, low, high, shift.total_seconds() if shift else 0)


def words() -> Words:
    first = int(get_format("FIRST_DAY_OF_WEEK"))  # 0 is Sunday
    first_weekday = (first - 1) % 7
    return Words(
        number=number,
        percent=percent,
        mean=mean,
        is_rtl=get_language_bidi(),
        table=_("Show the numbers"),
        empty=_("Nothing to show here yet."),
        withheld=pgettext("a number of people", "too few to show"),
        none=pgettext("nobody, in a legend", "none"),
        unknown=_("Country not known"),
        name=pgettext("heading of a column", "What"),
        country=pgettext("heading of a column", "Country"),
        step=pgettext("heading of a column", "Step"),
        value=pgettext("heading of a column", "Number"),
        share=pgettext("heading of a column", "Share"),
        average=pgettext("heading of a column", "Average"),
        # Filled by str.format, so that the figure is already written in the reader's way.
        answers=_("{number} answers"),
        when=pgettext("heading of a column", "When"),
        kind=pgettext("heading of a column", "Kind"),
        what=pgettext("heading of a column", "What"),
        timeline=_("Show everything on the timeline"),
        lost=_("{number} lost on the way ({share})"),
        lost_head=pgettext("heading of a column", "Lost on the way"),
        up_to=_("up to {number}"),
        between=pgettext("from a number to a number", "{low} to {high}"),
        mark_kinds={
            MarkKind.CHAPTER: _("Chapter"),
            MarkKind.SLIDE: _("Slide"),
            MarkKind.POLL: _("Poll"),
            MarkKind.QUESTION: _("Question"),
            MarkKind.REPLAY: _("Replayed often"),
            MarkKind.NOTE: _("Note"),
        },
        weekdays=tuple(str(WEEKDAYS_ABBR[(first_weekday + n) % 7]) for n in range(7)),
        first_weekday=first_weekday,
        hour=hour_of_day,
    )


def country_name(code: str) -> str:
    return str(countries.name(code) or "")


def _isolated(text: str) -> str:
    """A title of the other direction keeps its own: U+2068 … U+2069 do in text what `<bdi>` does in HTML."""
    cleaned = clean(text)
    is_rtl = any(unicodedata.bidirectional(one) in {"R", "AL"} for one in cleaned)
    return f"\u2068{cleaned}\u2069" if is_rtl != get_language_bidi() else cleaned


def say_curve(series: Sequence[Series], x: Axis, writers: Sequence[Write]) -> str:
    """One sentence or two for each line: highest, lowest, sharpest drop. Of more than two lines only where all together
    are highest and lowest: nobody listens to six times the same sentence."""
    if len(series) > 2:
        return _say_many(series, x, writers)
    said = []
    for one, write in zip(series, writers, strict=True):
        facts = curve_facts(one)
        if facts:
            text = _say_one(facts, x.write, write)
            said.append(
                _("%(name)s: %(text)s") % {"name": _isolated(one.label), "text": text} if len(series) > 1 else text
            )
    return " ".join(said)


def _say_many(series: Sequence[Series], x: Axis, writers: Sequence[Write]) -> str:
    known = [(one, write, facts) for one, write in zip(series, writers, strict=True) if (facts := curve_facts(one))]
    if not known:
        return ""
    top, top_write, high = max(known, key=lambda one: one[2].highest[1])
    bottom, bottom_write, low = min(known, key=lambda one: one[2].lowest[1])
    return _("Highest: %(top)s at %(high_at)s (%(high)s). Lowest: %(bottom)s at %(low_at)s (%(low)s).") % {
        "top": _isolated(top.label),
        "high": top_write(high.highest[1]),
        "high_at": x.write(high.highest[0]),
        "bottom": _isolated(bottom.label),
        "low": bottom_write(low.lowest[1]),
        "low_at": x.write(low.lowest[0]),
    }


def _say_one(facts: CurveFacts, x: Write, y: Write) -> str:
    if facts.first == facts.last:
        return _("%(value)s at %(at)s.") % {"value": y(facts.first[1]), "at": x(facts.first[0])}
    if facts.highest[1] == facts.lowest[1]:
        return _("%(value)s all the time.") % {"value": y(facts.first[1])}
    text = _("Highest at %(high_at)s (%(high)s), lowest at %(low_at)s (%(low)s).") % {
        "high": y(facts.highest[1]),
        "high_at": x(facts.highest[0]),
        "low": y(facts.lowest[1]),
        "low_at": x(facts.lowest[0]),
    }
    if facts.sharpest:
        text += " " + _("The sharpest drop is from %(from)s to %(to)s: %(before)s, then %(after)s.") % {
            "from": x(facts.sharpest.before[0]),
            "to": x(facts.sharpest.after[0]),
            "before": y(facts.sharpest.before[1]),
            "after": y(facts.sharpest.after[1]),
        }
    return text


def say_bars(bars: Sequence[Bar], write: Write, whole: float | None = None) -> str:
    known = [bar for bar in bars if bar.value is not None]
    if not known:
        return _("There are too few people to show numbers.") if bars else ""
    most, least = max(known, key=_value), min(known, key=_value)
    if _value(most) == _value(least):
        return (
            _("%(name)s: %(value)s.") % {"name": _isolated(most.label), "value": write(_value(most))}
            if len(known) == 1
            else _("All are the same: %(value)s.") % {"value": write(_value(most))}
        )
    share = f" ({percent(_value(most) / whole)})" if whole else ""
    return _("Most: %(most)s, %(most_value)s. Least: %(least)s, %(least_value)s.") % {
        "most": _isolated(most.label),
        "most_value": write(_value(most)) + share,
        "least": _isolated(least.label),
        "least_value": write(_value(least)),
    }


def _value(bar: Bar) -> float:
    return bar.value or 0


def say_parts(parts: Sequence[Bar], whole: float | None = None) -> str:
    total = max(whole or 0, sum(_value(part) for part in parts))
    if not total:
        return ""
    said = [f"{_isolated(part.label)} {percent(part.value / total)}" for part in parts if part.value is not None]
    return pgettext("between the parts of a list", ", ").join(said) + "."


def say_stacks(stacks: Sequence[Stack]) -> str:
    known = [(one.average, one.label) for one in stacks if one.average is not None]
    if not known:
        return ""
    best, worst = max(known, key=lambda one: one[0]), min(known, key=lambda one: one[0])
    if len(known) == 1 or best[0] == worst[0]:
        return _("%(value)s on average.") % {"value": mean(best[0])}
    return _("Highest on average: %(best)s, %(best_value)s. Lowest: %(worst)s, %(worst_value)s.") % {
        "best": _isolated(best[1]),
        "best_value": mean(best[0]),
        "worst": _isolated(worst[1]),
        "worst_value": mean(worst[0]),
    }


def say_bins(bins: Sequence[Bin], write: Write) -> str:
    """The fullest class and where the middle one of all lies."""
    total = sum(one.count or 0 for one in bins)
    if not total:
        return ""
    fullest = max(bins, key=lambda one: one.count or 0)
    reached = 0.0
    middle = fullest
    for one in bins:
        reached += one.count or 0
        if reached >= total / 2:
            middle = one
            break
    return _("Most lie between %(low)s and %(high)s: %(count)s of %(total)s. Half of all lie below %(middle)s.") % {
        "low": write(fullest.low),
        "high": write(fullest.high),
        "count": number(fullest.count or 0),
        "total": number(total),
        "middle": write(middle.high),
    }


def say_heat(cells: Mapping[tuple[int, int], float | None]) -> str:
    known = {at: value for at, value in cells.items() if value}
    if not known:
        return _("There are too few people to show numbers.") if any(value is None for value in cells.values()) else ""
    (day, hour), value = max(known.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))
    return _("Busiest on %(day)s from %(from)s to %(to)s: %(value)s.") % {
        "day": weekday_name(day),
        "from": hour_of_day(hour),
        "to": hour_of_day(hour + 1),
        "value": number(value),
    }


def weekday_name(day: int) -> str:
    """'Tuesday' of 1."""
    return date_format(datetime(2024, 1, 1 + day % 7), "l")  # noqa: DTZ001 - of no zone; 1 January 2024 was a Monday


def say_map(values: Mapping[str, float | None]) -> str:
    known = {code: value for code, value in values.items() if value and code}
    shown = sum(1 for code, value in values.items() if code and value != 0)
    if not shown:
        return ""
    text = ngettext("%(count)s country.", "%(count)s countries.", shown) % {"count": number(shown)}
    if not known:
        return text
    total = sum(value or 0 for value in values.values())
    code, value = max(known.items(), key=lambda item: (item[1], item[0]))
    return (
        text
        + " "
        + _("Most: %(name)s, %(value)s (%(share)s).")
        % {
            "name": _isolated(country_name(code) or code),
            "value": number(value),
            "share": percent(value / total),
        }
    )


def say_funnel(steps: Sequence[FunnelStep]) -> str:
    if not steps or not steps[0].value:
        return ""
    said = []
    if len(steps) > 1 and steps[-1].value is not None:
        said.append(
            _("%(last)s: %(share)s of %(first)s.")
            % {
                "last": _isolated(steps[-1].label),
                "share": percent(steps[-1].value / steps[0].value),
                "first": _isolated(steps[0].label),
            }
        )
    worst = max((loss for loss in losses(steps) if loss and loss.people), key=lambda loss: loss.people, default=None)
    if worst:
        said.append(
            _("Most were lost between %(before)s and %(after)s: %(people)s (%(share)s).")
            % {
                "before": _isolated(worst.before.label),
                "after": _isolated(worst.after.label),
                "people": number(worst.people),
                "share": percent(worst.share),
            }
        )
    return " ".join(said)


def say_spark(values: Sequence[float], write: Callable[[float], str] = number) -> str:
    if not values:
        return ""
    if len(values) == 1:
        return write(values[0])
    return _("From %(first)s to %(last)s, highest %(high)s.") % {
        "first": write(values[0]),
        "last": write(values[-1]),
        "high": write(max(values)),
    }
