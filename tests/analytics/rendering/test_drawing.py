"""Markup of charts: well formed, escaped, named, and with every number beside the picture."""

import math
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import mark_safe

from analytics.rendering import bars, curves, grids, sparks, world
from analytics.rendering.data import (
    Axis,
    Bar,
    Bin,
    Caption,
    ChartError,
    FunnelStep,
    Mark,
    MarkKind,
    Series,
    Stack,
    clean,
)
from analytics.templatetags import chart_words, charts
from tests.analytics.rendering.specimen import CASES, HALVES, RUBBISH, draw

SVG_AND_HTML = {
    "figure", "figcaption", "h2", "h3", "p", "ul", "ol", "li", "span", "b", "bdi", "a", "div", "details", "summary",
    "table", "thead", "tbody", "tr", "th", "td", "svg", "g", "path", "rect", "circle", "line", "text", "defs",
    "pattern", "title",
}  # fmt: skip
CHARTS = {**CASES, **HALVES}


def parsed(html: str) -> ET.Element:
    return ET.fromstring(html)


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def rows_of(html: str) -> list[list[str]]:
    return [[text_of(cell) for cell in row] for row in parsed(html).iter("tr")]


def classes(html: str) -> Counter[str]:
    return Counter(name for one in parsed(html).iter() for name in one.get("class", "").split())


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("language", ["en", "ar", "de", "ja"])
def test_every_chart_is_well_formed_named_and_without_style_or_script(name: str, language: str) -> None:
    with translation.override(language):
        html = draw(CHARTS[name], name)
    figure = parsed(html)
    scripts = list(figure.iter("script"))
    assert {one.get("type") for one in scripts} <= {"application/json"}, "data only; it is not run"
    assert {one.tag for one in figure.iter()} - {"script"} <= SVG_AND_HTML
    attributes = {key for one in figure.iter() for key in one.attrib}
    assert not [key for key in attributes if key == "style" or key.startswith("on")]
    ids = [one.get("id") for one in figure.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    named = {
        word
        for one in figure.iter()
        for key in ("aria-labelledby", "aria-describedby")
        for word in one.get(key, "").split()
    }
    assert named <= set(ids)
    numbers = [
        one.get(key) for one in figure.iter() for key in ("x", "y", "d", "cx", "cy", "width", "height") if one.get(key)
    ]
    assert not re.search(r"nan|inf|e[+-]?\d", " ".join(numbers)), "numbers as SVG reads them"  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(set(CHARTS) - {"empty"}))
def test_every_chart_has_a_title_a_sentence_and_its_numbers(name: str) -> None:
    figure = parsed(draw(CHARTS[name], name))
    assert text_of(figure.find("figcaption")) == clean(CHARTS[name].title)  # type: ignore[arg-type]
    (summary,) = [one for one in figure.iter("p") if one.get("class") == "chart-summary"]
    assert text_of(summary)
    assert len(list(figure.iter("tr"))) >= 2
    assert {one.get("scope") for one in figure.iter("th")} == {"row", "col"}


