"""Several answers.

shown: {"options": [{"id", "text"}], "most"?: how many may be chosen, "images"?}
key: {"right": [ids], "rule": one of RULES, …}
value: {"choices": [ids]}, in the author's order

Of R right options a doctor chose r, and w others:
all – everything or nothing
partial – r / R; `most` must be given, or ticking all were full marks
minus – (r - w) / R, never below 0
each – every option is a true or false of its own: the share of those treated rightly
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import FULL, NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import choices_of, explanations, images_of, names_of, one_of, options_of, subset_of, whole
from core.richtext import plain_text

RULES = ("all", "partial", "minus", "each")


class Multiple(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.MULTIPLE

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        options = options_of(shown.get("options"))
        names = names_of(options)
        right = subset_of(key.get("right"), names, field="right", text=_("Say which answers are right."))
        if not right:
            raise ItemError(_("Say which answers are right."), field="right")
        rule = one_of(key.get("rule"), RULES, default="all", field="rule")
        most = whole(shown.get("most"), least=1, most=len(names), field="most")
        if most is not None and most < len(right):
            raise ItemError(_("Fewer may be chosen than are right."), field="most")
        if rule == "partial" and most is None:
            raise ItemError(_("Say how many may be chosen: otherwise whoever ticks all has full marks."), field="most")
        cleaned = {"options": options, **({} if most is None else {"most": most}), **images_of(shown)}
        return cleaned, {"right": right, "rule": rule, **explanations(key, names=names)}

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        if not isinstance(raw, dict):
            raise AnswerError
        choices = choices_of(raw.get("choices", []), self.orderable(shown))
        if "most" in shown and len(choices) > shown["most"]:
            raise AnswerError(_("Choose at most %(most)d.") % {"most": shown["most"]})
        return {"choices": choices} if choices else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {"choices": list(data.get("choice", ()))}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        right, chosen = set(key["right"]), set(value["choices"])
        good, bad = len(chosen & right), len(chosen - right)
        if key["rule"] == "all":
            return Mark.of(FULL if chosen == right else NONE)
        if key["rule"] == "minus":
            return Mark.of(max(NONE, Decimal(good - bad) / len(right)))
        if key["rule"] == "each":
            options = len(shown["options"])
            return Mark.of(Decimal(options - bad - (len(right) - good)) / options)
        return Mark.of(Decimal(good) / len(right))

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        mine = value["choices"] if value else []
        return [
            Row(
                option["text"],
                chosen="yes" if option["id"] in mine else "",
                right="yes" if option["id"] in key["right"] else "",
                is_right=option["id"] in key["right"] if option["id"] in mine else None,
                rationale=key["rationales"].get(option["id"], ""),
            )
            for option in shown["options"]
        ]

    def orderable(self, shown: Json) -> list[str]:
        return names_of(shown["options"])

    def describe(self, *, shown: Json, value: Json | None) -> str:
        chosen = value["choices"] if value else []
        return "; ".join(plain_text(one["text"]) for one in shown["options"] if one["id"] in chosen)

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        right = key["right"]
        return [Category(one["id"], plain_text(one["text"]), is_right=one["id"] in right) for one in shown["options"]]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        return list(value["choices"])
