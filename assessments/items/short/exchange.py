"""Moodle knows the star too (`*`, and `\\*` for a real one). QTI does not: there a class says that ours are meant."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import Answer, Exchange, Halves, Interaction, Plain, QtiBody, share_of
from assessments.items.markup import all_text, element
from assessments.items.qti import RESPONSE, mapped, only_interaction, response, setting, template
from core.richtext import plain_text

FOLDS = ("case", "accents", "spaces", "punctuation")
_WITH_SHARE = re.compile(r"(.*\S)\s+=([0-9.]{1,12})\s*\Z", re.DOTALL)
LONGEST_PIECE = 1_000
"""The pattern looks at blanks over and over."""
_THRESHOLDS = ("sure", "unsure")


class ShortExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.SHORT

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        answers = tuple(
            Answer(escape(one["text"], quote=False), Decimal(one["share"]) * 100) for one in key["accepted"]
        )
        fields = {"usecase": "0" if "case" in key["folds"] else "1", "folds": " ".join(key["folds"])}
        return Plain("shortanswer", answers, fields=fields | {name: key[name] for name in _THRESHOLDS if key[name]})

    def from_plain(self, plain: Plain) -> Halves:
        """A star alone takes everything that is left, for a feedback: here what fits nothing is wrong anyway."""
        texts = [(plain_text(one.text), one.percent) for one in plain.answers]
        accepted = [
            {"text": text, "share": share_of(percent)} for text, percent in texts if text != "*" and percent >= 0
        ]
        by_case = [one for one in FOLDS if one != "case" or plain.fields.get("usecase", "0") != "1"]
        folds = plain.fields["folds"].split() if "folds" in plain.fields else by_case
        return {}, {"accepted": accepted, "folds": folds, **{name: plain.fields.get(name) for name in _THRESHOLDS}}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        accepted = key["accepted"]
        best = max(accepted, key=lambda one: Decimal(one["share"]))
        declared = response("string", [best["text"]], mapping={one["text"]: Decimal(one["share"]) for one in accepted})
        if "case" in key["folds"]:
            for entry in declared.iter("mapEntry"):
                entry.set("caseSensitive", "false")
        classes = ["folds-" + "_".join(key["folds"])]
        classes += ["text-stars"] if any("*" in one["text"] for one in accepted) else []
        classes += [f"{name}-{key[name]}" for name in _THRESHOLDS if key[name]]
        entry = element("textEntryInteraction", {"responseIdentifier": RESPONSE, "class": " ".join(classes)})
        return Interaction([declared], [element("p", None, entry)], template("map_response"))

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        shares = mapped(declared)
        values = declared.findall("correctResponse/value") if declared is not None else []
        texts = {text: f"{max(share, Decimal(0)):f}" for text, share in shares.items()}
        texts = texts or {all_text(one): "1" for one in values}
        stars = setting(source, "text") == "stars"
        accepted = [
            {"text": text if stars else text.replace("*", "\\*"), "share": share} for text, share in texts.items()
        ]
        folds = setting(source, "folds")
        given = [one for one in folds.split("_") if one] if folds is not None else list(FOLDS)
        thresholds = {name: setting(source, name) for name in _THRESHOLDS}
        return {}, {"accepted": accepted, "folds": given, **thresholds}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        cells = {"right": _joined(key["accepted"])}
        cells |= {name: key[name] for name in _THRESHOLDS if key[name]}
        return cells | ({} if key["folds"] == list(FOLDS) else {"alike": " ".join(key["folds"]) or "nothing"})

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        accepted = []
        for piece in cells.get("right", "").split("|"):
            match = _WITH_SHARE.match(piece.strip()) if len(piece) < LONGEST_PIECE else None
            text, share = (match[1], match[2]) if match else (piece.strip(), "1")
            accepted.append({"text": text, "share": share})
        alike = cells.get("alike", "").lower()
        folds = [] if alike == "nothing" else alike.split() or list(FOLDS)
        return {}, {"accepted": accepted, "folds": folds, **{name: cells.get(name) for name in _THRESHOLDS}}


def _joined(accepted: Sequence[Json]) -> str:
    return " | ".join(one["text"] + (f" ={one['share']}" if one["share"] != "1" else "") for one in accepted)


EXCHANGE = ShortExchange()
