"""Areas of a picture, in whole pixels: everything is exact, and an edge belongs to its area."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _

from assessments.items.base import NONE, ItemError, Json
from assessments.items.shapes import number

SHAPES = ("rect", "circle", "poly")
MOST_AREAS = 20
MOST_CORNERS = 100
Point = tuple[int, int]


def areas_of(raw: Any, *, size: Sequence[int], in_shares: bool) -> list[Json]:
    """`[{"id", "shape", "at"}]`. Raises ItemError.

    With `in_shares` numbers go from 0 to 1: of the width across, of the height down, of the width for a radius.
    """
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_AREAS:
        raise ItemError(_("Draw 1 to %(most)d areas.") % {"most": MOST_AREAS}, field="areas")
    return [_area(one, str(index), size=size, in_shares=in_shares) for index, one in enumerate(raw, 1)]


def holds(area: Json, point: Point) -> bool:
    at = area["at"]
    if area["shape"] == "rect":
        return bool(at[0] <= point[0] <= at[2] and at[1] <= point[1] <= at[3])
    if area["shape"] == "circle":
        return bool((point[0] - at[0]) ** 2 + (point[1] - at[1]) ** 2 <= at[2] ** 2)
    return _in_polygon([(at[index], at[index + 1]) for index in range(0, len(at), 2)], point)


def _area(raw: Any, name: str, *, size: Sequence[int], in_shares: bool) -> Json:
    given = raw.get("at") if isinstance(raw, dict) else None
    shape = raw.get("shape") if isinstance(raw, dict) else None
    if shape not in SHAPES or not isinstance(given, list) or len(given) > 2 * MOST_CORNERS:
        raise ItemError(_("An area is a rectangle, a circle or a polygon."), field="areas")
    scales = [size[index % 2] for index in range(len(given))]
    at = [_pixels(one, scale if in_shares else 1) for one, scale in zip(given, scales, strict=True)]
    corners = {"rect": len(at) == 4, "circle": len(at) == 3, "poly": len(at) >= 6 and len(at) % 2 == 0}
    if not corners[shape]:
        raise ItemError(_("An area does not have the numbers that its shape needs."), field="areas")
    if shape == "rect":
        at = [min(at[0], at[2]), min(at[1], at[3]), max(at[0], at[2]), max(at[1], at[3])]
    if any(value > scale for value, scale in zip(at, scales, strict=True)):
        raise ItemError(_("An area lies outside of the picture."), field="areas")
    return {"id": name, "shape": shape, "at": at}


def _pixels(raw: Any, scale: int) -> int:
    value = number(raw, field="areas", least=NONE, most=Decimal(100_000))
    return int((value * scale).to_integral_value(rounding=ROUND_HALF_UP))


def _in_polygon(corners: Sequence[Point], point: Point) -> bool:
    """By the number of edges that a ray to the right crosses."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if side == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        if (y1 > y) != (y2 > y) and (side > 0) == (y2 > y1):
            inside = not inside
    return inside
