"""Essay: always marked by a person.

shown: {"least_words"?: n, "most_words"?: n, "images"?}
key: {"rubric": [{"id", "text", "points"}], "model": HTML of a right answer, …}, with `rationales` by criterion
value: {"text"}

Nothing that was written is ever thrown away or refused for its length in words; what comes after `most_words` is not
put before the person who marks, and the page says so while one writes.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import NONE, AnswerError, Criterion, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import (
    explanations,
    html,
    images_of,
    names_of,
    number,
    options_of,
    storable,
    whole,
    written,
)

LONGEST = 20_000
MOST_WORDS = 3_000
MOST_POINTS = Decimal(1_000)


class Essay(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.ESSAY

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        limits = {}
        for name in ("least_words", "most_words"):
            limit = whole(shown.get(name), least=1, most=MOST_WORDS, field=name)
            if limit is not None:
                limits[name] = limit
        if limits.get("least_words", 0) > limits.get("most_words", MOST_WORDS):
            raise ItemError(_("More words are asked for than are allowed."), field="least_words")
        raw = key.get("rubric")
        rubric = options_of(raw, field="rubric", least=1) if raw else []
        for criterion, given in zip(rubric, raw or (), strict=True):
            points = number(given.get("points", "1"), field="rubric", least=NONE, most=MOST_POINTS)
            criterion["points"] = written(points)
        if rubric and not any(Decimal(one["points"]) for one in rubric):
            raise ItemError(_("The rubric is worth no points."), field="rubric")
        explained = explanations(key, names=names_of(rubric))
        return {**limits, **images_of(shown)}, {
            "rubric": rubric,
            "model": html(key.get("model"), "model"),
            **explained,
        }

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        text = raw.get("text", "") if isinstance(raw, dict) else None
        if not isinstance(text, str) or len(text) > LONGEST:
            raise AnswerError(_("Write at most %(most)d characters.") % {"most": LONGEST})
        text = unicodedata.normalize("NFC", storable(text)).strip()[:LONGEST].strip()
        return {"text": text} if text else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {"text": next(iter(data.get("text", ())), "")}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        return Mark.waiting(" ".join(_remarks(shown, count_words(value["text"]))))

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        rows = [
            Row(one["text"], right=_points(one["points"]), rationale=key["rationales"].get(one["id"], ""))
            for one in key["rubric"]
        ]
        return [*rows, Row(key["model"], right=_("For example"))] if key["model"] else rows

    def criteria(self, *, key: Json) -> list[Criterion]:
        why = key.get("rationales", {})
        return [
            Criterion(one["id"], one["text"], Decimal(one["points"]), why.get(one["id"], "")) for one in key["rubric"]
        ]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        if not value:
            return ""
        most = shown.get("most_words")
        return value["text"] if most is None else cut(value["text"], most)


def count_words(text: str) -> int:
    return len(text.split())


def cut(text: str, most: int) -> str:
    """The first `most` words, as they were written, with a sign where more came."""
    if count_words(text) <= most:
        return text
    rest = text.split(maxsplit=most)[most]
    return f"{text[: len(text) - len(rest)].rstrip()} […]"


def _points(points: str) -> str:
    return _("%(points)s points") % {"points": points}


def _remarks(shown: Json, words: int) -> list[str]:
    numbers = {"words": words, "least": shown.get("least_words", 0), "most": shown.get("most_words", 0)}
    remarks = [_("%(words)d words.") % numbers]
    if words < numbers["least"]:
        remarks.append(_("At least %(least)d were asked for.") % numbers)
    if "most_words" in shown and words > numbers["most"]:
        remarks.append(_("What came after %(most)d is left out.") % numbers)
    return remarks
