from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json
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
from assessments.items.qti import choices, only_interaction, read_choices, response


class SingleExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.SINGLE

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        answers = tuple(
            Answer(one["text"], RIGHT * (one["id"] == key["right"]), key["rationales"].get(one["id"], ""))
            for one in shown["options"]
        )
        return Plain("multichoice", answers, fields={"single": "true"})

    def from_plain(self, plain: Plain) -> Halves:
        """Parts of a point for second-best answers are not known here: only the best one counts."""
        names = letters(len(plain.answers))
        best = max((one.percent for one in plain.answers), default=Decimal(0))
        right = [name for name, one in zip(names, plain.answers, strict=True) if one.percent == best > 0]
        if len(right) != 1:
            raise ItemError(_("Say which one answer is right."), field="right")
        options = [{"id": name, "text": one.text} for name, one in zip(names, plain.answers, strict=True)]
        why = {name: one.feedback for name, one in zip(names, plain.answers, strict=True) if one.feedback}
        return {"options": options}, {"right": right[0], "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        declared = response("identifier", [key["right"]])
        return Interaction([declared], [choices(shown["options"], key["rationales"], most=1)])

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        options, why, right = read_choices(source, declared)
        if len(right) != 1:
            raise ItemError(_("Say which one answer is right."), field="right")
        return {"options": options}, {"right": right[0], "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        return {**option_cells(shown["options"], key["rationales"]), "right": key["right"]}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        options, why = options_of_cells(cells)
        right = names_in(cells.get("right", ""))
        return {"options": options}, {"right": right[0] if len(right) == 1 else "", "rationales": why}


EXCHANGE = SingleExchange()
