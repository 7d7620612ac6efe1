"""The same drawings as documents of their own, for a PDF: a known width, colours of their own, and no sheet.

Made for typst, whose SVG knows classes but no custom properties and no strokes that do not scale. The words around a
chart (title, summary, what the pins' numbers mean) are the document's: a reader of PDF/UA needs them as text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from analytics.rendering.curves import layer_of, parts, prepare
from analytics.rendering.data import Axis, Caption, Mark, Series, clean
from analytics.rendering.frame import decimals, joined
from analytics.rendering.text import width as width_of
from analytics.rendering.words import Words
from analytics.rendering.world import land, shapes

LEGEND_PX, LANE_PX = 22, 26
# The light tokens of static/css/tokens.css; a test compares.
COLOURS: Mapping[str, str] = {
    "ink": "#14212b", "ink-soft": "#51606b", "surface": "#ffffff", "sunken": "#eceee9", "line": "#dde1da",
    "line-strong": "#7b8780", "accent-wash": "#e3f1ed",
    "chart-1": "#0a6b5e", "chart-2": "#a54816", "chart-3": "#087ef0",
    "chart-4": "#be4ea5", "chart-5": "#af800d", "chart-6": "#2a3846",
    "heat-1": "#c3e2d9", "heat-2": "#8ac4b6", "heat-3": "#4fa292", "heat-4": "#17776a", "heat-5": "#06423a",
}  # fmt: skip
DASHES = {2: "7 4", 3: "2 3", 4: "11 4 2 4", 5: "14 5", 6: "4 2"}


@dataclass(frozen=True)
class OnPaper:
    """`pins` says what the numbers on the curve mean: when, and what."""

    svg: str
    width: float
    height: float
    pins: Sequence[tuple[str, str]] = ()


def curve_on_paper(
    caption: Caption,
    words: Words,
    series: Sequence[Series],
    *,
    x: Axis,
    y: Axis,
    second: Axis | None = None,
    marks: Sequence[Mark] = (),
    width: int = 700,
    fonts: str = "Noto Sans",
) -> OnPaper | None:
    """`width` in pixels of 13 px text; None where there is nothing to draw."""
    drawing = prepare(caption, words, series, x=x, y=y, second=second, size="paper", paper_px=width)
    if drawing is None:
        return None
    layer = layer_of(drawing, marks)
    entries = [(_line_sample(n), one.label) for n, one in enumerate(series, 1)] if len(series) > 1 else []
    key, key_px = _legend([*entries, *layer.legend], width)
    top = key_px + 12 + LANE_PX * layer.wide_lanes
    height = top + drawing.plot.height + 26 + layer.height
    inside = format_html(
        '{}<svg x="{}" y="{}" width="{}" height="{}" overflow="visible">{}</svg>',
        key,
        drawing.plot.start_px,
        top,
        decimals(drawing.plot.wide),
        height - top,
        joined(parts(drawing, layer)),
    )
    return OnPaper(_document(caption, width, height, _style(fonts), inside), width, height, layer.pins)


def map_on_paper(
    caption: Caption, words: Words, values: Mapping[str, float | None], *, names: Callable[[str], str]
) -> OnPaper | None:
    """Without its legend: the list of countries beside it holds the numbers."""
    if not values:
        return None
    width, height = shapes()["size"]
    return OnPaper(_document(caption, width, height, _map_style(), land(values, words, names)), width, height)


def _document(caption: Caption, width: float, height: float, style: str, inside: SafeString) -> str:
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
        "<title>{2}</title><desc>{3}</desc><style>{4}</style>{5}</svg>",
        decimals(width),
        decimals(height),
        clean(caption.title),
        clean(caption.summary),
        SafeString(style),
        inside,
    )


def _line_sample(number: int) -> SafeString:
    return format_html('<path class="chart-line line-{}" d="M0 7H24"/>', number)


def _legend(entries: Sequence[tuple[SafeString, str]], width: float) -> tuple[SafeString, int]:
    """Samples and words, as many beside each other as fit."""
    at, row, items = 0.0, 0, []
    for sample, label in entries:
        text = clean(label)
        wide = 32 + width_of(text) + 18
        if at and at + wide > width:
            at, row = 0.0, row + 1
        items.append((decimals(at, 1), LEGEND_PX * row, sample, text))
        at += wide
    drawn = format_html_join(
        "",
        '<svg x="{0}" y="{1}" width="24" height="14" overflow="visible">{2}</svg>'
        '<svg x="{0}" y="{1}" width="1" height="14" overflow="visible">'
        '<text class="chart-tick" x="32" y="11">{3}</text></svg>',
        items,
    )
    return drawn, LEGEND_PX * (row + 1) if items else 0


def _style(fonts: str) -> str:
    """`fonts` is written by the programme, never by a user."""
    c = COLOURS
    rules = [
        f"text{{font-family:{fonts};font-size:13px}}",
        f".chart-tick{{fill:{c['ink-soft']}}}",
        f".chart-label,.chart-pin-number{{font-weight:700}}.chart-label,.chart-pin,.mark-note{{fill:{c['ink']}}}",
        f".chart-pin-number{{fill:{c['surface']}}}",
        f".chart-grid{{stroke:{c['line']}}}.chart-base{{stroke:{c['line-strong']}}}.chart-stem{{stroke:{c['ink-soft']}}}",
        f".chart-foot{{fill:{c['surface']};stroke:{c['ink']};stroke-width:2.5}}",
        f".chart-dot{{stroke:{c['surface']};stroke-width:1.5}}",
        ".chart-line{fill:none;stroke-width:2.5}.chart-area{fill-opacity:.13}",
        f".mark-slide{{fill:{c['ink-soft']}}}.mark-poll{{fill:{c['chart-2']}}}.mark-question{{fill:{c['chart-3']}}}",
        f".mark-replay{{fill:{c['chart-4']}}}",
        f".mark-chapter-0{{fill:{c['accent-wash']};stroke:{c['line']}}}",
        f".mark-chapter-1{{fill:{c['sunken']};stroke:{c['line']}}}",
    ]
    for n in range(1, 7):
        colour = c[f"chart-{n}"]
        dash = f";stroke-dasharray:{DASHES[n]}" if n in DASHES else ""
        rules.append(f".line-{n}{{stroke:{colour}{dash}}}.area-{n},.dot-{n}{{fill:{colour}}}")
    return "".join(rules)


def _map_style() -> str:
    c = COLOURS
    rules = [
        f".map-land{{fill:{c['line']};stroke:{c['surface']};stroke-width:2}}",
        f".map-country{{stroke:{c['surface']};stroke-width:2}}",
        f".heat-hidden{{fill:{c['surface']};stroke:{c['line-strong']}}}",
        f".map-edge{{fill:none;stroke:{c['ink']};stroke-width:20;stroke-linecap:round}}",
        f".map-dot{{fill:none;stroke:{c['surface']};stroke-width:15;stroke-linecap:round}}",
    ]
    rules += [f".heat-{n}{{fill:{c[f'heat-{n}']}}}.dot-heat-{n}{{stroke:{c[f'heat-{n}']}}}" for n in range(1, 6)]
    return "".join(rules)
