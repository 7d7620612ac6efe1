"""A page of numbers as PDF: texts, pictures and small tables go in, bytes come out; from the same facts the same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analytics.rendering.paper import OnPaper
from certification.printing import text
from certification.printing.facts import RIGHT_TO_LEFT
from certification.printing.typesetting import STANDARDS, DocumentError, families, typeset

TEMPLATE = Path(__file__).with_name("one_page.typ")
LONGEST_TITLE, LONGEST_LINE, LONGEST_CELL = 160, 220, 46


@dataclass(frozen=True, slots=True)
class Figure:
    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """`summary` says in words what one sees; it is printed, and read aloud instead of the drawing."""

    title: str
    summary: str
    drawing: OnPaper


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: how wide each is, in shares. `empty` stands there instead of no rows."""

    title: str
    columns: Sequence[int]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`wide` stand under each other, `narrow` in two columns beside each other. `at`: the date that the file bears."""

    title: str
    above: str
    people: str
    figures: Sequence[Figure]
    wide: Sequence[Picture]
    narrow: Sequence[Picture | Table]
    footer: str
    at: datetime
    site: str = ""
    language: str = "en"


def render(page: Page) -> bytes:
    """About a tenth of a second of a core. Raises DocumentError."""
    svgs: dict[str, str] = {}
    language = page.language.partition("-")[0]
    data = {
        "title": _short(page.title, LONGEST_TITLE),
        "above": _short(page.above, LONGEST_LINE),
        "people": _short(page.people, LONGEST_LINE),
        "figures": [
            {"label": _short(one.label), "value": text.clean(one.value), "note": _short(one.note, 60)}
            for one in page.figures
        ],
        "wide": [_picture(one, svgs) for one in page.wide],
        "narrow": [_picture(one, svgs) if isinstance(one, Picture) else _table(one) for one in page.narrow],
        "footer": text.clean(page.footer),
        "site": text.clean(page.site),
        "lang": language,
        "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "fonts": families(is_japanese=language == "ja"),
    }
    at = page.at.replace(microsecond=0)  # typst takes whole seconds only
    given = {"data": json.dumps(data), **svgs}
    made = typeset(TEMPLATE, given, format="pdf", pdf_standards=STANDARDS, timestamp=at)
    if not made.startswith(b"%PDF-"):
        raise DocumentError("typst answered without a PDF.")
    return made


def _short(written: str, longest: int = LONGEST_CELL) -> str:
    plain = text.clean(written)
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


def _picture(one: Picture, svgs: dict[str, str]) -> dict[str, Any]:
    name = f"svg-{len(svgs) + 1}"
    svgs[name] = one.drawing.svg
    pins = [f"{when} {_short(what, 60)}" for when, what in one.drawing.pins]
    return {"title": text.clean(one.title), "summary": text.clean(one.summary), "name": name, "svg": True, "pins": pins}


def _table(one: Table) -> dict[str, Any]:
    return {
        "title": text.clean(one.title),
        "columns": list(one.columns),
        "head": [_short(cell) for cell in one.head],
        "rows": [[_short(cell) for cell in row] for row in one.rows],
        "empty": text.clean(one.empty),
    }
