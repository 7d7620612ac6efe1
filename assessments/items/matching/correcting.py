from typing import ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import SEVERAL, Correcting, Data, KeyField, many_of


class MatchingCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.MATCHING

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        choices = [(option["id"], option["text"]) for option in shown["options"]]
        return [
            KeyField(f"right-{stem['id']}", stem["text"], SEVERAL, key["right"][stem["id"]], choices)
            for stem in shown["stems"]
        ]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {"right": {stem["id"]: many_of(data, f"right-{stem['id']}") for stem in shown["stems"]}}

    def reasons(self, *, shown: Json, key: Json) -> list[tuple[str, str]]:
        return [(stem["id"], stem["text"]) for stem in shown["stems"]]


CORRECTING = MatchingCorrecting()