EVERYWHERE: dict[str, Callable[[Any], str]] = {
    "line": lambda text: charts.line_chart(
        [Series(text, [(0, 1), (60, 2)]), Series(text, [(0, 1), (9, 2)], on_second_axis=True)],
        key="k", title=text, summary=text, second="number", x_title=text, y_title=text, second_title=text,
        has_reader=True,
        marks=[Mark(n * 9, text, kind, n, text) for n, kind in enumerate(MarkKind)],
    ),
    "bars": lambda text: charts.bar_chart(
        [Bar(text, 1, text, "/x/")], key="k", title=text, name=text, value=text, summary=text
    ),
    "stacked": lambda text: charts.stacked_chart(
        [Stack(text, (1, 2), notes=(text,))], [text, text], key="k", title=text
    ),
    "histogram": lambda text: charts.histogram_chart([Bin(0, 1, 2)], key="k", title=text, x_title=text, summary=text),
    "ring": lambda text: charts.ring_chart([Bar(text, 1), Bar(text, 2)], key="k", title=text, middle=text, under=text),
    "heat": lambda text: charts.heat_map({(0, 0): 1}, key="k", title=text, summary=text),
    "map": lambda text: charts.world_map({text: 3, "IN": 4}, key="k", title=text, summary=text),
    "funnel": lambda text: charts.funnel_chart(
        [FunnelStep("a", 2), FunnelStep(text, 1, "/x/", text)], key="k", title=text
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERYWHERE)
@pytest.mark.parametrize(
    "text", [RUBBISH, mark_safe("<script>alert(1)</script>"), "]]>-->'\"\ud800<!--", "\u2028</svg><a b='"]
)
def test_titles_and_labels_are_text_wherever_they_stand(name: str, text: str) -> None:
    harmless = parsed(EVERYWHERE[name]("A title"))
    html = EVERYWHERE[name](text)
    attacked = parsed(html)
    assert html.encode("utf-8")
    assert {one.tag for one in attacked.iter()} == {one.tag for one in harmless.iter()}
    if name != "line":  # there a label may have no room
        assert Counter(one.tag for one in attacked.iter()) == Counter(one.tag for one in harmless.iter())
    assert {key for one in attacked.iter() for key in one.attrib} == {
        key for one in harmless.iter() for key in one.attrib
    }
    assert clean(text) in text_of(attacked)


def test_the_values_for_the_script_cannot_end_it() -> None:
    html = EVERYWHERE["line"]("</script><b>&\u2028")
    (data,) = re.findall(r'<script type="application/json" class="chart-rows">(.*?)</script>', html)
    assert not set("<>&\u2028") & set(data)
    assert "\\u003c/script" in data


def test_keys_of_a_chart_are_escaped_as_well() -> None:
    html = charts.bar_chart([Bar("a", 1)], key='"><b>', title="T")
    assert parsed(html).get("id") == 'chart-"><b>'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: Series("s", [(0, value)]),
        lambda value: Series("s", [(value, 0)]),
        lambda value: Mark(value, "m"),
        lambda value: Mark(0, "m", weight=value),
        lambda value: Axis(str, low=value),
        lambda value: Bar("b", value),
        lambda value: Stack("s", (1, value)),
        lambda value: Stack("s", (1, 2), mean=value),
        lambda value: Stack("s", (1, 2), history=(value,)),
        lambda value: Bin(0, 1, value),
        lambda value: Bin(0, value, 1),
        lambda value: FunnelStep("f", value),
        lambda value: charts.heat_map({(0, 0): value}, key="k", title="T"),
        lambda value: charts.world_map({"IN": value}, key="k", title="T"),
        lambda value: charts.spark_line([1, value]),
        lambda value: charts.ring_chart([Bar("b", 1)], key="k", title="T", whole=value),
    ],
)
def test_what_is_no_number_is_refused(make: Callable[[float], Any], value: float) -> None:
    with pytest.raises(ChartError):
        make(value)


@pytest.mark.parametrize(
    "draw_it",
    [
        lambda: Series("back in time", [(5, 1), (5, 2)]),
        lambda: Bar("less than nothing", -1),
        lambda: Bin(3, 3, 1),
        lambda: charts.histogram_chart([Bin(0, 2, 1), Bin(1, 3, 1)], key="k", title="T"),
        lambda: charts.line_chart([Series(str(n), [(0, n)]) for n in range(7)], key="k", title="T"),
        lambda: charts.line_chart([Series("s", [(0, 1)], on_second_axis=True)], key="k", title="T"),
        lambda: charts.ring_chart([Bar(str(n), 1) for n in range(7)], key="k", title="T"),
        lambda: charts.stacked_chart([Stack("s", (1, 2))], ["a", "b", "c"], key="k", title="T"),
        lambda: charts.stacked_chart([], ["a"], key="k", title="T"),
        lambda: charts.heat_map({(7, 0): 1}, key="k", title="T"),
        lambda: charts.heat_map({(0, 24): 1}, key="k", title="T"),
        lambda: charts.bar_chart([Bar("b", 1, url="javascript:alert(1)")], key="k", title="T"),
        lambda: charts.bar_chart([Bar("b", 1, url="//evil.example")], key="k", title="T"),
        lambda: charts.funnel_chart([FunnelStep("a", 2), FunnelStep("b", 1, "javascript:x")], key="k", title="T"),
    ],
)
def test_what_cannot_be_drawn_truthfully_is_refused(draw_it: Callable[[], Any]) -> None:
    with pytest.raises(ChartError):
        draw_it()


