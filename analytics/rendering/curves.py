"""Curves over a timeline or over days, with what happened on them.

The picture fills whatever width it is given without changing the size of its text: x stands in per cent and y in
pixels, and only the lines themselves are stretched (a nested `<svg>` whose strokes do not scale). What a narrow
screen has no room for (labels beside pins, more ticks) is laid out a second time, and the sheet shows one of the two.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.rendering.data import Axis, Caption, ChartError, Mark, Series, clean, is_empty
from analytics.rendering.facts import value_at
from analytics.rendering.frame import NOTHING, decimals, figure, joined, legend, table
from analytics.rendering.frame import plot as plot_frame
from analytics.rendering.marks import MarkLayer, lay_out, mark_table
from analytics.rendering.scales import Tick, between, covering, fitting, matching, step_of_at_least
from analytics.rendering.text import width
from analytics.rendering.words import Words

MOST_LINES = 6
# Of the picture with its axes: what is left of a screen of 320 and of 768 px beside the page's and the card's own
# edges.
NARROW_PX, WIDE_PX = 254, 650
GUTTERS = (24, 32, 40, 48, 56, 64, 72, 80, 96)
END_PX = 20
HEIGHTS = {"full": 260, "half": 190, "paper": 220}
STRETCH = 1000
COLUMNS = 300
DOTS_UP_TO = 24
MOST_ROWS = 60
MOST_PLACES = 250  # where a pointer can be


@dataclass(frozen=True)
class Plot:
    """The rectangle of the curves: where a number stands in it."""

    low: float
    high: float
    height: int
    start_px: int
    end_px: int
    size: str
    paper_px: int = 0  # on paper the width is known

    @property
    def narrow(self) -> float:
        return (self.paper_px or NARROW_PX) - self.start_px - self.end_px

    @property
    def wide(self) -> float:
        return (self.paper_px or WIDE_PX) - self.start_px - self.end_px

    @property
    def stretch(self) -> float:
        """Units across of what is stretched to the width. On paper nothing is: strokes would be stretched with it."""
        return self.wide if self.paper_px else STRETCH

    def share(self, x: float) -> float:
        return 50.0 if self.high <= self.low else 100 * (x - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Rule:
    """One y axis with its ticks."""

    axis: Axis
    ticks: Sequence[float]
    height: int

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.height * (1 - (min(max(value, low), high) - low) / (high - low))


@dataclass(frozen=True)
class Drawing:
    """Everything of one chart that its parts need."""

    caption: Caption
    words: Words
    series: Sequence[Series]
    x: Axis
    plot: Plot
    rules: Sequence[Rule]

    def rule_of(self, series: Series) -> Rule:
        return self.rules[1] if series.on_second_axis else self.rules[0]


def line_chart(
    caption: Caption,
    words: Words,
    series: Sequence[Series],
    *,
    x: Axis,
    y: Axis,
    second: Axis | None = None,
    marks: Sequence[Mark] = (),
    size: str = "full",
    has_reader: bool = False,
) -> SafeString:
    """Up to six lines with different dashes. `second` is the axis at the far end for series `on_second_axis`.

    `marks` stand in rows under the curve, those with weight also as numbered pins on the first line. `size` "half"
    for half a page: only what fits a phone. `has_reader`: with a script (`js/charts.js`) a pointer or the arrow keys
    read values.
    """
    drawing = prepare(caption, words, series, x=x, y=y, second=second, size=size)
    if drawing is None:
        return figure(caption, "curve", words, None)
    layer = layer_of(drawing, marks)
    rows = _reader_rows(drawing) if has_reader else NOTHING
    return figure(
        caption,
        "curve",
        words,
        joined([_legend(series, layer), _picture(drawing, layer), rows, layer.key]),
        _numbers(drawing),
        mark_table(caption, words, marks, x),
    )


def prepare(
    caption: Caption,
    words: Words,
    series: Sequence[Series],
    *,
    x: Axis,
    y: Axis,
    second: Axis | None = None,
    size: str = "full",
    paper_px: int = 0,
) -> Drawing | None:
    """Axes and measures of a drawing; None where there is nothing to draw."""
    if len(series) > MOST_LINES:
        raise ChartError(f"{len(series)} lines cannot be told apart")
    if second is None and any(one.on_second_axis for one in series):
        raise ChartError("A series asks for a second axis that is not there")
    if is_empty(series):
        return None
    rules = _rules(series, y, second, HEIGHTS[size])
    return Drawing(caption, words, series, x, _plot(series, x, rules, size, paper_px), rules)


def layer_of(drawing: Drawing, marks: Sequence[Mark]) -> MarkLayer:
    plot = drawing.plot
    inside = [mark for mark in marks if plot.low <= mark.at <= plot.high]
    return lay_out(plot, inside, drawing.series[0], y=drawing.rules[0].y, words=drawing.words, x=drawing.x)


def _rules(series: Sequence[Series], y: Axis, second: Axis | None, height: int) -> list[Rule]:
    low, high = _extent([one for one in series if not one.on_second_axis] or series, y)
    first = Rule(y, covering(low, high, y.scale, 4 if height > 200 else 3), height)
    if second is None:
        return [first]
    low, high = _extent([one for one in series if one.on_second_axis], second)
    return [first, Rule(second, matching(low, high, second.scale, len(first.ticks) - 1), height)]


def _extent(series: Sequence[Series], axis: Axis) -> tuple[float, float]:
    """From nothing, so that a fall looks as great as it is; an axis says so where it begins elsewhere."""
    values = [value for one in series for _x, value in one.known]
    low = axis.low if axis.low is not None else min(0.0, *values, 0.0)
    high = axis.high if axis.high is not None else max(0.0, *values, 0.0)
    return min([low, *values]), max([high, *values])


def _plot(series: Sequence[Series], x: Axis, rules: Sequence[Rule], size: str, paper_px: int) -> Plot:
    at = [point[0] for one in series for point in one.points]
    gutters = [_gutter(rule) for rule in rules]
    return Plot(
        low=min([*at, x.low] if x.low is not None else at),
        high=max([*at, x.high] if x.high is not None else at),
        height=rules[0].height,
        start_px=gutters[0],
        end_px=gutters[1] if len(gutters) > 1 else END_PX,
        size=size,
        paper_px=paper_px,
    )


def _gutter(rule: Rule) -> int:
    wanted = max(width(clean(rule.axis.write(tick))) for tick in rule.ticks) + 10
    return next((one for one in GUTTERS if one >= wanted), GUTTERS[-1])


def _picture(drawing: Drawing, layer: MarkLayer) -> SafeString:
    plot = drawing.plot
    return _units(drawing.rules) + plot_frame(
        drawing.caption,
        height=plot.height + 26 + layer.height,
        start=plot.start_px,
        end=plot.end_px,
        inside=parts(drawing, layer),
        lanes=f" top-narrow-{layer.narrow_lanes} top-wide-{layer.wide_lanes}",
    )


def parts(drawing: Drawing, layer: MarkLayer) -> list[SafeString]:
    """All of the picture, with (0, 0) at the upper start of the rectangle of the curves."""
    plot = drawing.plot
    numbered = [(number, one, plot, drawing.rule_of(one)) for number, one in enumerate(drawing.series, 1)]
    lines = format_html(
        '<svg width="100%" height="{0}" viewBox="0 0 {1} {0}" preserveAspectRatio="none" overflow="visible">{2}</svg>',
        plot.height,
        decimals(plot.stretch),
        joined(_line(*one) for one in numbered),
    )
    dots = joined(_dots(*one) for one in numbered)
    return [_grid(drawing.rules), lines, dots, _x_axis(plot, drawing.x), layer.over]


def _units(rules: Sequence[Rule]) -> SafeString:
    if not any(rule.axis.title for rule in rules):
        return NOTHING
    units = format_html_join("", "<span><bdi>{}</bdi></span>", ((clean(rule.axis.title),) for rule in rules))
    return format_html('<p class="chart-units" dir="ltr" aria-hidden="true">{}</p>', units)


def _grid(rules: Sequence[Rule]) -> SafeString:
    lines = []
    for n, tick in enumerate(rules[0].ticks):
        at = decimals(rules[0].y(tick), 1)
        kind = "chart-base" if n == 0 else "chart-grid"
        lines.append(format_html('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>', kind, at, at))
    for n, rule in enumerate(rules):
        for tick in rule.ticks:
            lines.append(  # noqa: PERF401 - two nested loops in one expression are nobody's friend
                format_html(
                    '<text class="chart-tick" x="{}" transform="translate({} 4.5)" y="{}" text-anchor="{}">{}</text>',
                    "100%" if n else "0",
                    8 if n else -8,
                    decimals(rule.y(tick), 1),
                    "start" if n else "end",
                    clean(rule.axis.write(tick)),
                )
            )
    return joined(lines)


def _x_axis(plot: Plot, axis: Axis) -> SafeString:
    narrow = _ticks(plot, fitting(plot.low, plot.high, axis, plot.narrow, 16))
    if plot.size != "full":
        return narrow
    wide = _ticks(plot, fitting(plot.low, plot.high, axis, plot.wide, 16))
    return format_html('<g class="for-narrow">{}</g><g class="for-wide">{}</g>', narrow, wide)


def _ticks(plot: Plot, ticks: Sequence[Tick]) -> SafeString:
    return format_html_join(
        "",
        '<line class="chart-base" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
        '<text class="chart-tick" x="{0}%" y="{3}" text-anchor="{4}">{5}</text>',
        (
            (decimals(one.share), plot.height, plot.height + 5, plot.height + 19, one.anchor, clean(one.text))
            for one in ticks
        ),
    )


def runs_of(series: Series) -> list[list[tuple[float, float]]]:
    """Its parts between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in series.points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def thin(run: Sequence[tuple[float, float]], columns: int = COLUMNS) -> list[tuple[float, float]]:
    """Of every column of the picture the first, the lowest, the highest and the last: no peak is lost."""
    if len(run) <= 4 * columns:
        return list(run)
    low, span = run[0][0], (run[-1][0] - run[0][0]) / columns
    parts: dict[int, list[tuple[float, float]]] = {}
    for point in run:
        parts.setdefault(int((point[0] - low) / span), []).append(point)
    kept: list[tuple[float, float]] = []
    for part in parts.values():
        chosen = {part[0], part[-1], min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])}
        kept.extend(sorted(chosen))
    return kept


