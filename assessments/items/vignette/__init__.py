"""Clinical vignette: a story that several questions are about. It has no answer and no mark of its own.

shown: {"images"?} · key: {…}, what every key has · value: always none
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from assessments.enums import ItemKind
from assessments.items.base import BLANK, NONE, AnswerError, ItemType, Json, Mark, Row
from assessments.items.shapes import explanations, images_of


class Vignette(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.VIGNETTE

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        return images_of(shown), explanations(key, names=[])

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is not None:
            raise AnswerError
        return None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return None

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        return BLANK

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        return []
