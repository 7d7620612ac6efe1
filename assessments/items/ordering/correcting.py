from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json
from assessments.items.correcting import LINE, Correcting, Data, KeyField, one_of, rule_field


class OrderingCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.ORDERING

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        texts = {entry["id"]: entry["text"] for entry in shown["entries"]}
        words = {
            "exact": _("All or nothing"),
            "pairs": _("The share of neighbours in the right order"),
            "places": _("The share of entries at their right place"),
        }
        places = [
            KeyField(f"place-{name}", _("Place of: %(text)s") % {"text": texts[name]}, LINE, str(place))
            for place, name in enumerate(key["right"], 1)
        ]
        return [*places, rule_field(key["rule"], words)]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        """Raises ItemError for places that are missing or there twice."""
        names = [entry["id"] for entry in shown["entries"]]
        by_place = {one_of(data, f"place-{name}"): name for name in names}
        wanted = [str(place) for place in range(1, len(names) + 1)]
        if set(by_place) != set(wanted):
            text = _("Give each place from 1 to %(most)d once.") % {"most": len(names)}
            raise ItemError(text, field=f"place-{key['right'][0]}")
        return {"right": [by_place[place] for place in wanted], "rule": one_of(data, "rule")}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(entry["id"], entry["text"]) for entry in shown["entries"]]


CORRECTING = OrderingCorrecting()