@pytest.mark.parametrize(
    "html",
    [
        charts.line_chart([], key="k", title="T"),
        charts.line_chart([Series("s", [])], key="k", title="T"),
        charts.line_chart([Series("s", [(1, None)])], key="k", title="T", marks=[Mark(1, "m")], has_reader=True),
        charts.bar_chart([], key="k", title="T"),
        charts.stacked_chart([], ["a", "b"], key="k", title="T"),
        charts.histogram_chart([], key="k", title="T"),
        charts.histogram_chart([Bin(0, 1, 0)], key="k", title="T"),
        charts.ring_chart([], key="k", title="T"),
        charts.ring_chart([Bar("a", 0)], key="k", title="T"),
        charts.heat_map({}, key="k", title="T"),
        charts.world_map({}, key="k", title="T"),
        charts.funnel_chart([], key="k", title="T"),
    ],
)
def test_nothing_is_said_in_words_and_not_drawn(html: str) -> None:
    figure = parsed(html)
    assert [text_of(one) for one in figure] == ["T", "Nothing to show here yet."]
    assert list(figure.iter("svg")) == []


def test_a_single_point_is_a_dot_and_gaps_stay_open() -> None:
    one = charts.line_chart([Series("s", [(30, 7)])], key="k", title="T")
    assert classes(one)["chart-dot"] == 1
    assert "chart-line" not in classes(one)
    assert rows_of(one) == [["When", "s"], ["0:30", "7"]]
    gap = charts.line_chart(
        [Series("s", [(0, 1), (1, 2), (2, None), (3, 1), (4, 2), (5, None), (6, 3)])], key="k", title="T"
    )
    assert classes(gap)["chart-line"] == 2
    assert rows_of(gap)[3] == ["0:02", "–"]


def test_numbers_are_written_as_the_language_does() -> None:
    for language, expected in {"en": "8,214", "de": "8.214", "fr": "8\u202f214"}.items():
        with translation.override(language):
            html = charts.bar_chart([Bar("a", 8214)], key="k", title="T")
        assert rows_of(html)[1][1].replace("\xa0", "\u202f") in {expected, expected.replace("\u202f", " ")}
    with translation.override("de"):
        svg = charts.line_chart([Series("s", [(0, 0.5), (7, 1000.25)])], key="k", title="T")
    assert not re.search(r'(?:x|y|cx|cy|x1|width)="[^"]*,', svg), "coordinates never have a comma"


def test_bars_fill_from_where_reading_begins_and_curves_do_not_turn() -> None:
    bar = [Bar("a", 4), Bar("b", 1)]
    curve = [Series("s", [(0, 1), (100, 4)])]
    edges, ways = {}, {}
    for language in ("en", "ar"):
        with translation.override(language):
            drawn = parsed(charts.bar_chart(bar, key="k", title="T"))
            edges[language] = [
                (one.get("x"), one.get("width")) for one in drawn.iter("rect") if one.get("class") == "fill-1"
            ]
            ways[language] = [one.get("d") for one in parsed(charts.line_chart(curve, key="k", title="T")).iter("path")]
    assert edges == {"en": [("0", "100"), ("0", "25")], "ar": [("0", "100"), ("75", "25")]}
    assert ways["en"] == ways["ar"] != []


def test_answers_stand_from_lowest_to_highest_and_fill_the_row() -> None:
    html = ""
    for language in ("en", "ar"):
        with translation.override(language):
            html = charts.stacked_chart([Stack("d", (10, 20, 0, 30, 40))], list("abcde"), key="k", title="T")
        parts = [
            (one.get("class"), float(one.get("x", "")[:-1]), float(one.get("width", "")[:-1]))
            for one in parsed(html).iter("rect")
            if one.get("x")
        ]
        ordered = parts if language == "en" else parts[::-1]
        assert [name for name, _x, _w in parts] == ["likert-1", "likert-2", "likert-4", "likert-5"], "nobody, nothing"
        assert [x for _n, x, _w in ordered] == pytest.approx([0, 10, 30, 60] if language == "en" else [0, 40, 70, 90])
        assert all(x + w == pytest.approx(after) for (_n, x, w), (_m, after, _v) in pairwise(ordered))
    assert rows_of(html)[1] == ["d", "3.7" if language == "en" else "3,7", "10", "20", "0", "30", "40"]