def _line(number: int, series: Series, plot: Plot, rule: Rule) -> SafeString:
    paths = []
    scale = plot.stretch / 100
    floor = decimals(rule.y(max(0.0, rule.ticks[0])), 1)
    for run in runs_of(series):
        if len(run) < 2:
            continue
        points = [(decimals(scale * plot.share(at), 1), decimals(rule.y(value), 1)) for at, value in thin(run)]
        (x0, y0), rest = points[0], points[1:]
        way = f"M{x0} {y0}" + "".join(f"H{at}V{y}" if series.is_step else f"L{at} {y}" for at, y in rest)
        if series.is_area:
            paths.append(format_html('<path class="chart-area area-{}" d="{}"/>', number, f"{way}V{floor}H{x0}Z"))
        paths.append(
            format_html('<path class="chart-line line-{}" vector-effect="non-scaling-stroke" d="{}"/>', number, way)
        )
    return joined(paths)


def _dots(number: int, series: Series, plot: Plot, rule: Rule) -> SafeString:
    """Every point where they are few; else those that no line joins to another one."""
    few = len(series.known) <= DOTS_UP_TO and not series.is_step
    return format_html_join(
        "",
        '<circle class="chart-dot dot-{}" cx="{}%" cy="{}" r="4"/>',
        (
            (number, decimals(plot.share(at)), decimals(rule.y(value), 1))
            for run in runs_of(series)
            if few or len(run) == 1
            for at, value in run
        ),
    )


