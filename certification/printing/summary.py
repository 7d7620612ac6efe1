"""One page about an evidence pack, as PDF: what it is, its terms, how many rows there are, where the ledger stands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from certification.printing import text
from certification.printing.typesetting import FOLDER, DocumentError, families, typeset

TEMPLATE = FOLDER / "summary.typ"


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: how wide each is, in shares."""

    title: str
    columns: Sequence[int]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Summary:
    """`at` is the date that the file bears: one of the facts, so that the same facts give the same bytes.

    `header` stands on every page.
    """

    heading: str
    title: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    note: str
    at: datetime
    header: str = ""


def render(summary: Summary) -> bytes:
    """Some 30 ms of a core, not in a request. A glyph that no font has leaves a box: an odd name spoils no evidence."""
    data = {
        "heading": text.clean(summary.heading),
        "title": text.clean(summary.title),
        "facts": [[text.clean(label), text.clean(value)] for label, value in summary.facts],
        "tables": [
            {
                "title": text.clean(one.title),
                "columns": list(one.columns),
                "head": [text.clean(cell) for cell in one.head],
                "rows": [[text.clean(cell) for cell in row] for row in one.rows],
            }
            for one in summary.tables
            if one.rows
        ],
        "note": text.clean(summary.note),
        "header": text.clean(summary.header),
        "fonts": families(is_japanese=False),
    }
    at = summary.at.replace(microsecond=0)  # typst takes whole seconds only
    made = typeset(TEMPLATE, {"data": json.dumps(data)}, format="pdf", timestamp=at)
    if not made.startswith(b"%PDF-"):
        raise DocumentError("typst answered without a PDF.")
    return made