def test_hidden_numbers_are_in_no_picture_and_no_table() -> None:
    """What may not be shown must not be read off a length, a colour, a mean or a share either."""
    words = "too few to show"
    bar = charts.bar_chart([Bar("a", None), Bar("b", 9)], key="k", title="T", whole=12)
    assert rows_of(bar)[1] == ["a", words, "–"]
    assert classes(bar)["chart-bar"] == 1
    heat = charts.heat_map({(0, 9): None, (1, 9): 8}, key="k", title="T")
    assert [row for row in rows_of(heat) if words in row] == [["09:00", "0", words, "8", "0", "0", "0", "0"]]
    country = charts.world_map({"IN": None, "MT": None, "DE": 9}, key="k", title="T")
    assert [row[1] for row in rows_of(country)[1:]] == ["9", words, words]
    assert classes(country)["heat-5"] == 1 + 1, "Germany and the legend"
    stack = charts.stacked_chart([Stack("d", None)], ["a", "b"], key="k", title="T")
    assert rows_of(stack)[1] == ["d", "–", words, words]
    ring = charts.ring_chart([Bar("a", None), Bar("b", 9)], key="k", title="T")
    assert rows_of(ring)[1] == ["a", words, "–"]
    funnel = charts.funnel_chart([FunnelStep("a", 40), FunnelStep("b", None), FunnelStep("c", 9)], key="k", title="T")
    assert [row[3] for row in rows_of(funnel)[1:]] == ["–", "–", "–"]
    column = charts.histogram_chart([Bin(0, 1, None), Bin(1, 2, 9)], key="k", title="T")
    assert rows_of(column)[1][1] == words


def test_a_curve_of_a_million_seconds_stays_small_and_keeps_its_peaks() -> None:
    points = [(float(n), 5.0) for n in range(200_000)]
    points[77_777] = (77_777.0, 99.0)
    html = charts.line_chart([Series("s", points)], key="k", title="T")
    assert len(html) < 60_000
    assert len(rows_of(html)) <= 62
    run = curves.thin(points)
    assert (77_777.0, 99.0) in run
    assert run == sorted(run)


def test_every_mark_is_in_the_table_and_those_beside_the_timeline_are_not_drawn() -> None:
    marks = [Mark(n * 3, f"Slide {n}", MarkKind.SLIDE) for n in range(40)] + [Mark(999, "Later", MarkKind.POLL, 5)]
    html = charts.line_chart([Series("s", [(0, 1), (120, 2)])], key="k", title="T", marks=marks)
    shown = [row for row in rows_of(html) if len(row) == 3][1:]
    assert len(shown) == 41
    assert shown[-1] == ["16:39", "Poll", "Later"]
    drawn = classes(html)
    assert (drawn["mark-slide"], drawn["mark-poll"], drawn["chart-pin"]) == (40 + 1, 0, 0), "and one in the legend"


def test_half_a_page_gets_what_fits_a_phone_only() -> None:
    assert {"for-wide", "for-narrow"} & set(classes(draw(HALVES["half-curve"]))) == set()
    assert {"for-wide", "for-narrow"} <= set(classes(draw(CASES["retention"])))


def test_countries_without_a_place_on_the_map_are_in_the_table() -> None:
    html = charts.world_map({"IN": 5, "ZZ": 2, "": 1, "MT": 3}, key="k", title="T")
    assert rows_of(html) == [
        ["Country", "Number"],
        ["India", "5"],
        ["Malta", "3"],
        ["ZZ", "2"],
        ["Country not known", "1"],
    ]
    titles = [text_of(one) for one in parsed(html).iter("title")]
    assert titles == ["India: 5", "Malta: 3"]


def test_tags_work_in_templates_and_stand_alone() -> None:
    html = Template(
        "{% load charts %}{% spark_line v 'Average' y='mean' low=1 high=5 %}|{% spark_line v %}|{% spark_line e %}"
    ).render(Context({"v": [3.9, 4.44], "e": []}))
    named, bare, empty = html.split("|")
    assert parsed(named).get("aria-label") == "Average: From 3.9 to 4.4, highest 4.4."
    assert parsed(bare).get("aria-hidden") == "true"
    assert empty == ""


def test_drawing_knows_no_model_no_query_and_no_language() -> None:
    folder = Path(bars.__file__).parent
    banned = re.compile(r"gettext|django\.db|\.models|get_language|timezone|settings|\bformats\b")
    sources = {path.name: path.read_text() for path in folder.glob("*.py")}
    assert {"bars.py", "curves.py", "grids.py", "sparks.py", "world.py"} <= set(sources)
    assert [name for name, text in sources.items() if banned.search(text)] == []


def test_a_caption_may_be_for_screen_readers_only() -> None:
    words = chart_words.words()
    hidden = parsed(bars.bar_chart(Caption("k", "T", "S", heading=0), words, [Bar("a", 1)]))
    title = hidden.find("figcaption/p")
    assert title is not None
    assert "visually-hidden" in title.get("class", "")
    assert all(module.__doc__ for module in (bars, curves, grids, sparks, world))
