from decimal import Decimal, localcontext
from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.base import (
    Filled,
    KindForm,
    RowForm,
    Rows,
    TableOf,
    Try,
    number_in,
    percent_in,
    percent_of,
)
from assessments.forms.writing.fields import LineField
from assessments.items.base import Json
from assessments.items.numeric import DIGITS
from assessments.items.shapes import written


class NumberRow(RowForm):
    typed = ("right", "tolerance")
    right = LineField(label=_("Number"), size=12, max_length=50)
    tolerance = LineField(label=_("± tolerance"), size=8, max_length=50)
    by = forms.ChoiceField(
        label=_("Tolerance in"),
        required=False,
        choices=(("absolute", _("the same unit")), ("percent", _("percent of the number"))),
    )
    share = LineField(label=_("Worth, percent"), size=6, max_length=20, help_text=_("Empty: 100."))


class UnitRow(RowForm):
    typed = ("unit", "factor")
    unit = LineField(label=_("Unit"), size=12, max_length=30)
    factor = LineField(
        label=_("Times"), size=10, max_length=50, help_text=_("1 for the unit of the number; empty: a wrong unit.")
    )


class Details(forms.Form):
    needs_unit = forms.BooleanField(label=_("A unit has to be chosen"), required=False)


class NumericForm(KindForm):
    kind: ClassVar[ItemKind] = ItemKind.NUMERIC
    details = Details
    tables = (
        TableOf(
            "answers",
            _("Right numbers"),
            NumberRow,
            _("A second one can be worth less."),
            new=1,
            is_ordered=False,
            most=20,
        ),
        TableOf(
            "units",
            _("Units to choose from"),
            UnitRow,
            _("An answer in a unit is multiplied by its number before it is compared: with mg as 1, g is 1000."),
            new=2,
            most=20,
        ),
    )
    fields_of_errors: ClassVar = {"factors": "units"}

    def write(self, *, shown: Json, key: Json) -> Filled:
        answers = [
            {
                "right": one["right"],
                "tolerance": "" if one["tolerance"] == "0" else one["tolerance"],
                "by": one["by"],
                "share": "" if one["share"] == "1" else percent_of(one["share"]),
            }
            for one in key["answers"]
        ]
        units = [{"unit": unit, "factor": key["factors"].get(unit, "")} for unit in shown["units"]]
        return Filled({"needs_unit": shown["needs_unit"]}, {"answers": answers, "units": units})

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        answers = [
            {
                "right": number_in(row["right"]),
                "tolerance": number_in(row["tolerance"]) or "0",
                "by": row["by"],
                "share": percent_in(row["share"]),
            }
            for row in rows["answers"]
        ]
        factors = {row["unit"]: number_in(row["factor"]) for row in rows["units"] if row["factor"]}
        units = [row["unit"] for row in rows["units"]]
        return {"units": units, "needs_unit": details["needs_unit"]}, {"answers": answers, "factors": factors}

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        """In the unit that is multiplied by 1, where there is one: other units might have no short number for it."""
        best = next(one for one in key["answers"] if one["share"] == "1")
        unit = next((name for name, factor in key["factors"].items() if factor == "1"), "")
        if shown["needs_unit"] and not unit:
            return []
        with localcontext(prec=DIGITS):
            right, tolerance = Decimal(best["right"]), Decimal(best["tolerance"])
            width = abs(right) * tolerance / 100 if best["by"] == "percent" else tolerance
            edge, beyond = written(right + width), written(right + 2 * width + 1)
        found = [Try(_("The number itself"), {"number": best["right"], "unit": unit})]
        if width:
            found.append(Try(_("At the edge of the tolerance"), {"number": edge, "unit": unit}))
        found.append(Try(_("Far off"), {"number": beyond, "unit": unit}))
        if shown["needs_unit"]:
            found.append(Try(_("Without a unit"), {"number": best["right"], "unit": ""}))
        return found
