"""Charts in a PDF: the same drawing, complete in itself."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import typst
from django.utils.safestring import mark_safe

from analytics.rendering.data import Caption, Mark, Series
from analytics.rendering.paper import COLOURS, OnPaper, curve_on_paper, map_on_paper
from analytics.templatetags import chart_words
from certification.printing.typesetting import FONTS
from tests.analytics.rendering import specimen
from tests.pages.test_tokens import tokens

CLOCK, SHARE = chart_words.axis("clock"), chart_words.axis("percent", high=1)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(series: list[Series], marks: list[Mark] | None = None, title: str = "Who was watching") -> OnPaper | None:
    return curve_on_paper(
        Caption("k", title, "What one sees."), chart_words.words(), series, x=CLOCK, y=SHARE, marks=marks or [],
        fonts="Noto Sans, Noto Naskh Arabic",
    )  # fmt: skip


def typeset(svg: str, folder: Path) -> bytes:
    """A page with nothing but the picture, as PNG. A warning of typst is an error here."""
    (folder / "chart.svg").write_text(svg)
    (folder / "page.typ").write_text(
        '#set page(width: 190mm, height: auto, margin: 5mm)\n#image("chart.svg", width: 100%)'
    )
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    compiler = typst.Compiler(input=folder / "page.typ", root=folder, font_paths=fonts)
    made, warnings = compiler.compile_with_warnings(format="png", ppi=96.0)
    assert [one.message for one in warnings] == []
    assert isinstance(made, bytes)
    return made


def test_a_curve_is_one_document_without_anything_from_outside(tmp_path: Path) -> None:
    found = drawn(specimen.retention(), specimen.marks())
    assert found
    root = ET.fromstring(found.svg)
    assert root.tag == f"{SVG}svg"
    assert (root.get("width"), root.get("height")) == (str(int(found.width)), str(int(found.height)))
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"100%", "0:00", "1:00:00", "Live", "Recording", "Slide", "Slide 9 · statistics · 9% left"} <= set(texts)
    assert "var(" not in found.svg
    assert "href" not in found.svg
    assert [what for _when, what in found.pins if "Slide 9" in what] == ["Slide 9 · statistics · 9% left"]
    numbers = [one.text for one in root.iter(f"{SVG}text") if one.get("class") == "chart-pin-number"]
    assert numbers == [str(n) for n in range(1, len(found.pins) + 1)], "once: there is one width"
    assert len(typeset(found.svg, tmp_path)) > 20_000


def test_a_map_is_one_as_well(tmp_path: Path) -> None:
    caption = Caption("k", "Countries")
    found = map_on_paper(caption, chart_words.words(), specimen.WORLD, names=chart_words.country_name)
    assert found
    root = ET.fromstring(found.svg)
    assert {one.text for one in root.iter(f"{SVG}title")} >= {"Countries", "India: 5,310", "Malta: 12"}
    assert len(typeset(found.svg, tmp_path)) > 20_000


def test_nothing_is_nothing() -> None:
    assert drawn([]) is None
    assert map_on_paper(Caption("k", "T"), chart_words.words(), {}, names=str) is None


@pytest.mark.parametrize("text", [specimen.RUBBISH, mark_safe("</style><script>alert(1)</script>")])
def test_titles_stay_text(text: str) -> None:
    curve = [Series(text, [(0, 0.5), (60, 1)]), Series(text, [(0, 0.5), (60, 1)])]
    found = drawn(curve, [Mark(30, text, weight=1, note=text)], title=text)
    assert found
    tags = {one.tag.removeprefix(SVG) for one in ET.fromstring(found.svg).iter()}
    assert tags <= {"svg", "g", "path", "rect", "circle", "line", "text", "title", "desc", "style"}


def test_colours_are_those_of_the_light_page() -> None:
    light = tokens("light")
    assert {name: light[name] for name in COLOURS} == dict(COLOURS)
