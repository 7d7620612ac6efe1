"""Moodle's multiplier of a unit is the inverse of our factor: 5 kW of 5000 W has there 0.001, and here 1000."""

import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import ClassVar
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json
from assessments.items.exchange import (
    Answer,
    Exchange,
    Halves,
    Interaction,
    Plain,
    QtiBody,
    letters,
    number_of,
    pairs_in,
    pairs_text,
    share_of,
)
from assessments.items.markup import all_text, element
from assessments.items.qti import RESPONSE, mapped

UNIT = "UNIT"
LONGEST_PIECE = 300
"""The pattern looks at blanks over and over."""
_ANSWER = re.compile(r"(?P<right>[^±=]+)(?:±(?P<tolerance>[^%=]+)(?P<percent>%)?\s*)?(?:=(?P<share>[0-9.]+))?\Z")
_EXACT = Context(prec=200)
_ROUNDED = Context(prec=15)


def _inverse(number: Decimal) -> str:
    """To 15 digits: the inverse of 0.0166666666666666666667 is 60."""
    if number <= 0:
        raise ItemError(_("A unit has a factor above 0."), field="units")
    return f"{_ROUNDED.divide(Decimal(1), number).normalize():f}"


class NumericExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.NUMERIC

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        answers = tuple(Answer(one["right"], Decimal(one["share"]) * 100, "", _absolute(one)) for one in key["answers"])
        units = tuple((unit, _inverse(Decimal(factor))) for unit, factor in key["factors"].items())
        fields = {"unitgradingtype": "2" if shown["needs_unit"] else "0"} | (
            {"unitpenalty": "1.0"} if shown["needs_unit"] else {}
        )
        if any(one["by"] == "percent" for one in key["answers"]):
            fields["tolerances"] = "; ".join(_tolerance(one) for one in key["answers"])
        if list(key["factors"]) != shown["units"]:
            fields["units"] = "\n".join(shown["units"])
        return Plain("numerical", answers, fields=fields, units=units)

    def from_plain(self, plain: Plain) -> Halves:
        """What is right for everything (`*`) is none of the numbers; such an answer only has a feedback."""
        given = [one for one in plain.answers if one.text.strip() != "*"]
        listed = plain.fields.get("tolerances", "").split(";")
        own = listed if len(listed) == len(given) and listed[0] else [""] * len(given)
        answers = [_read(one, tolerance.strip()) for one, tolerance in zip(given, own, strict=True)]
        factors = {unit: _inverse(number_of(multiplier, field="units")) for unit, multiplier in plain.units}
        units = plain.fields.get("units", "").split("\n") if plain.fields.get("units") else list(factors)
        needs = bool(units) and plain.fields.get("unitgradingtype", "0") not in {"", "0"}
        return {"units": units, "needs_unit": needs}, {"answers": answers, "factors": factors}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        """The unit is a second choice; its mapping has the factors, and the number is multiplied by it."""
        right = element("correctResponse", None, element("value", text=key["answers"][0]["right"]))
        attributes = {"identifier": RESPONSE, "cardinality": "single", "baseType": "float"}
        line = element("p", None, element("textEntryInteraction", {"responseIdentifier": RESPONSE}))
        declarations = [element("responseDeclaration", attributes, right)]
        if shown["units"]:
            names = dict(zip(shown["units"], letters(len(shown["units"])), strict=True))
            declarations.append(_unit_declaration(names, key["factors"], needs_unit=shown["needs_unit"]))
            choice = element("inlineChoiceInteraction", {"responseIdentifier": UNIT, "shuffle": "false"})
            choice.extend(element("inlineChoice", {"identifier": name}, text=unit) for unit, name in names.items())
            line.append(choice)
        return Interaction(declarations, [line], _processing(key["answers"], has_unit=bool(shown["units"])))

    def from_qti(self, body: QtiBody) -> Halves:
        numbers = [one for one in body.interactions if one.tag == "textEntryInteraction"]
        choices = [one for one in body.interactions if one.tag == "inlineChoiceInteraction"]
        if len(numbers) != 1 or len(choices) > 1 or len(body.interactions) != len(numbers) + len(choices):
            raise ItemError(
                _("It asks %(number)d things at once; it has to ask one.") % {"number": len(body.interactions)}
            )
        declared = body.declarations.get(numbers[0].get("responseIdentifier", RESPONSE))
        answers = _conditions(body.processing) or _declared(declared)
        if not choices:
            return {"units": [], "needs_unit": False}, {"answers": answers, "factors": {}}
        texts = {one.get("identifier", ""): all_text(one) for one in choices[0].findall("inlineChoice")}
        unit = body.declarations.get(choices[0].get("responseIdentifier", UNIT))
        factors = {texts[name]: f"{factor:f}" for name, factor in mapped(unit).items() if name in texts and factor > 0}
        mapping = unit.find("mapping") if unit is not None else None
        needs = mapping is None or mapping.get("defaultValue", "0") != "1"
        return {"units": list(texts.values()), "needs_unit": needs}, {"answers": answers, "factors": factors}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        units = {unit: key["factors"].get(unit, "") for unit in shown["units"]}
        right = " | ".join(
            f"{one['right']} ±{_tolerance(one)}" + (f" ={one['share']}" if one["share"] != "1" else "")
            for one in key["answers"]
        )
        cells = {"right": right} | ({"units": pairs_text(units)} if units else {})
        return cells | ({"unit needed": "yes"} if shown["needs_unit"] else {})

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        answers = []
        for piece in cells.get("right", "").split("|"):
            match = _ANSWER.match(piece.strip()) if len(piece) < LONGEST_PIECE else None
            if match is None:
                raise ItemError(_("Write the right number, for example 3.5 or 3.5 ±0.1."), field="right")
            answer = {
                "right": f"{number_of(match['right'], field='right'):f}",
                "tolerance": f"{number_of(match['tolerance'] or '0', field='right'):f}",
                "by": "percent" if match["percent"] else "absolute",
            }
            answers.append(answer | {"share": match["share"] or "1"})
        units = pairs_in(cells.get("units", ""))
        factors = {unit: factor for unit, factor in units.items() if factor}
        needs = cells.get("unit needed", "").strip().lower() in {"yes", "1", "true", "x"}
        return {"units": list(units), "needs_unit": needs}, {"answers": answers, "factors": factors}


