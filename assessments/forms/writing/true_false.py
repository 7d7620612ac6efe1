from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, Rows, Try
from assessments.forms.writing.fields import TypedField
from assessments.items.base import Json
from core.richtext import as_typed

NAMES = ("true", "false")


class Details(forms.Form):
    right = forms.ChoiceField(
        label=_("This is"),
        required=False,
        widget=forms.RadioSelect,
        choices=(("true", _("True")), ("false", _("False"))),
    )
    why_true = TypedField(label=_("Said to who chose “true”"), rows=2)
    why_false = TypedField(label=_("Said to who chose “false”"), rows=2)


class TrueFalseForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.TRUE_FALSE
    details = Details

    def write(self, *, shown: Json, key: Json) -> Filled:
        why = {f"why_{name}": as_typed(key["rationales"].get(name, "")) for name in NAMES}
        return Filled({"right": "true" if key["right"] else "false", **why})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        why = {name: details[f"why_{name}"] for name in NAMES if details[f"why_{name}"]}
        return {}, {"right": {"true": True, "false": False}.get(details["right"]), "rationales": why}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        right = key["right"]
        return [Try(_("The right answer"), {"choice": right}), Try(_("The wrong answer"), {"choice": not right})]
