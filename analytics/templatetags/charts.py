"""Charts in templates: `{% load charts %}`; the page links `css/charts.css`. docs/design-system.md shows how.

A tag takes what `analytics.rendering.data` describes and writes the summary itself where the page gives none. `key`
is unique on its page; `heading` is the level of the title, 0 where the page says it already.
"""

from collections.abc import Mapping, Sequence

from django import template
from django.utils.safestring import SafeString

from analytics.rendering import bars, curves, grids, sparks, world
from analytics.rendering.data import Bar, Bin, Caption, FunnelStep, Mark, Series, Stack
from analytics.templatetags import chart_words

register = template.Library()
register.filter("number", chart_words.number)
register.filter("percent", chart_words.percent)


@register.simple_tag
def line_chart(
    series: Sequence[Series],
    *,
    key: str,
    title: str,
    x: str = "clock",
    y: str = "number",
    second: str = "",
    marks: Sequence[Mark] = (),
    x_title: str = "",
    y_title: str = "",
    second_title: str = "",
    y_low: float | None = None,
    y_high: float | None = None,
    x_high: float | None = None,
    size: str = "full",
    has_reader: bool = False,
    summary: str = "",
    heading: int = 2,
) -> SafeString:
    """Curves. `x`, `y`, `second`: how the axes are written (`chart_words.AXES`). Times and dates are POSIX seconds
    and shown in the reader's zone; percentages are shares from 0 to 1."""
    first = next((point[0] for one in series for point in one.points), 0.0)
    across = chart_words.axis(x, x_title, near=first, high=x_high)
    up = chart_words.axis(y, y_title, low=y_low, high=y_high)
    far = chart_words.axis(second, second_title) if second else None
    writers = [far.write if far and one.on_second_axis else up.write for one in series]
    said = summary or chart_words.say_curve(series, across, writers)
    return curves.line_chart(
        Caption(key, title, said, heading),
        chart_words.words(),
        series,
        x=across,
        y=up,
        second=far,
        marks=marks,
        size=size,
        has_reader=has_reader,
    )


@register.simple_tag
def bar_chart(
    data: Sequence[Bar],
    *,
    key: str,
    title: str,
    y: str = "number",
    whole: float | None = None,
    highest: float | None = None,
    name: str = "",
    value: str = "",
    size: str = "full",
    summary: str = "",
    heading: int = 2,
) -> SafeString:
    """Horizontal bars in the order given. `whole` adds shares of it; `highest` is the end of the scale."""
    write = chart_words.AXES[y][0]
    caption = Caption(key, title, summary or chart_words.say_bars(data, write, whole), heading)
    return bars.bar_chart(
        caption,
        chart_words.words(),
        data,
        write=write,
        whole=whole,
        highest=highest,
        name=name,
        value=value,
        size=size,
    )


@register.simple_tag
def stacked_chart(
    data: Sequence[Stack],
    answers: Sequence[str],
    *,
    key: str,
    title: str,
    highest: float | None = None,
    summary: str = "",
    heading: int = 2,
) -> SafeString:
    """How answers are spread, a row for each dimension; `answers` from the lowest to the highest."""
    caption = Caption(key, title, summary or chart_words.say_stacks(data), heading)
    return bars.stacked(caption, chart_words.words(), data, answers=answers, highest=highest)


@register.simple_tag
def histogram_chart(
    data: Sequence[Bin],
    *,
    key: str,
    title: str,
    x: str = "number",
    x_title: str = "",
    marked: float | None = None,
    size: str = "full",
    summary: str = "",
    heading: int = 2,
) -> SafeString:
    axis = chart_words.axis(x, x_title)
    caption = Caption(key, title, summary or chart_words.say_bins(data, axis.write), heading)
    return grids.histogram(caption, chart_words.words(), data, x=axis, size=size, marked=marked)


@register.simple_tag
def ring_chart(
    data: Sequence[Bar],
    *,
    key: str,
    title: str,
    middle: str = "",
    under: str = "",
    whole: float | None = None,
    summary: str = "",
    heading: int = 2,
) -> SafeString:
    """Parts of a whole, at most six. For "3 of 10 done" there is `{% ring %}` of the design system."""
    caption = Caption(key, title, summary or chart_words.say_parts(data, whole), heading)
    return sparks.ring(caption, chart_words.words(), data, middle=str(middle), under=under, whole=whole)


@register.simple_tag
def heat_map(
    cells: Mapping[tuple[int, int], float | None], *, key: str, title: str, summary: str = "", heading: int = 2
) -> SafeString:
    """(weekday with 0 for Monday, hour of local time) → how many."""
    caption = Caption(key, title, summary or chart_words.say_heat(cells), heading)
    return grids.heat_map(caption, chart_words.words(), cells)


@register.simple_tag
def world_map(
    values: Mapping[str, float | None], *, key: str, title: str, summary: str = "", heading: int = 2
) -> SafeString:
    """ISO 3166-1 alpha-2 code → how many; "" for an unknown country."""
    caption = Caption(key, title, summary or chart_words.say_map(values), heading)
    return world.world_map(caption, chart_words.words(), values, names=chart_words.country_name)


@register.simple_tag
def funnel_chart(
    steps: Sequence[FunnelStep], *, key: str, title: str, size: str = "full", summary: str = "", heading: int = 2
) -> SafeString:
    caption = Caption(key, title, summary or chart_words.say_funnel(steps), heading)
    return bars.funnel(caption, chart_words.words(), steps, size=size)


@register.simple_tag
def spark_line(
    values: Sequence[float], label: str = "", y: str = "number", low: float | None = None, high: float | None = None
) -> SafeString:
    """In a line of text. `label` says what it is of; the words for it follow by themselves."""
    said = f"{label}: {chart_words.say_spark(values, chart_words.AXES[y][0])}" if label else ""
    return sparks.spark(values, label=said, low=low, high=high)