def _absolute(answer: Json) -> str:
    tolerance = Decimal(answer["tolerance"])
    if answer["by"] == "percent":
        tolerance = _EXACT.multiply(abs(Decimal(answer["right"])), tolerance) / 100
    return f"{tolerance.normalize():f}" if tolerance else "0"


def _tolerance(answer: Json) -> str:
    return f"{answer['tolerance']}{'%' if answer['by'] == 'percent' else ''}"


def _read(answer: Answer, own: str) -> Json:
    by = "percent" if own.endswith("%") else "absolute"
    tolerance = number_of(own.rstrip("%") or answer.tolerance or "0", field="tolerance")
    right = number_of(answer.text, field="right")
    return {"right": f"{right:f}", "tolerance": f"{tolerance:f}", "by": by, "share": share_of(answer.percent)}


def _unit_declaration(names: Mapping[str, str], factors: Mapping[str, str], *, needs_unit: bool) -> Element:
    entries = [element("mapEntry", {"mapKey": names[unit], "mappedValue": factor}) for unit, factor in factors.items()]
    mapping = element("mapping", {"defaultValue": "0" if needs_unit else "1"}, *entries)
    return element(
        "responseDeclaration", {"identifier": UNIT, "cardinality": "single", "baseType": "identifier"}, mapping
    )


def _processing(answers: Sequence[Json], *, has_unit: bool) -> Element:
    """The first that fits: they are tried from the largest share on."""
    condition = element("responseCondition")
    for number, one in enumerate(sorted(answers, key=lambda answer: -Decimal(answer["share"]))):
        mode = "relative" if one["by"] == "percent" else "absolute"
        given = element("variable", {"identifier": RESPONSE})
        if has_unit:
            given = element("product", None, given, element("mapResponse", {"identifier": UNIT}))
        test = element("equal", {"toleranceMode": mode, "tolerance": f"{one['tolerance']} {one['tolerance']}"}, given)
        test.append(element("baseValue", {"baseType": "float"}, text=one["right"]))
        worth = element("setOutcomeValue", {"identifier": "SCORE"})
        worth.append(element("baseValue", {"baseType": "float"}, text=one["share"]))
        condition.append(element("responseElseIf" if number else "responseIf", None, test, worth))
    return element("responseProcessing", None, condition)


def _conditions(processing: Element | None) -> list[Json]:
    found = []
    for branch in processing.iter() if processing is not None else ():
        test, worth = branch.find("equal"), branch.findtext("setOutcomeValue/baseValue")
        if branch.tag not in {"responseIf", "responseElseIf"} or test is None or worth is None:
            continue
        right = (test.findtext("baseValue") or "").strip()
        if not right:
            continue
        tolerance = (test.get("tolerance", "").split() or ["0"])[0]
        by = "percent" if test.get("toleranceMode") == "relative" else "absolute"
        tolerance = "0" if test.get("toleranceMode") == "exact" else tolerance
        found.append({"right": right, "tolerance": tolerance, "by": by, "share": worth.strip()})
    return found


def _declared(declared: Element | None) -> list[Json]:
    if declared is None:
        return []
    return [{"right": all_text(one), "tolerance": "0"} for one in declared.findall("correctResponse/value")]


EXCHANGE = NumericExchange()
