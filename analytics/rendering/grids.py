"""How numbers are spread: in classes of one measure, and over the hours of a week."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.rendering.data import Axis, Bin, Caption, ChartError, Scale, amount, clean
from analytics.rendering.facts import CLASSES, class_of, even_bounds
from analytics.rendering.frame import NOTHING, decimals, figure, isolated, joined, plot, sample, table
from analytics.rendering.scales import Tick, covering, fitting
from analytics.rendering.text import width
from analytics.rendering.words import Words

NARROW_PX, WIDE_PX, END_PX = 254, 650, 20
GUTTERS = (24, 32, 40, 48, 56, 64, 72, 80, 96)
HEIGHT = 200
CELL_PX = 26
HOURS, WEEK = 24, 7


def gutter(texts: Sequence[str]) -> int:
    wanted = max((width(clean(text)) for text in texts), default=0) + 10
    return next((one for one in GUTTERS if one >= wanted), GUTTERS[-1])


def histogram(
    caption: Caption, words: Words, bins: Sequence[Bin], *, x: Axis, size: str = "full", marked: float | None = None
) -> SafeString:
    """Bins side by side in rising order; how high a column is says how many, so bins of one chart are equally wide.
    `marked`: a line across, for a median or a pass mark."""
    if any(before.high > after.low for before, after in pairwise(bins)):
        raise ChartError("Bins that overlap")
    if not any(one.count for one in bins):
        return figure(caption, "histogram", words, None)
    low, high = bins[0].low, bins[-1].high
    ticks = covering(0, max(one.count or 0 for one in bins), Scale.WHOLE, 4)
    start = gutter([words.number(tick) for tick in ticks])

    def share(value: float) -> float:
        return 100 * (value - low) / (high - low)

    def y(count: float) -> float:
        return HEIGHT * (1 - count / ticks[-1])

    columns = [(share(one.low), share(one.high), y(one.count)) for one in bins if one.count]
    inside = [
        _rules(ticks, words, y),
        format_html_join(
            "",
            '<rect class="fill-1 chart-column" x="{}%" width="{}%" y="{}" height="{}"/>',
            (
                (decimals(at), decimals(end - at), decimals(top, 1), decimals(HEIGHT - top, 1))
                for at, end, top in columns
            ),
        ),
        _marked(share(marked)) if marked is not None and low <= marked <= high else NOTHING,
        _both(low, high, x, start, size),
    ]
    picture = plot(caption, height=HEIGHT + 26, start=start, end=END_PX, inside=inside)
    rows = [
        (
            words.between.format(low=x.write(one.low), high=x.write(one.high)),
            words.withheld if one.count is None else words.number(one.count),
        )
        for one in bins
    ]
    numbers = table(caption, words, [x.title or words.name, words.value], rows)
    return figure(caption, "histogram", words, picture, numbers)


def _rules(ticks: Sequence[float], words: Words, y: Callable[[float], float]) -> SafeString:
    return format_html_join(
        "",
        '<line class="{0}" x1="0" x2="100%" y1="{1}" y2="{1}"/>'
        '<text class="chart-tick" x="0" transform="translate(-8 4.5)" y="{1}" text-anchor="end">{2}</text>',
        (
            ("chart-grid" if n else "chart-base", decimals(y(tick), 1), words.number(tick))
            for n, tick in enumerate(ticks)
        ),
    )


def _marked(share: float) -> SafeString:
    return format_html('<line class="chart-stem" x1="{0}%" x2="{0}%" y1="0" y2="{1}"/>', decimals(share), HEIGHT)


def _both(low: float, high: float, axis: Axis, start: int, size: str) -> SafeString:
    narrow = _ticks(fitting(low, high, axis, NARROW_PX - start - END_PX, 16))
    if size == "half":
        return narrow
    wide = _ticks(fitting(low, high, axis, WIDE_PX - start - END_PX, 16))
    return format_html('<g class="for-narrow">{}</g><g class="for-wide">{}</g>', narrow, wide)


def _ticks(ticks: Sequence[Tick], at: int = HEIGHT + 19) -> SafeString:
    return format_html_join(
        "",
        '<text class="chart-tick" x="{}%" y="{}" text-anchor="{}">{}</text>',
        ((decimals(one.share), at, one.anchor, clean(one.text)) for one in ticks),
    )


def heat_map(caption: Caption, words: Words, cells: Mapping[tuple[int, int], float | None]) -> SafeString:
    """Weekday (0 is Monday) × hour (0 … 23) of local time: how dark says how many. What is missing is 0; `None` may
    not be shown. Hours run from left to right in every language."""
    for (weekday, hour), value in cells.items():
        amount(value, f"{weekday}, {hour} h")
        if not (0 <= weekday < WEEK and 0 <= hour < HOURS):
            raise ChartError(f"No hour of a week: {weekday}, {hour}")
    known = [value for value in cells.values() if value is not None]
    hidden = len(known) < len(cells)
    if not any(known) and not hidden:
        return figure(caption, "heat", words, None)
    bounds = even_bounds(known)
    days = [(words.first_weekday + n) % WEEK for n in range(WEEK)]
    start = gutter(words.weekdays)
    squares = []
    for row, (day, name) in enumerate(zip(days, words.weekdays, strict=True)):
        squares.append(
            format_html(
                '<text class="chart-tick" x="0" transform="translate(-8 4.5)" y="{}" text-anchor="end">{}</text>',
                CELL_PX * row + CELL_PX // 2, clean(name),
            )
        )  # fmt: skip
        squares.extend(_square(row, hour, cells.get((day, hour), 0), bounds) for hour in range(HOURS))
    height = CELL_PX * WEEK + 24
    picture = plot(caption, height=height, start=start, end=END_PX, inside=[*squares, _hours(words, start)])
    picture += heat_legend(bounds, words, has_hidden=hidden)
    rows = [(words.hour(hour), *(_written(cells.get((day, hour), 0), words) for day in days)) for hour in range(HOURS)]
    return figure(caption, "heat", words, picture, table(caption, words, [words.when, *words.weekdays], rows))


def _written(value: float | None, words: Words) -> str:
    return words.withheld if value is None else words.number(value)


def _square(row: int, hour: int, value: float | None, bounds: Sequence[float]) -> SafeString:
    kind = "heat-hidden" if value is None else f"heat-{class_of(value, bounds)}"
    # Numbers of ours only: to escape a hundred and seventy of these would be most of the work.
    at, wide = decimals(100 * hour / HOURS), decimals(100 / HOURS)
    return SafeString(
        f'<rect class="chart-cell {kind}" x="{at}%" y="{CELL_PX * row}" width="{wide}%" height="{CELL_PX}"/>'
    )


def _hours(words: Words, start: int) -> SafeString:
    groups = []
    for kind, room in (("for-narrow", NARROW_PX), ("for-wide", WIDE_PX)):
        room_px = room - start - END_PX
        step = next(one for one in (2, 3, 6, 12) if width(words.hour(0)) + 14 <= room_px * one / HOURS or one == 12)
        ticks = [Tick(100 * hour / HOURS, words.hour(hour % HOURS), "middle") for hour in range(0, HOURS + 1, step)]
        groups.append(format_html('<g class="{}">{}</g>', kind, _ticks(ticks, CELL_PX * WEEK + 18)))
    return joined(groups)


def heat_legend(bounds: Sequence[float], words: Words, *, has_hidden: bool) -> SafeString:
    """One sample for each class. It names upper ends: from one to the next there is no gap to wonder about."""
    first = CLASSES - len(bounds) + 1
    entries = [(sample("heat-0 chart-cell"), words.none)]
    entries += [
        (sample(f"heat-{n} chart-cell"), words.up_to.format(number=words.number(bound)))
        for n, bound in enumerate(bounds, first)
    ]
    if has_hidden:
        entries.append((sample("heat-hidden chart-cell"), words.withheld))
    items = format_html_join("", "<li>{}{}</li>", ((swatch, isolated(text)) for swatch, text in entries))
    return format_html('<ul class="chart-legend">{}</ul>', items)