def _legend(series: Sequence[Series], layer: MarkLayer) -> SafeString:
    lines = [
        (
            format_html(
                '<svg class="chart-sample" width="30" height="14" viewBox="0 0 30 14" aria-hidden="true">'
                '<path class="chart-line line-{}" d="M1 7H29"/></svg>',
                number,
            ),
            one.label,
        )
        for number, one in enumerate(series, 1)
    ]
    return legend([*lines, *layer.legend])


def _x_values(drawing: Drawing, most: int) -> list[float]:
    """Every x where they are few, else round ones."""
    plot, x = drawing.plot, drawing.x
    every = sorted({at for one in drawing.series for at, _value in one.points})
    if len(every) <= most:
        return every
    step = step_of_at_least((plot.high - plot.low) / (most - 2), x.scale)
    return [at - x.offset for at in between(plot.low + x.offset, plot.high + x.offset, step, x.scale)]


def _cells(drawing: Drawing, at: float) -> list[str]:
    values = [(value_at(one, at), drawing.rule_of(one)) for one in drawing.series]
    return ["–" if value is None else rule.axis.write(value) for value, rule in values]


def _numbers(drawing: Drawing) -> SafeString:
    write = drawing.x.write
    rows = [(write(at), *_cells(drawing, at)) for at in _x_values(drawing, MOST_ROWS)]
    heads = [drawing.x.title or drawing.words.when, *(one.label for one in drawing.series)]
    return table(drawing.caption, drawing.words, heads, rows)


def _reader_rows(drawing: Drawing) -> SafeString:
    """What the script reads out, already in words: [share, x, value …] for every place a pointer can be."""
    places = _x_values(drawing, MOST_PLACES)
    rows = [[round(drawing.plot.share(at), 2), drawing.x.write(at), *_cells(drawing, at)] for at in places]
    labels = [clean(one.label) for one in drawing.series]
    text = json.dumps({"labels": labels, "rows": rows}, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return format_html('<script type="application/json" class="chart-rows">{}</script>', SafeString(text))
