"""Number, with tolerance and unit.

shown: {"units": [names to choose from], "needs_unit": bool, "images"?}
key: {"answers": [{"right", "tolerance", "by": "absolute" or "percent", "share"}], "factors": {unit: factor}, …};
    all numbers are texts of exact decimals; an answer in a unit is multiplied by its factor before it is compared, and
    a unit of `units` without a factor is a wrong one. Where no unit is needed, none means the factor 1. What fits
    several answers has the largest share of them.
value: {"number": see `reading.canonical`, "unit": "" or one of `units`}
"""

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, ClassVar

from django.utils.html import escape
from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import FULL, NONE, AnswerError, ItemError, ItemType, Json, Mark, Row
from assessments.items.numeric.reading import LONGEST, canonical, readings, split
from assessments.items.shapes import explanations, images_of, line, number, one_of, storable, written

MOST_ANSWERS = 20
MOST_UNITS = 20
LONGEST_UNIT = 30
DIGITS = 200  # more than any product of the numbers let in: nothing is ever rounded
WAYS = ("absolute", "percent")


class Numeric(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.NUMERIC

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        units = _units(shown.get("units"))
        needs_unit = shown.get("needs_unit", False)
        if not isinstance(needs_unit, bool) or (needs_unit and not units):
            raise ItemError(_("Give the units to choose from, if one is needed."), field="units")
        raw = key.get("factors")
        factors = raw if isinstance(raw, dict) else {}
        by_unit = {_unit(name): factor for name, factor in factors.items()}
        if not by_unit.keys() <= set(units):
            raise ItemError(_("A factor is given for a unit that is not among the units."), field="factors")
        least = Decimal("1E-20")
        cleaned = {
            unit: written(number(by_unit[unit], field="factors", least=least)) for unit in units if unit in by_unit
        }
        if needs_unit and not cleaned:
            raise ItemError(_("Say which unit is right: give its factor, for example 1."), field="factors")
        return (
            {"units": units, "needs_unit": needs_unit, **images_of(shown)},
            {"answers": _answers(key.get("answers")), "factors": cleaned, **explanations(key, names=[])},
        )

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        if not isinstance(raw, dict):
            raise AnswerError
        typed, unit = _text(raw.get("number", "")), _text(raw.get("unit", ""))
        if not typed:
            return None
        text, rest = split(typed)
        if rest and unit and _known(rest, shown["units"]) != unit:
            raise AnswerError(_("Two different units are given."))
        if (rest or unit) and (unit := _known(rest or unit, shown["units"])) == "":
            raise AnswerError(_("This unit is not among those to choose from."))
        found = canonical(text)
        if found is None:
            raise AnswerError(_("This cannot be read as a number. Write it in digits, for example 12.5."))
        return {"number": found, "unit": unit}

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {name: next(iter(data.get(name, ())), "") for name in ("number", "unit")}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        factor = key["factors"].get(value["unit"])
        if not value["unit"]:
            factor = None if shown["needs_unit"] else "1"
        if factor is None:
            return Mark.of(NONE)
        with localcontext(prec=DIGITS):
            given = [one * Decimal(factor) for one in readings(value["number"])]
            shares = [Decimal(one["share"]) for one in key["answers"] for two in given if _fits(two, one)]
        return Mark.of(max(shares, default=NONE))

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        return [
            Row(escape(_accepted(one, key["factors"])), right="yes") for one in key["answers"] if one["share"] == "1"
        ]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        return f"{value['number']} {value['unit']}".strip() if value else ""


def _fits(given: Decimal, answer: Json) -> bool:
    right, tolerance = Decimal(answer["right"]), Decimal(answer["tolerance"])
    if answer["by"] == "percent":
        return abs(given - right) * 100 <= abs(right) * tolerance
    return abs(given - right) <= tolerance


def _accepted(answer: Json, factors: Json) -> str:
    unit = next((name for name, factor in factors.items() if factor == "1"), "")
    words = f"{answer['right']} {unit}".strip()
    if answer["tolerance"] == "0":
        return words
    return f"{words} ± {answer['tolerance']}" + (" %" if answer["by"] == "percent" else "")


def _answers(raw: Any) -> list[Json]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_ANSWERS or not all(isinstance(one, dict) for one in raw):
        raise ItemError(_("Give the right number."), field="answers")
    answers = [
        {
            "right": written(number(one.get("right"), field="answers")),
            "tolerance": written(number(one.get("tolerance", "0"), field="answers", least=NONE)),
            "by": one_of(one.get("by"), WAYS, default="absolute", field="answers"),
            "share": written(number(one.get("share", "1"), field="answers", least=NONE, most=FULL)),
        }
        for one in raw
    ]
    if not any(one["share"] == "1" for one in answers):
        raise ItemError(_("One of the numbers must be worth full marks."), field="answers")
    return answers


def _units(raw: Any) -> list[str]:
    listed = raw or []
    if not isinstance(listed, list) or len(listed) > MOST_UNITS:
        raise ItemError(_("Give at most %(most)d units.") % {"most": MOST_UNITS}, field="units")
    units = [_unit(line(one, "units", longest=LONGEST_UNIT)) for one in listed]
    if not all(units) or len(set(units)) != len(units):
        raise ItemError(_("Each unit must be there once, and none may be empty."), field="units")
    return units


def _unit(text: str) -> str:
    """There are two letters µ, which nobody can tell apart."""
    return unicodedata.normalize("NFKC", text).strip()


def _known(text: str, units: Sequence[str]) -> str:
    """As it is written in `units`; without regard to case where that leaves no doubt. Empty for an unknown one."""
    wanted = _unit(text)
    if wanted in units:
        return wanted
    alike = [unit for unit in units if unit.casefold() == wanted.casefold()]
    return alike[0] if len(alike) == 1 else ""


def _text(raw: Any) -> str:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raw = str(raw) if not isinstance(raw, int) or abs(raw) < 10**LONGEST else ""
    if not isinstance(raw, str) or len(raw) > LONGEST + LONGEST_UNIT:
        raise AnswerError
    return storable(raw).strip()
