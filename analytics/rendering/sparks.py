"""A line in a line of text, and a ring."""

import math
from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.rendering.data import Bar, Caption, ChartError, amount, clean, finite
from analytics.rendering.frame import decimals, figure, isolated, joined, named_by, table
from analytics.rendering.words import Words

WIDTH, HEIGHT, EDGE = 96, 28, 4
RADIUS, THICK = 52, 18
MOST_PARTS = 6


def spark(
    values: Sequence[float], *, label: str = "", low: float | None = None, high: float | None = None
) -> SafeString:
    """The course of a few numbers, the last one with a dot. Without `label` it is decoration beside the number. From
    `low` (by default 0, or the lowest) to `high` (by default the highest)."""
    for value in values:
        finite(value, "spark")
    if not values:
        return SafeString("")
    bottom = min([*values, 0 if low is None else low])
    top = max([*values, *([] if high is None else [high])])
    span = (top - bottom) or 1
    step = (WIDTH - 2 * EDGE) / max(1, len(values) - 1)
    inner = HEIGHT - 2 * EDGE
    points = [
        (decimals(EDGE + n * step, 1), decimals(EDGE + inner * (1 - (value - bottom) / span), 1))
        for n, value in enumerate(values)
    ]
    line = "M" + "L".join(f"{x} {y}" for x, y in points)
    return format_html(
        '<svg class="chart-spark" width="{}" height="{}" viewBox="0 0 {} {}" {}>'
        '<path class="chart-line line-1" d="{}"/>'
        '<circle class="chart-dot dot-1" cx="{}" cy="{}" r="3"/></svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        format_html('role="img" aria-label="{}"', clean(label)) if label else SafeString('aria-hidden="true"'),
        line,
        *points[-1],
    )


def ring(
    caption: Caption,
    words: Words,
    parts: Sequence[Bar],
    *,
    middle: str = "",
    under: str = "",
    whole: float | None = None,
) -> SafeString:
    """Parts of a whole, at most six, clockwise from the top; `whole` leaves the rest of the ring empty. `middle` and
    `under` are short: a number and its unit."""
    amount(whole, "whole")
    if len(parts) > MOST_PARTS:
        raise ChartError(f"{len(parts)} parts cannot be told apart")
    total = max(whole or 0, sum(part.value or 0 for part in parts))
    if not parts or not total:
        return figure(caption, "ring", words, None)
    key = clean(caption.key)
    arcs, start = [], 0.0
    for n, part in enumerate(parts, 1):
        share = (part.value or 0) / total
        if share:
            arcs += [_arc(start, share, f"fill-{n}")]
            # Every second part is hatched as well: neighbours differ without any colour.
            arcs += [_arc(start, share, "chart-hatched", f"chart-{key}-hatch")] if n % 2 == 0 else []
        start += share
    picture = format_html(
        '<div class="chart-ringbox"><svg class="chart-ring-picture" width="160" height="160" viewBox="0 0 132 132" {}>'
        '<defs><pattern id="chart-{}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="chart-hatch" width="2" height="6"/></pattern></defs>'
        '<circle class="chart-ring-track" cx="66" cy="66" r="{}" fill="none" stroke-width="{}"/>{}{}</svg>{}</div>',
        named_by(caption),
        key,
        RADIUS - THICK / 2,
        THICK,
        joined(arcs),
        _middle(middle, under),
        _ring_legend(parts, total, words, key),
    )
    rows = [(part.label, *_figures(part, total, words)) for part in parts]
    return figure(caption, "ring", words, picture, table(caption, words, [words.name, words.value, words.share], rows))


def _middle(text: str, under: str) -> SafeString:
    return format_html(
        '<text class="chart-middle" x="66" y="{}" text-anchor="middle" dominant-baseline="central">{}</text>'
        '<text class="chart-under" x="66" y="84" text-anchor="middle">{}</text>',
        62 if under else 67,
        clean(text),
        clean(under),
    )


def _arc(start: float, share: float, kind: str, pattern: str = "") -> SafeString:
    fill = format_html(' fill="url(#{})"', pattern) if pattern else SafeString("")
    if share > 0.9999:
        inner = RADIUS - THICK
        way = "".join(f"M66 {66 - r}A{r} {r} 0 1 1 65.99 {66 - r}Z" for r in (RADIUS, inner))
        return format_html('<path class="{}"{} fill-rule="evenodd" d="{}"/>', kind, fill, way)
    ends = [2 * math.pi * one for one in (start, start + share)]
    (x0, y0), (x1, y1) = (_on(RADIUS, end) for end in ends)
    (x2, y2), (x3, y3) = (_on(RADIUS - THICK, end) for end in reversed(ends))
    large = int(share > 0.5)
    inner = RADIUS - THICK
    outside = f"M{x0} {y0}A{RADIUS} {RADIUS} 0 {large} 1 {x1} {y1}"
    way = f"{outside}L{x2} {y2}A{inner} {inner} 0 {large} 0 {x3} {y3}Z"
    return format_html('<path class="{}"{} d="{}"/>', kind, fill, way)


def _on(radius: float, angle: float) -> tuple[str, str]:
    return decimals(66 + radius * math.sin(angle)), decimals(66 - radius * math.cos(angle))


def _figures(part: Bar, total: float, words: Words) -> tuple[str, str]:
    if part.value is None:
        return words.withheld, "–"
    return words.number(part.value), words.percent(part.value / total)


def _ring_legend(parts: Sequence[Bar], total: float, words: Words, key: str) -> SafeString:
    items = []
    for n, part in enumerate(parts, 1):
        hatch = _hatched_sample(key) if n % 2 == 0 else ""
        number, share = _figures(part, total, words)
        items.append(
            format_html(
                '<li><svg class="chart-sample" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">'
                '<rect class="fill-{}" width="14" height="14" rx="3"/>{}</svg>{}<span class="num"><b>{}</b>'
                '<span class="chart-aside">{}</span></span></li>',
                n, hatch, isolated(part.label), share if part.value is not None else number,
                format_html(" {}", number) if part.value is not None else "",
            )
        )  # fmt: skip
    return format_html('<ul class="chart-legend">{}</ul>', joined(items))


def _hatched_sample(key: str) -> SafeString:
    return format_html('<rect width="14" height="14" rx="3" fill="url(#chart-{}-hatch)"/>', key)
