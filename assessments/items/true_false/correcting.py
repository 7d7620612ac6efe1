from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import ONE, Correcting, Data, KeyField, one_of


class TrueFalseCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.TRUE_FALSE

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        value = "true" if key["right"] else "false"
        return [KeyField("right", _("The statement is"), ONE, value, [("true", _("True")), ("false", _("False"))])]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {"right": {"true": True, "false": False}.get(one_of(data, "right"))}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [("true", _("True")), ("false", _("False"))]


CORRECTING = TrueFalseCorrecting()
