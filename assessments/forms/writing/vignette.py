from typing import ClassVar

from assessments.enums import ItemKind
from assessments.forms.writing.base import Filled, KindForm, Rows
from assessments.items.base import Json


class VignetteForm(KindForm):
    """Its story is the text every question has; its questions are written each on a page of its own."""

    kind: ClassVar[ItemKind] = ItemKind.VIGNETTE

    def write(self, *, shown: Json, key: Json) -> Filled:
        return Filled()

    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        return {}, {}
