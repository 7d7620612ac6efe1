from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import ONE, Correcting, Data, KeyField, one_of


class SingleCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.SINGLE

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        choices = [(option["id"], option["text"]) for option in shown["options"]]
        return [KeyField("right", _("Right answer"), ONE, key["right"], choices)]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {"right": one_of(data, "right")}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(option["id"], option["text"]) for option in shown["options"]]


CORRECTING = SingleCorrecting()
