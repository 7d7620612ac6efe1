from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, RowForm, Rows, TableOf, number_in, reasons_in
from assessments.forms.writing.fields import LineField, TypedField
from assessments.items.base import Json
from core.richtext import as_typed


class CriterionRow(RowForm):
    text = TypedField(label=_("What is looked for"), rows=2)
    points = LineField(label=_("Points"), size=6, max_length=20, help_text=_("Empty: 1."))
    why = TypedField(label=_("Said about it afterwards"), rows=2)


class Details(forms.Form):
    least_words = LineField(label=_("At least, words"), size=6, max_length=6)
    most_words = LineField(label=_("At most, words"), size=6, max_length=6)
    model = TypedField(label=_("A good answer"), rows=6, help_text=_("For those who mark, and shown afterwards."))


class EssayForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.ESSAY
    details = Details
    tables = (
        TableOf(
            "rubric",
            _("Rubric"),
            CriterionRow,
            _("A person marks each by itself; doctors see it when right answers are shown."),
            new=3,
        ),
    )

    def write(self, *, shown: Json, key: Json) -> Filled:
        rows = [
            {
                "name": one["id"],
                "text": as_typed(one["text"]),
                "points": one["points"],
                "why": as_typed(key["rationales"].get(one["id"], "")),
            }
            for one in key["rubric"]
        ]
        limits = {name: shown.get(name, "") for name in ("least_words", "most_words")}
        return Filled({**limits, "model": as_typed(key["model"])}, {"rubric": rows})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        given = rows["rubric"]
        shown = {name: details[name] for name in ("least_words", "most_words") if details[name]}
        rubric = [{"id": row["name"], "text": row["text"], "points": number_in(row["points"]) or "1"} for row in given]
        return shown, {"rubric": rubric, "model": details["model"], "rationales": reasons_in(given)}
