from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import TEXT, Correcting, Data, KeyField, lines_of, one_of, rule_field


class HotspotCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.HOTSPOT

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        size = {"width": shown["size"][0], "height": shown["size"][1]}
        how = _(
            "One in each line, in pixels of the picture, which is %(width)d wide and %(height)d high: "
            "rect left, top, right, bottom – circle across, down, radius – poly across, down, across, down, …"
        )
        words = {
            "all": _("All or nothing"),
            "partial": _("The share of the areas that were hit"),
            "minus": _("Areas that were hit less points that hit nothing"),
        }
        lines = "\n".join(f"{area['shape']} {', '.join(map(str, area['at']))}" for area in key["areas"])
        return [KeyField("right", _("Right areas"), TEXT, lines, help=how % size), rule_field(key["rule"], words)]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {"areas": [_area(line) for line in lines_of(data, "right")], "rule": one_of(data, "rule")}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(area["id"], _("area %(number)s") % {"number": area["id"]}) for area in key["areas"]]


def _area(line: str) -> Json:
    """What cannot be read is left for `clean` to refuse."""
    shape, _blank, numbers = line.partition(" ")
    return {"shape": shape.lower(), "at": [one.strip() for one in numbers.split(",")]}


CORRECTING = HotspotCorrecting()
