"""True or false.

shown: {"images"?} · key: {"right": true or false, …}, with `rationales` by "true" and "false" · value: {"choice": bool}
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind, Outcome
from assessments.items.base import FULL, NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import explanations, images_of

NAMES = ("true", "false")


class TrueFalse(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.TRUE_FALSE

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        if not isinstance(key.get("right"), bool):
            raise ItemError(_("Say whether it is true or false."), field="right")
        return images_of(shown), {"right": key["right"], **explanations(key, names=list(NAMES))}

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        if not isinstance(raw, dict):
            raise AnswerError
        choice = raw.get("choice")
        if choice is None or choice == "":
            return None
        if isinstance(choice, str) and choice in NAMES:
            choice = choice == "true"
        if not isinstance(choice, bool):
            raise AnswerError
        return {"choice": choice}

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {"choice": next(iter(data.get("choice", ())), None)}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        if value["choice"] == key["right"]:
            return Mark(Outcome.RIGHT, FULL)
        return Mark.of(-wrong_share)

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        mine = value["choice"] if value else None
        return [
            Row(
                _word(choice),
                chosen="yes" if choice is mine else "",
                right="yes" if choice is key["right"] else "",
                is_right=choice is key["right"] if choice is mine else None,
                rationale=key["rationales"].get(_name(choice), ""),
            )
            for choice in (True, False)
        ]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        return _word(value["choice"]) if value else ""

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        return [Category(_name(one), _word(one), is_right=one is key["right"]) for one in (True, False)]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        return [_name(value["choice"])]


def _name(choice: bool) -> str:
    return "true" if choice else "false"


def _word(choice: bool) -> str:
    return _("True") if choice else _("False")
