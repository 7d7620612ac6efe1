"""Countries by how many people are in them.

The shapes are Natural Earth's (public domain), made small by `script/world`; so are their borders, which are no
statement of anybody. States too small to be seen are dots. The table and the summary hold every country, whether the
map has it or not.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.rendering.data import Caption, amount, clean
from analytics.rendering.facts import class_of, skewed_bounds
from analytics.rendering.frame import figure, joined, named_by, table
from analytics.rendering.grids import heat_legend
from analytics.rendering.words import Words


@cache
def shapes() -> dict[str, Any]:
    """`size` [width, height]; `shapes` {ISO 3166-1 alpha-2: path}; `dots` {code: [x, y]}; `other`: land without a
    code."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("world.json").read_text())
    return found


def world_map(
    caption: Caption, words: Words, values: Mapping[str, float | None], *, names: Callable[[str], str]
) -> SafeString:
    """`values` by ISO 3166-1 alpha-2 code in capitals, "" for people whose country nobody knows; `None` may not be
    shown. `names` gives the name of a code in the reader's language."""
    for code, value in values.items():
        amount(value, code)
    if not values:
        return figure(caption, "map", words, None)
    known = {code: value for code, value in values.items() if value is not None}
    bounds = skewed_bounds(list(known.values()))
    width, height = shapes()["size"]
    picture = format_html(
        '<svg class="chart-map-picture" viewBox="0 0 {} {}" {} focusable="false">{}</svg>{}',
        width,
        height,
        named_by(caption),
        land(values, words, names),
        heat_legend(bounds, words, has_hidden=len(known) < len(values)),
    )
    ordered = sorted(values.items(), key=lambda item: (-(item[1] or 0), item[0]))
    rows = [
        (_name(code, words, names), words.withheld if value is None else words.number(value)) for code, value in ordered
    ]
    return figure(caption, "map", words, picture, table(caption, words, [words.country, words.value], rows))


def _name(code: str, words: Words, names: Callable[[str], str]) -> str:
    return (names(code) if code else "") or clean(code) or words.unknown


def land(values: Mapping[str, float | None], words: Words, names: Callable[[str], str]) -> SafeString:
    """All shapes and dots of the drawing."""
    world = shapes()
    bounds = skewed_bounds([value for value in values.values() if value is not None])
    shown = {code: value for code, value in values.items() if value is None or value > 0}
    blank = world["other"] + "".join(way for code, way in world["shapes"].items() if code not in shown)
    parts = [format_html('<path class="map-land" vector-effect="non-scaling-stroke" d="{}"/>', blank)]
    dots = []
    for code, value in shown.items():
        kind = "heat-hidden" if value is None else f"heat-{class_of(value, bounds)}"
        said = words.withheld if value is None else words.number(value)
        name = format_html("<title>{}: {}</title>", _name(code, words, names), said)
        if way := world["shapes"].get(code):
            parts.append(
                format_html(
                    '<path class="map-country {}" vector-effect="non-scaling-stroke" d="{}">{}</path>', kind, way, name
                )
            )
        if at := world["dots"].get(code):
            # A line of no length with round ends: a dot as large on a phone as on a desk.
            dots.append(
                format_html(
                    '<g>{0}<path class="map-edge" vector-effect="non-scaling-stroke" d="M{1} {2}h.01"/>'
                    '<path class="map-dot dot-{3}" vector-effect="non-scaling-stroke" d="M{1} {2}h.01"/></g>',
                    name, *at, kind,
                )
            )  # fmt: skip
    return joined([*parts, *dots])
