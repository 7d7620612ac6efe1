"""Pixels are those of the picture in the file. The format carries the picture itself, and knows its size."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP
from typing import ClassVar
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json
from assessments.items.exchange import Exchange, Halves, Interaction, Plain, QtiBody, number_of
from assessments.items.markup import element
from assessments.items.qti import RESPONSE, only_interaction, setting, whole_attribute

_MOODLE = {"rect": "rectangle", "circle": "circle", "poly": "polygon"}


class HotspotExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.HOTSPOT

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        fields = {
            "size": _pair(shown["size"]),
            "grid": _pair(shown["grid"]),
            "points": str(shown["points"]),
            "rule": key["rule"],
        }
        fields |= {f"why-{name}": text for name, text in key["rationales"].items()}
        return Plain("ddmarker", fields=fields, zones=tuple(_zone(area) for area in key["areas"]))

    def from_plain(self, plain: Plain) -> Halves:
        fields = plain.fields
        areas = [_area_of_zone(shape, coordinates) for shape, coordinates in plain.zones]
        shown = {"size": _numbers(fields.get("size", "")), "grid": _numbers(fields.get("grid", ""))}
        why = {name[4:]: text for name, text in fields.items() if name.startswith("why-")}
        key = {"areas": areas, "rule": fields.get("rule"), "rationales": why}
        return {**shown, "points": fields.get("points") or max(len(areas), 1)}, key

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        attributes = {"identifier": RESPONSE, "cardinality": "multiple", "baseType": "point"}
        entries = [
            element(
                "areaMapEntry",
                {"shape": area["shape"], "coords": ",".join(map(str, area["at"])), "mappedValue": "1"},
            )
            for area in key["areas"]
        ]
        declared = element("responseDeclaration", attributes, element("areaMapping", {"defaultValue": "0"}, *entries))
        width, height = shown["size"]
        picture = element("object", {"data": "", "type": "", "width": str(width), "height": str(height)})
        classes = f"rule-{key['rule']} grid-{_pair(shown['grid'])}"
        source = {"responseIdentifier": RESPONSE, "maxChoices": str(shown["points"]), "class": classes}
        return Interaction([declared], [element("selectPointInteraction", source, picture)])

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        picture = source.find("object")
        sizes = [whole_attribute(picture, name) for name in ("width", "height")] if picture is not None else []
        areas = _mapped_areas(declared) or _chosen_areas(source, declared)
        shown: Json = {
            "size": sizes if None not in sizes else [],
            "grid": _numbers(setting(source, "grid") or ""),
            "points": whole_attribute(source, "maxChoices") or max(len(areas), 1),
        }
        return shown, {"areas": areas, "rule": setting(source, "rule")}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        return {}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        raise ItemError(_("A point in a picture needs a file that has pictures: Moodle XML or QTI."))


def _pair(numbers: Sequence[int]) -> str:
    return "x".join(map(str, numbers))


def _numbers(text: str) -> list[int]:
    """Of `640x480`; none of anything else."""
    parts = text.split("x")
    good = len(parts) == 2 and all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts)
    return [int(part) for part in parts] if good else []


def _zone(area: Json) -> tuple[str, str]:
    at = area["at"]
    if area["shape"] == "rect":
        coordinates = f"{at[0]},{at[1]};{at[2] - at[0]},{at[3] - at[1]}"
    elif area["shape"] == "circle":
        coordinates = f"{at[0]},{at[1]};{at[2]}"
    else:
        coordinates = ";".join(f"{at[n]},{at[n + 1]}" for n in range(0, len(at), 2))
    return _MOODLE[area["shape"]], coordinates


def _area_of_zone(shape: str, coordinates: str) -> Json:
    """Raises ItemError."""
    at = _whole(coordinates.replace(";", ","))
    ours = next((name for name, moodle in _MOODLE.items() if moodle == shape.strip().lower()), "")
    if ours == "rect" and len(at) == 4:
        at = [at[0], at[1], at[0] + at[2], at[1] + at[3]]
    return {"shape": ours, "at": at}


def _whole(text: str) -> list[int]:
    """Raises ItemError."""
    numbers = [number_of(one, field="areas") for one in text.split(",")][:400]
    if any(abs(one) > 100_000 for one in numbers):
        raise ItemError(_("An area lies outside of the picture."), field="areas")
    return [int(one.to_integral_value(rounding=ROUND_HALF_UP)) for one in numbers]


def _mapped_areas(declared: Element | None) -> list[Json]:
    found = declared.findall("areaMapping/areaMapEntry") if declared is not None else []
    right = [one for one in found if not one.get("mappedValue", "1").startswith(("-", "0"))] or found
    return [{"shape": one.get("shape", ""), "at": _whole(one.get("coords", ""))} for one in right]


def _chosen_areas(source: Element, declared: Element | None) -> list[Json]:
    """Of a hotspotInteraction: those of its shapes that are right."""
    right = (
        {(one.text or "").strip() for one in declared.findall("correctResponse/value")}
        if declared is not None
        else set()
    )
    found = [one for one in source.findall("hotspotChoice") if one.get("identifier") in right]
    return [{"shape": one.get("shape", ""), "at": _whole(one.get("coords", ""))} for one in found]


EXCHANGE = HotspotExchange()
