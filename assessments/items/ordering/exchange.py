"""Files list the entries in their right order, with letters; `clean` gives them names that do not tell it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import (
    Answer,
    Exchange,
    Halves,
    Interaction,
    Plain,
    QtiBody,
    letters,
    names_in,
    option_cells,
    options_of_cells,
)
from assessments.items.markup import element
from assessments.items.qti import (
    RESPONSE,
    choice,
    identifier,
    only_interaction,
    read_choices,
    response,
    setting,
    template,
)

GRADING = {"exact": "-1", "places": "0", "pairs": "1"}
"""Moodle's numbers for its ways of marking (qtype_ordering: all or nothing, absolute, relative to the next)."""


def _in_order(shown: Json, key: Json) -> list[tuple[str, Json]]:
    by_name = {one["id"]: one for one in shown["entries"]}
    return list(zip(letters(len(key["right"])), (by_name[name] for name in key["right"]), strict=True))


class OrderingExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.ORDERING

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        why = key["rationales"]
        answers = tuple(
            Answer(one["text"], Decimal(number * 100), why.get(one["id"], ""))
            for number, (_letter, one) in enumerate(_in_order(shown, key), 1)
        )
        return Plain("ordering", answers, fields={"gradingtype": GRADING[key["rule"]]})

    def from_plain(self, plain: Plain) -> Halves:
        """Moodle writes the places as fractions; where there are none, the order of the file is the right one."""
        answers = sorted(plain.answers, key=lambda one: one.percent)
        names = letters(len(answers))
        rules = {number: rule for rule, number in GRADING.items()}
        rule = rules.get(plain.fields.get("gradingtype", ""), "places" if "gradingtype" in plain.fields else "exact")
        why: dict[str, Any] = {name: one.feedback for name, one in zip(names, answers, strict=True)}
        entries = [{"id": name, "text": one.text} for name, one in zip(names, answers, strict=True)]
        return {"entries": entries}, {"right": names, "rule": rule, "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        attributes = {"responseIdentifier": RESPONSE, "shuffle": "true", "class": f"rule-{key['rule']}"}
        body = element("orderInteraction", attributes)
        body.extend(choice("simpleChoice", one, key["rationales"]) for one in shown["entries"])
        declared = response("identifier", [identifier(one) for one in key["right"]], cardinality="ordered")
        return Interaction([declared], [body], template("match_correct"))

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        options, why, right = read_choices(source, declared)
        rule = setting(source, "rule") or "exact"
        return {"entries": options}, {"right": right, "rule": rule, "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        ordered = _in_order(shown, key)
        why = {letter: key["rationales"][one["id"]] for letter, one in ordered if one["id"] in key["rationales"]}
        options = [{"id": letter, "text": one["text"]} for letter, one in ordered]
        return {**option_cells(options, why), "rule": key["rule"]}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        options, why = options_of_cells(cells)
        right = names_in(cells.get("right", "")) or [one["id"] for one in options]
        return {"entries": options}, {"right": right, "rule": cells.get("rule", ""), "rationales": why}


EXCHANGE = OrderingExchange()
