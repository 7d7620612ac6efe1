from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import RIGHT, Answer, Exchange, Halves, Interaction, Plain, QtiBody
from assessments.items.qti import choices, only_interaction, read_choices, response, template

NAMES = ("true", "false")
_WORDS = {
    "true": True,
    "t": True,
    "yes": True,
    "1": True,
    "wahr": True,
    "false": False,
    "f": False,
    "no": False,
    "0": False,
}


class TrueFalseExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.TRUE_FALSE

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        right = NAMES[not key["right"]]
        return Plain(
            "truefalse",
            tuple(Answer(name, RIGHT * (name == right), key["rationales"].get(name, "")) for name in NAMES),
        )

    def from_plain(self, plain: Plain) -> Halves:
        by_name = {one.text.strip().lower(): one for one in plain.answers}
        right = [name for name in NAMES if name in by_name and by_name[name].percent > 0]
        why = {name: by_name[name].feedback for name in NAMES if name in by_name}
        return {}, {"right": right[0] == "true" if len(right) == 1 else None, "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        options = [{"id": "true", "text": _("True")}, {"id": "false", "text": _("False")}]
        body = choices(options, key["rationales"], most=1, classes="kind-truefalse")
        body.set("shuffle", "false")
        return Interaction([response("identifier", [NAMES[not key["right"]]])], [body], template("match_correct"))

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        _options, why, right = read_choices(source, declared)
        return {}, {"right": right[0] == "true" if right in (["true"], ["false"]) else None, "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        why = {f"why {name}": text for name, text in key["rationales"].items()}
        return {"right": NAMES[not key["right"]], **why}

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        why = {name: cells.get(f"why {name}", "") for name in NAMES}
        return {}, {"right": _WORDS.get(cells.get("right", "").strip().lower()), "rationales": why}


EXCHANGE = TrueFalseExchange()
