from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, RowForm, Rows, TableOf, Try, options_in, reasons_in
from assessments.forms.writing.fields import TypedField
from assessments.items.base import Json
from core.richtext import as_typed


class Details(forms.Form):
    rule = forms.ChoiceField(
        label=_("How it is marked"),
        required=False,
        choices=(
            ("exact", _("All or nothing")),
            ("pairs", _("The share of neighbours that follow each other as they should")),
            ("places", _("The share of entries at their right place")),
        ),
    )


class EntryRow(RowForm):
    text = TypedField(label=_("Step"), rows=2)
    why = TypedField(label=_("Why it belongs there"), rows=2)


class OrderingForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.ORDERING
    details = Details
    tables = (
        TableOf("entries", _("Steps in their right order"), EntryRow, _("Doctors get them in another order."), new=5),
    )
    fields_of_errors: ClassVar = {"right": "entries"}

    def write(self, *, shown: Json, key: Json) -> Filled:
        texts = {one["id"]: one["text"] for one in shown["entries"]}
        why = key["rationales"]
        rows = [
            {"name": name, "text": as_typed(texts[name]), "why": as_typed(why.get(name, ""))} for name in key["right"]
        ]
        return Filled({"rule": key["rule"]}, {"entries": rows})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        given = rows["entries"]
        key = {"right": [row["name"] for row in given], "rule": details["rule"], "rationales": reasons_in(given)}
        return {"entries": options_in(given)}, key

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        right = {name: place for place, name in enumerate(key["right"], 1)}
        first, second, *_rest = key["right"]
        swapped = right | {first: 2, second: 1}
        return [
            Try(_("The right order"), {"places": right}),
            Try(_("The first two the other way round"), {"places": swapped}),
        ]
