"""Points in a picture.

shown: {"image": ItemImage id, "size": [width, height] in pixels, "points": how many may be set,
    "grid": [columns, rows], "images"?}
key: {"areas": [{"id", "shape": "rect", "circle" or "poly", "at": pixels}], "rule": one of RULES, …}, with `rationales`
    by area; `at` is [left, top, right, bottom], [across, down, radius] or [across, down, across, down, …]. Given with
    "scale": "share" its numbers go from 0 to 1 (a radius: of the width) and become pixels.
value: {"points": [[across, down]]} in pixels, sorted; of several in one cell only the first counts

Doctors choose a cell of a grid that lies over the picture: that works by keyboard, with a screen reader, and without a
script, and its middle is the point. Every area must hold the middle of a cell, so that everybody can hit it.

Of A areas (or as many points as may be set, where that is less) h were hit, and m points hit nothing: all – everything
or nothing · partial – h / A; only where there are no more points than areas · minus – (h - m) / A, never below 0.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.html import escape
from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import FULL, NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.hotspot.areas import MOST_AREAS, Point, areas_of, holds
from assessments.items.shapes import explanations, images_of, is_id, one_of, whole

RULES = ("all", "partial", "minus")
MOST_PIXELS = 10_000
MOST_CELLS = 20
COLUMNS, ROWS = 10, 8


class Hotspot(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.HOTSPOT

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        if not is_id(shown.get("image")):
            raise ItemError(_("Choose the picture."), field="image")
        size = _pair(shown.get("size"), field="size", least=1, most=MOST_PIXELS)
        grid = _pair(shown.get("grid") or [COLUMNS, ROWS], field="grid", least=2, most=MOST_CELLS)
        points = whole(shown.get("points"), least=1, most=MOST_AREAS, field="points") or 1
        areas = areas_of(key.get("areas"), size=size, in_shares=key.get("scale") == "share")
        middles = [middle for _name, middle in cells(size=size, grid=grid)]
        if not all(any(holds(area, middle) for middle in middles) for area in areas):
            raise ItemError(
                _("An area is so small that it holds the middle of no cell. Make it larger, or the grid finer."),
                field="areas",
            )
        rule = one_of(key.get("rule"), RULES, default="all", field="rule")
        if rule == "partial" and points > len(areas):
            raise ItemError(_("With this rule there may be no more points than areas."), field="points")
        return {"image": shown["image"], "size": size, "points": points, "grid": grid, **images_of(shown)}, {
            "areas": areas,
            "rule": rule,
            **explanations(key, names=[area["id"] for area in areas]),
        }

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        given = raw.get("points", []) if isinstance(raw, dict) else None
        if not isinstance(given, list):
            raise AnswerError
        found = sorted({_point(one, shown["size"]) for one in given}, reverse=True)
        points = sorted({cell_of(point, shown): point for point in found}.values())
        if len(points) > shown["points"]:
            raise AnswerError(_("Choose at most %(most)d.") % {"most": shown["points"]})
        return {"points": [list(point) for point in points]} if points else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        """The fields `point`, each `across,down`."""
        return {"points": [one.split(",") for one in data.get("point", ()) if one]}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        points = [(across, down) for across, down in value["points"]]
        areas = key["areas"]
        inside = sum(any(holds(area, point) for area in areas) for point in points)
        hit = min(inside, sum(any(holds(area, point) for point in points) for area in areas))
        most = min(len(areas), shown["points"])
        missed = len(points) - inside
        if key["rule"] == "all":
            return Mark.of(FULL if hit >= most and not missed else NONE)
        if key["rule"] == "minus":
            return Mark.of(max(NONE, Decimal(hit - missed) / most))
        return Mark.of(Decimal(hit) / most)

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        mine = [(across, down) for across, down in value["points"]] if value else []
        rows = []
        for area in key["areas"]:
            label = _("Area %(name)s: around %(cell)s") % {"name": area["id"], "cell": _cell_in(area, shown)}
            is_hit = any(holds(area, point) for point in mine)
            why = key["rationales"].get(area["id"], "")
            rows.append(Row(escape(label), chosen="yes" if is_hit else "", right="yes", rationale=why))
        missed = [point for point in mine if not any(holds(area, point) for area in key["areas"])]
        return rows + [Row(escape(_said(point, shown)), chosen="yes", is_right=False) for point in missed]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        return ", ".join(_said((across, down), shown) for across, down in value["points"]) if value else ""

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        """The cells, by whether their middle is in an area."""
        return [
            Category(name, name, is_right=any(holds(area, middle) for area in key["areas"]))
            for name, middle in cells(size=shown["size"], grid=shown["grid"])
        ]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        names = [cell_of((across, down), shown) for across, down in value["points"]]
        return list(dict.fromkeys(names))


def cells(*, size: Sequence[int], grid: Sequence[int]) -> list[tuple[str, Point]]:
    """Each cell of the grid with its middle, line by line: A1, B1, … Columns are letters, rows numbers from the top."""
    (width, height), (columns, rows) = size, grid
    return [
        (_cell(column, row), ((2 * column + 1) * width // (2 * columns), (2 * row + 1) * height // (2 * rows)))
        for row in range(rows)
        for column in range(columns)
    ]


def cell_of(point: Point, shown: Json) -> str:
    (width, height), (columns, rows) = shown["size"], shown["grid"]
    return _cell(min(columns - 1, point[0] * columns // width), min(rows - 1, point[1] * rows // height))


def _said(point: Point, shown: Json) -> str:
    return _("Field %(cell)s") % {"cell": cell_of(point, shown)}


def _cell(column: int, row: int) -> str:
    return f"{chr(ord('A') + column)}{row + 1}"


def _cell_in(area: Json, shown: Json) -> str:
    """The one in the middle of those the area holds."""
    held = [name for name, middle in cells(size=shown["size"], grid=shown["grid"]) if holds(area, middle)]
    return held[len(held) // 2] if held else ""


def _pair(raw: Any, *, field: str, least: int, most: int) -> list[int]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise ItemError(_("Give two numbers: across and down."), field=field)
    numbers = [whole(one, least=least, most=most, field=field) for one in raw]
    if None in numbers:
        raise ItemError(_("Give two numbers: across and down."), field=field)
    return [one for one in numbers if one is not None]


def _point(raw: Any, size: Sequence[int]) -> Point:
    if not isinstance(raw, list) or len(raw) != 2:
        raise AnswerError
    across, down = (
        int(one) if isinstance(one, str) and one.isascii() and one.isdigit() and len(one) < 6 else one for one in raw
    )
    if not _is_within(across, size[0]) or not _is_within(down, size[1]):
        raise AnswerError
    return across, down


def _is_within(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
