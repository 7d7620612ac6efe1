from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import SEVERAL, Correcting, Data, KeyField, many_of, one_of, rule_field


class MultipleCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.MULTIPLE

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        choices = [(option["id"], option["text"]) for option in shown["options"]]
        words = {
            "all": _("All or nothing"),
            "partial": _("The share of the right ones that were chosen"),
            "minus": _("The right ones less the wrong ones"),
            "each": _("Every answer by itself, chosen or left"),
        }
        return [KeyField("right", _("Right answers"), SEVERAL, key["right"], choices), rule_field(key["rule"], words)]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {"right": many_of(data, "right"), "rule": one_of(data, "rule")}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(option["id"], option["text"]) for option in shown["options"]]


CORRECTING = MultipleCorrecting()
