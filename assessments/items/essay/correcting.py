from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import LINE, TEXT, Correcting, Data, KeyField, html_of, one_of
from core.richtext import as_typed


class EssayCorrecting(Correcting):
    """Marks that people gave stand; who marks from now on does it by this."""

    kind: ClassVar[ItemKind] = ItemKind.ESSAY

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        fields = [KeyField("model", _("A model answer"), TEXT, as_typed(key.get("model", "")))]
        for number, one in enumerate(key["rubric"], 1):
            place = {"number": number}
            fields += [
                KeyField(f"text-{one['id']}", _("Criterion %(number)d") % place, TEXT, as_typed(one["text"])),
                KeyField(f"points-{one['id']}", _("Points of criterion %(number)d") % place, LINE, one["points"]),
            ]
        return fields

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        rubric = [
            {
                "id": one["id"],
                "text": html_of(data, f"text-{one['id']}", one["text"]),
                "points": one_of(data, f"points-{one['id']}").replace(",", "."),
            }
            for one in key["rubric"]
        ]
        return {"model": html_of(data, "model", key.get("model", "")), "rubric": rubric}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(one["id"], one["text"]) for one in key["rubric"]]


CORRECTING = EssayCorrecting()
