from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import (
    Filled,
    KindForm,
    OneRightRow,
    Rows,
    TableOf,
    Try,
    options_in,
    reasons_in,
    rows_of,
)
from assessments.items.base import Json


class SingleForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.SINGLE
    tables = (
        TableOf("options", _("Answers"), OneRightRow, _("Mark the right one. Rows left empty do not count."), new=5),
    )

    def write(self, *, shown: Json, key: Json) -> Filled:
        return Filled(rows={"options": rows_of(shown["options"], key, right=[key["right"]])})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        given = rows["options"]
        right = next((row["name"] for row in given if row["right"]), None)
        return {"options": options_in(given)}, {"right": right, "rationales": reasons_in(given)}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        wrong = next(one["id"] for one in shown["options"] if one["id"] != key["right"])
        return [Try(_("The right answer"), {"choice": key["right"]}), Try(_("A wrong answer"), {"choice": wrong})]
