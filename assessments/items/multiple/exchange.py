from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import (
    RIGHT,
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
from assessments.items.qti import (
    choices,
    identifier,
    mapped,
    names_for,
    only_interaction,
    read_choices,
    response,
    setting,
    template,
    whole_attribute,
)

SIX = Decimal("0.000001")


def wrong_cost(rule: str, right: int) -> Decimal:
    """What one wrong option costs, as a share of the points."""
    return {"all": Decimal(1), "minus": Decimal(1) / right}.get(rule, Decimal(0))


def rule_of(cost: Decimal, right: int) -> str:
    """The rule that comes nearest to what a wrong option costs."""
    if cost >= 1:
        return "all"
    return "minus" if cost > 0 else "partial"


class MultipleExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.MULTIPLE

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        """The shares are what Moodle marks by; the rule itself and the limit are settings of ours beside them."""
        right, cost = key["right"], wrong_cost(key["rule"], len(key["right"]))
        answers = tuple(
            Answer(
                one["text"],
                RIGHT / len(right) if one["id"] in right else -cost * 100,
                key["rationales"].get(one["id"], ""),
            )
            for one in shown["options"]
        )
        most = {"most": str(shown["most"])} if "most" in shown else {}
        return Plain("multichoice", answers, fields={"single": "false", "rule": key["rule"], **most})

    def from_plain(self, plain: Plain) -> Halves:
        names = letters(len(plain.answers))
        named = list(zip(names, plain.answers, strict=True))
        right = [name for name, one in named if one.percent > 0]
        cost = max((-one.percent / 100 for one in plain.answers), default=Decimal(0))
        every = plain.type == "multichoiceset"
        rule = plain.fields.get("rule") or ("all" if every else rule_of(cost, len(right)))
        most = plain.fields.get("most") or (len(right) if rule == "partial" else None)
        shown: Json = {"options": [{"id": name, "text": one.text} for name, one in named], "most": most}
        why = {name: one.feedback for name, one in named if one.feedback}
        return shown, {"right": right, "rule": rule, "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        right, rule = [identifier(one) for one in key["right"]], key["rule"]
        every = [identifier(one["id"]) for one in shown["options"]]
        cost = wrong_cost(rule, len(right))
        mapping = {one: ((Decimal(1) / len(right)) if one in right else -cost).quantize(SIX) for one in every}
        declared = response(
            "identifier",
            right,
            cardinality="multiple",
            mapping=None if rule == "all" else mapping,
            most=Decimal(1),
        )
        body = choices(shown["options"], key["rationales"], most=shown.get("most", 0), classes=f"rule-{rule}")
        return Interaction([declared], [body], template("match_correct" if rule == "all" else "map_response"))

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        options, why, _right = read_choices(source, declared)
        names = names_for([one.get("identifier", "") for one in source.iter("simpleChoice")])
        values = declared.findall("correctResponse/value") if declared is not None else []
        weights = mapped(declared)
        given = [(one.text or "").strip() for one in values] or [name for name, share in weights.items() if share > 0]
        right = [names[one] for one in given if one in names]
        cost = max((-share for share in weights.values()), default=Decimal(0))
        rule = setting(source, "rule") or (rule_of(cost, len(right)) if weights else "all")
        most = whole_attribute(source, "maxChoices") or (len(right) if rule == "partial" else None)
        return {"options": options, "most": most}, {"right": right, "rule": rule, "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        most = {"most": str(shown["most"])} if "most" in shown else {}
        cells = option_cells(shown["options"], key["rationales"])
        return {**cells, "right": ", ".join(key["right"]), "rule": key["rule"], **most}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        options, why = options_of_cells(cells)
        right, rule = names_in(cells.get("right", "")), cells.get("rule", "")
        most = cells.get("most", "") or (str(len(right)) if rule == "partial" else "")
        return {"options": options, "most": most}, {"right": right, "rule": rule, "rationales": why}


EXCHANGE = MultipleExchange()
