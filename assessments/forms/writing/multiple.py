from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import (
    Filled,
    KindForm,
    OptionRow,
    Rows,
    TableOf,
    Try,
    options_in,
    reasons_in,
    rows_of,
)
from assessments.forms.writing.fields import LineField
from assessments.items.base import Json


class Details(forms.Form):
    rule = forms.ChoiceField(
        label=_("How it is marked"),
        required=False,
        choices=(
            ("all", _("All or nothing")),
            ("partial", _("A share for each right answer; no more may be chosen than the number below")),
            ("minus", _("A share for each right answer, less one for each wrong one")),
            ("each", _("Each answer by itself, chosen or left out rightly")),
        ),
    )
    most = LineField(label=_("How many may be chosen"), size=4, help_text=_("Empty: as many as one likes."))


class MultipleForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.MULTIPLE
    details = Details
    tables = (
        TableOf("options", _("Answers"), OptionRow, _("Mark all that are right. Rows left empty do not count."), new=5),
    )

    def write(self, *, shown: Json, key: Json) -> Filled:
        details = {"rule": key["rule"], "most": shown.get("most", "")}
        return Filled(details, {"options": rows_of(shown["options"], key, right=key["right"])})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        given = rows["options"]
        shown: Json = {"options": options_in(given)}
        if details["most"]:
            shown["most"] = details["most"]
        right = [row["name"] for row in given if row["right"]]
        return shown, {"right": right, "rule": details["rule"], "rationales": reasons_in(given)}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        right = list(key["right"])
        others = [one["id"] for one in shown["options"] if one["id"] not in right]
        most = shown.get("most", len(shown["options"]))
        found = [Try(_("All that are right"), {"choices": right})]
        if len(right) > 1:
            found.append(Try(_("One of them left out"), {"choices": right[:-1]}))
        if others and len(right) < most:
            found.append(Try(_("A wrong one besides"), {"choices": [*right, others[0]]}))
        elif others:
            found.append(Try(_("A wrong one instead of one of them"), {"choices": [*right[:-1], others[0]]}))
        return found
