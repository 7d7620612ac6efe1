"""A story by itself asks nothing; how its questions come with it is the format's own affair."""

from collections.abc import Mapping
from typing import ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import Exchange, Halves, Interaction, Plain, QtiBody


class VignetteExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.VIGNETTE

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        return Plain("description")

    def from_plain(self, plain: Plain) -> Halves:
        return {}, {}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        return Interaction([], [])

    def from_qti(self, body: QtiBody) -> Halves:
        return {}, {}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        return {}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        return {}, {}


EXCHANGE = VignetteExchange()
