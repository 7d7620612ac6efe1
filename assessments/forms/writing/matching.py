from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import (
    Filled,
    KindForm,
    RowForm,
    Rows,
    TableOf,
    TextRow,
    Try,
    options_in,
    reasons_in,
)
from assessments.forms.writing.fields import LineField, TypedField
from assessments.items.base import Json
from assessments.items.exchange import names_in
from core.richtext import as_typed


class OptionOfList(TextRow):
    typed = ("text",)
    has_letter = True


class StemRow(RowForm):
    typed = ("text", "right", "why")
    text = TypedField(label=_("Case or term to be matched"), rows=2)
    right = LineField(label=_("Letters of what is right"), size=10, help_text=_("For example: B, or A, C"))
    most = LineField(label=_("May choose"), size=4, help_text=_("Empty: one."))
    why = TypedField(label=_("Why"), rows=2)


class MatchingForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.MATCHING
    tables = (
        TableOf(
            "options",
            _("List to choose from"),
            OptionOfList,
            _("In this order, usually by alphabet. Each has a letter, which stays the same when the order changes."),
            new=6,
        ),
        TableOf("stems", _("What is matched"), StemRow, _("Each gets one or more letters of the list above."), new=3),
    )
    fields_of_errors: ClassVar = {"right": "stems"}

    def write(self, *, shown: Json, key: Json) -> Filled:
        options = [{"name": one["id"], "text": as_typed(one["text"])} for one in shown["options"]]
        stems = [
            {
                "name": one["id"],
                "text": as_typed(one["text"]),
                "right": ", ".join(name.upper() for name in key["right"][one["id"]]),
                "most": one["most"] if one["most"] > 1 else "",
                "why": as_typed(key["rationales"].get(one["id"], "")),
            }
            for one in shown["stems"]
        ]
        return Filled(rows={"options": options, "stems": stems})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        stems = [{"id": row["name"], "text": row["text"], "most": row["most"] or 1} for row in rows["stems"]]
        right = {row["name"]: names_in(row["right"]) for row in rows["stems"]}
        shown = {"options": options_in(rows["options"]), "stems": stems}
        return shown, {"right": right, "rationales": reasons_in(rows["stems"])}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        right = {one["id"]: key["right"][one["id"]][: one["most"]] for one in shown["stems"]}
        found = [Try(_("All matched rightly"), {"choices": right})]
        if len(right) > 1:
            first = shown["stems"][0]["id"]
            found.append(Try(_("Only the first"), {"choices": {first: right[first]}}))
        return found
