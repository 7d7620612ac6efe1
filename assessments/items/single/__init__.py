"""Single best answer.

shown: {"options": [{"id", "text"}], "images"?} · key: {"right": id, …} · value: {"choice": id}
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind, Outcome
from assessments.items.base import FULL, NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import explanations, images_of, options_of
from core.richtext import plain_text


class Single(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.SINGLE

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        options = options_of(shown.get("options"))
        names = [option["id"] for option in options]
        if key.get("right") not in names:
            raise ItemError(_("Say which answer is right."), field="right")
        return {"options": options, **images_of(shown)}, {"right": key["right"], **explanations(key, names=names)}

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        if not isinstance(raw, dict):
            raise AnswerError
        choice = raw.get("choice")
        if choice is None or choice == "":
            return None
        if choice not in self.orderable(shown):
            raise AnswerError
        return {"choice": choice}

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {"choice": next(iter(data.get("choice", ())), None)}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        if value["choice"] == key["right"]:
            return Mark(Outcome.RIGHT, FULL)
        return Mark.of(-wrong_share)

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        mine = value["choice"] if value else ""
        return [
            Row(
                option["text"],
                chosen="yes" if option["id"] == mine else "",
                right="yes" if option["id"] == key["right"] else "",
                is_right=option["id"] == key["right"] if option["id"] == mine else None,
                rationale=key["rationales"].get(option["id"], ""),
            )
            for option in shown["options"]
        ]

    def orderable(self, shown: Json) -> list[str]:
        return [option["id"] for option in shown["options"]]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        chosen = value["choice"] if value else None
        return next((plain_text(one["text"]) for one in shown["options"] if one["id"] == chosen), "")

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        return [
            Category(one["id"], plain_text(one["text"]), is_right=one["id"] == key["right"]) for one in shown["options"]
        ]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        return [value["choice"]]
