from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, RowForm, Rows, TableOf, Try, percent_in, percent_of
from assessments.forms.writing.fields import LineField
from assessments.items.base import Json
from assessments.items.short import FOLDS


class AcceptedRow(RowForm):
    typed = ("text",)
    text = LineField(label=_("Accepted answer"), max_length=300)
    share = LineField(label=_("Worth, percent"), size=6, max_length=20, help_text=_("Empty: 100."))


class Details(forms.Form):
    folds = forms.MultipleChoiceField(
        label=_("Makes no difference"),
        required=False,
        initial=FOLDS,
        widget=forms.CheckboxSelectMultiple,
        choices=(
            ("case", _("Capital or small letters")),
            ("accents", _("Accents")),
            ("spaces", _("Blanks")),
            ("punctuation", _("Punctuation")),
        ),
    )
    sure = LineField(
        label=_("Accept a slip of the pen from this likeness on, percent"),
        size=6,
        max_length=20,
        help_text=_("80 lets most typing errors pass. Empty: only what is written above."),
    )
    unsure = LineField(
        label=_("Let a person decide from this likeness on, percent"),
        size=6,
        max_length=20,
        help_text=_("Empty: nobody is asked."),
    )


class ShortForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.SHORT
    details = Details
    tables = (
        TableOf(
            "accepted",
            _("Accepted answers"),
            AcceptedRow,
            _("A * stands for anything: “letroz*” accepts letrozole and letrozol 2.5 mg."),
            new=3,
            most=50,
            is_ordered=False,
        ),
    )

    def write(self, *, shown: Json, key: Json) -> Filled:
        rows = [
            {"text": one["text"], "share": "" if one["share"] == "1" else percent_of(one["share"])}
            for one in key["accepted"]
        ]
        levels = {name: "" if key[name] is None else percent_of(key[name]) for name in ("sure", "unsure")}
        return Filled({"folds": key["folds"], **levels}, {"accepted": rows})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        accepted = [{"text": row["text"], "share": percent_in(row["share"])} for row in rows["accepted"]]
        levels = {name: percent_in(details[name]) if details[name] else None for name in ("sure", "unsure")}
        return {}, {"accepted": accepted, "folds": details["folds"], **levels}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        found = []
        for one in key["accepted"][:3]:
            text = one["text"].replace("\\*", "\0").replace("*", "").replace("\0", "*").strip()
            if text:
                found.append(
                    Try(_("As written") if one["share"] == "1" else _("As written, worth less"), {"text": text})
                )
                if one["share"] == "1" and len(text) > 5 and "*" not in one["text"]:
                    slip = text[:3] + text[4:]
                    found.append(Try(_("With a slip of the pen"), {"text": slip}))
        found.append(Try(_("Something else"), {"text": "…?"} if not found else {"text": "xyz"}))
        return found
