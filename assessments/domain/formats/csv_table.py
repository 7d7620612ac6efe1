"""Our own table: a question a row, a heading a column. What spreadsheets would run as a formula gets an apostrophe.

The columns are described in docs/assessments.md. Pictures cannot be in a table.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from assessments.domain.formats.base import MOST_QUESTIONS, Format, FormatError, Reading, finished, too_many
from assessments.domain.formats.text import decoded
from assessments.enums import ItemKind
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import exchange_of
from assessments.items.markup import as_html
from core.exports import csv_lines

FIRST = ("name", "kind", "vignette", "question")
LAST = ("rationale", "references", "tags", "difficulty")
NEEDED = ("kind", "question")
MOST_COLUMNS = 200
LONGEST_CELL = 60_000
_GUARDED = re.compile(r"'+ *[=+\-@\t\r]")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,100}>|&(?:#?\w{1,10});")
_KNOWN = re.compile(
    r"(?:name|kind|vignette|question|rationale|references|tags|difficulty|right|rule|most|units|unit needed|alike|sure"
    r"|unsure|least words|most words|points|model answer|(?:option|stem|why) [a-z0-9]{1,8})\Z"
)
_PLAIN = {"name", "kind", "vignette", "references", "tags", "difficulty", "right", "rule", "most", "units", "alike"} | {
    "unit needed",
    "sure",
    "unsure",
    "least words",
    "most words",
    "points",
}


@dataclass(slots=True)
class _Row:
    line: int
    cells: dict[str, str]
    parts: list["_Row"] = field(default_factory=list)


def read(data: bytes) -> Reading:
    reading = Reading()
    rows: list[_Row] = []
    vignettes: dict[str, _Row] = {}
    for number, row in enumerate(_rows(decoded(data), reading)):
        if number > MOST_QUESTIONS * 4:
            raise too_many()
        of = " ".join(row.cells.get("vignette", "").split()).casefold()
        name = " ".join(row.cells.get("name", "").split())
        if not of:
            rows.append(row)
            if row.cells.get("kind", "").strip().lower() == ItemKind.VIGNETTE:
                vignettes.setdefault(name.casefold(), row)
        elif of in vignettes:
            vignettes[of].parts.append(row)
        else:
            text = _("No vignette of this name stands above it: put the vignette's own row first.")
            reading.refuse(text, place=row.line, name=name)
    for row in rows:
        name = row.cells.get("name", "")
        reading.take(lambda row=row: _draft(row), place=row.line, name=name)  # type: ignore[misc]
    return reading


def _rows(text: str, reading: Reading) -> Iterator[_Row]:
    """Raises FormatError for a table that has not the columns it needs."""
    first = text.partition("\n")[0]
    table = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), strict=False)
    columns: list[str] = []
    try:
        for cells in table:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _columns(cells)
            elif len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
                reading.refuse(_("It has more cells than the table has columns."), place=table.line_num)
            elif any(len(cell) > LONGEST_CELL for cell in cells):
                reading.refuse(_("One of its cells is too long."), place=table.line_num)
            else:
                named = zip(columns, map(_unguarded, cells), strict=False)
                yield _Row(table.line_num, {name: _written(name, cell) for name, cell in named if cell.strip()})
    except csv.Error as error:
        raise FormatError(_("This is no table that can be read (line %(line)d).") % {"line": table.line_num}) from error
    if not columns:
        raise FormatError(_("The table is empty."))


def _columns(cells: Sequence[str]) -> list[str]:
    columns = [" ".join(cell.lower().split()) for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if not _KNOWN.match(name)]
    if missing:
        raise FormatError(_("These columns are missing: %(names)s.") % {"names": ", ".join(missing)})
    if unknown or len(set(columns)) != len(columns) or len(columns) > MOST_COLUMNS:
        named = ", ".join(repr(name[:40]) for name in unknown[:10])
        raise FormatError(_("These columns are not known, or there twice: %(names)s.") % {"names": named})
    return columns


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def _written(name: str, cell: str) -> str:
    """Who types `p < 0.05` into a table means just that; what has tags or entities in it is HTML."""
    if name in _PLAIN or _MARKUP.search(cell):
        return cell.strip()
    return as_html(cell)


def _draft(row: _Row) -> Draft:
    """Raises ItemError."""
    cells = row.cells
    kind = cells.get("kind", "").strip().lower().replace(" ", "_")
    if kind not in ItemKind.values:
        known = ", ".join(ItemKind.values)
        raise ItemError(_("“%(kind)s” is no kind: write one of %(known)s.") % {"kind": kind[:40], "known": known})
    shown, key = exchange_of(kind).from_cells(cells)
    level = cells.get("difficulty", "").strip()
    if level and level not in {"1", "2", "3", "4", "5"}:
        raise ItemError(_("The difficulty is a number from 1 to 5."), field="difficulty")
    draft = Draft(
        kind=ItemKind(kind),
        name=cells.get("name", ""),
        stem=cells.get("question", ""),
        shown=shown,
        key={
            **key,
            "rationale": cells.get("rationale", ""),
            "references": [one.strip() for one in cells.get("references", "").split("\n") if one.strip()],
        },
        tags=tuple(cells.get("tags", "").split(",")),
        difficulty=int(level) if level else None,
    )
    parts = []
    for under in row.parts:
        try:
            parts.append(finished(_draft(under)))
        except ItemError as problem:
            raise ItemError(_("Line %(line)d: %(text)s") % {"line": under.line, "text": problem}) from problem
    return replace(draft, parts=tuple(parts)) if parts else draft


def pack(drafts: Sequence[Draft]) -> bytes:
    rows = [cells for draft in drafts for cells in _cells(draft)]
    used = {name for cells in rows for name in cells}
    middle = sorted(used - set(FIRST) - set(LAST), key=_order)
    columns = [*FIRST, *middle, *LAST]
    return b"".join(
        csv_lines([columns, *([_guarded(_as_cell(name, cells.get(name, ""))) for name in columns] for cells in rows)])
    )


def _order(name: str) -> tuple[int, int, str]:
    first, _space, letter = name.partition(" ")
    places = ["option", "stem", "right", "rule", "most", "units", "unit"]
    return places.index(first) if first in places else len(places), len(letter), name


def _cells(draft: Draft, of: str = "") -> Iterator[Mapping[str, str]]:
    own = exchange_of(draft.kind).to_cells(shown=draft.shown, key=draft.key)
    yield {
        **own,
        "name": draft.name,
        "kind": draft.kind.value,
        "vignette": of,
        "question": draft.stem,
        "rationale": draft.key.get("rationale", ""),
        "references": "\n".join(draft.key.get("references", ())),
        "tags": ", ".join(draft.tags),
        "difficulty": str(draft.difficulty or ""),
    }
    for part in draft.parts:
        yield from _cells(part, of=draft.name)


def _as_cell(name: str, text: str) -> str:
    """A line's end within HTML is a blank, and one within a plain cell is a new line: it is written as an entity."""
    return text if _written(name, text) == text else text.replace("\n", "&#10;")


def _guarded(cell: str) -> str:
    """A text that looks guarded already gets a second apostrophe, so that reading takes only ours away."""
    return f"'{cell}" if _GUARDED.match(cell) else cell


def can_carry(draft: Draft) -> bool:
    """Letters of options are headings, so any are carried; a picture that a question is about cannot be."""
    return draft.kind != ItemKind.HOTSPOT and all(can_carry(part) for part in draft.parts)


CSV = Format("csv", "CSV", "csv", "text/csv", read, pack, can_carry)
