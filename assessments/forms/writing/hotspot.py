"""Areas are written as cells of the grid, from corner to corner. What a file drew otherwise stays as it was drawn."""

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, RowForm, Rows, TableOf, Try
from assessments.forms.writing.fields import LineField, TypedField
from assessments.items.base import Json
from assessments.items.hotspot import COLUMNS, MOST_CELLS, ROWS, cells
from assessments.items.hotspot.areas import MOST_AREAS, holds
from core.richtext import as_typed

_CELL = re.compile(r"\s*([A-Za-z])\s*([0-9]{1,2})\s*\Z")


class AreaRow(RowForm):
    typed = ("first", "last", "drawn")
    first = LineField(label=_("From field"), size=5, max_length=5)
    last = LineField(label=_("To field"), size=5, max_length=5, help_text=_("Empty: only that one."))
    drawn = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)
    why = TypedField(label=_("Why it is right"), rows=2)

    @property
    def shape(self) -> str:
        """In words, what a file drew that is no block of fields; fields that are typed in replace it."""
        area = _drawn(str(self["drawn"].value() or ""))
        words = {"circle": _("a circle"), "poly": _("a polygon"), "rect": _("a rectangle")}
        return str(words.get(area["shape"], "")) if area else ""


class Details(forms.Form):
    columns = forms.IntegerField(
        label=_("Fields across"), required=False, min_value=2, max_value=MOST_CELLS, initial=COLUMNS
    )
    rows = forms.IntegerField(label=_("Fields down"), required=False, min_value=2, max_value=MOST_CELLS, initial=ROWS)
    points = LineField(label=_("How many fields may be chosen"), size=4, help_text=_("Empty: one."))
    rule = forms.ChoiceField(
        label=_("How it is marked"),
        required=False,
        choices=(
            ("all", _("All or nothing")),
            ("partial", _("A share for each area that is found")),
            ("minus", _("A share for each area that is found, less one for each field outside")),
        ),
    )


class HotspotForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.HOTSPOT
    details = Details
    tables = (
        TableOf(
            "areas",
            _("Right areas"),
            AreaRow,
            _("From one corner to the other, for example from C3 to D5. Letters go across, numbers go down."),
            new=1,
            most=MOST_AREAS,
            is_ordered=False,
        ),
    )
    fields_of_errors: ClassVar = {"image": "target", "size": "target", "grid": "columns"}

    def write(self, *, shown: Json, key: Json) -> Filled:
        columns, rows = shown["grid"]
        details = {"columns": columns, "rows": rows, "points": shown["points"] if shown["points"] > 1 else ""}
        found = []
        for area in key["areas"]:
            corners = corners_of(area, size=shown["size"], grid=shown["grid"])
            why = as_typed(key["rationales"].get(area["id"], ""))
            place = {"first": corners[0], "last": corners[1]} if corners else {"drawn": json.dumps(area)}
            found.append({"name": area["id"], "why": why, **place})
        return Filled({**details, "rule": key["rule"]}, {"areas": found})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        """`size` is put in beside the picture; without one areas cannot be in pixels, and are left out."""
        grid, size = [details["columns"] or COLUMNS, details["rows"] or ROWS], details.get("size")
        areas: list[Any] = []
        why = {}
        for row in rows["areas"]:
            area = area_of(row["first"], row["last"] or row["first"], size=size, grid=grid) if size else None
            if size and not row["first"]:
                area = _drawn(row["drawn"])
            if area is not None or size:
                areas.append(area)
                why[str(len(areas))] = row["why"]
        shown = {"grid": grid, "points": details["points"] or 1}
        return shown, {"areas": areas, "rule": details["rule"], "rationales": {k: v for k, v in why.items() if v}}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        middles = [middle for _name, middle in cells(size=shown["size"], grid=shown["grid"])]
        inside = [next(one for one in middles if holds(area, one)) for area in key["areas"]]
        points = [list(one) for one in sorted(set(inside))][: shown["points"]]
        outside = next((one for one in middles if not any(holds(area, one) for area in key["areas"])), None)
        found = [Try(_("In the right areas"), {"points": points})]
        if outside:
            found.append(Try(_("Outside of them"), {"points": [list(outside)]}))
        return found

    def can_be_shown(self, shown: Json) -> bool:
        return "image" in shown and "size" in shown


def area_of(first: str, last: str, *, size: Sequence[int], grid: Sequence[int]) -> Json | None:
    """A rectangle of whole cells, down to the last pixel that belongs to them. None for what names no cells."""
    corners = [_cell(text, grid) for text in (first, last)]
    if None in corners:
        return None
    (c1, r1), (c2, r2) = (one for one in corners if one is not None)
    (left, right), (top, bottom) = sorted((c1, c2)), sorted((r1, r2))
    at = [
        _start(left, 0, size, grid),
        _start(top, 1, size, grid),
        _end(right, 0, size, grid),
        _end(bottom, 1, size, grid),
    ]
    return {"shape": "rect", "at": at}


def corners_of(area: Json, *, size: Sequence[int], grid: Sequence[int]) -> tuple[str, str] | None:
    """The way back: none for what is no block of whole cells."""
    if area["shape"] != "rect":
        return None
    left, top, right, bottom = area["at"]
    found = []
    for low, high, axis in ((left, right, 0), (top, bottom, 1)):
        starts = [index for index in range(grid[axis]) if _start(index, axis, size, grid) == low]
        ends = [index for index in range(grid[axis]) if _end(index, axis, size, grid) == high]
        if not starts or not ends:
            return None
        found.append((starts[0], ends[0]))
    (c1, c2), (r1, r2) = found
    return f"{chr(65 + c1)}{r1 + 1}", f"{chr(65 + c2)}{r2 + 1}"


def _start(index: int, axis: int, size: Sequence[int], grid: Sequence[int]) -> int:
    return -(-index * size[axis] // grid[axis])


def _end(index: int, axis: int, size: Sequence[int], grid: Sequence[int]) -> int:
    """An edge belongs to the cell behind it; only the last one has its own."""
    return size[axis] if index + 1 == grid[axis] else _start(index + 1, axis, size, grid) - 1


def _cell(text: str, grid: Sequence[int]) -> tuple[int, int] | None:
    found = _CELL.match(text)
    if found is None:
        return None
    column, row = ord(found[1].upper()) - ord("A"), int(found[2]) - 1
    return (column, row) if column < grid[0] and 0 <= row < grid[1] else None


def _drawn(text: str) -> Json | None:
    """It has been to the browser and back: any JSON at all, looked at by the kind."""
    try:
        area = json.loads(text)
    except ValueError:
        return None
    return {"shape": area.get("shape"), "at": area.get("at")} if isinstance(area, dict) else None
