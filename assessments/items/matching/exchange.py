"""Moodle and GIFT know one right option for each stem, in plain text; QTI and CSV know all of it."""

from collections.abc import Mapping
from typing import ClassVar

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.exchange import (
    Exchange,
    Halves,
    Interaction,
    Plain,
    QtiBody,
    letters,
    names_in,
    options_of_cells,
    pairs_in,
    pairs_text,
)
from assessments.items.markup import as_html, element
from assessments.items.qti import (
    RESPONSE,
    choice,
    identifier,
    names_for,
    only_interaction,
    read_options,
    response,
    right_values,
    template,
    whole_attribute,
)
from core.richtext import plain_text

STEM = "stem_"


class MatchingExchange(Exchange):
    kind: ClassVar[ItemKind] = ItemKind.MATCHING

    def to_plain(self, *, shown: Json, key: Json) -> Plain:
        texts = {one["id"]: plain_text(one["text"]) for one in shown["options"]}
        pairs = [(one["text"], texts[key["right"][one["id"]][0]]) for one in shown["stems"]]
        used = {right for _left, right in pairs}
        others = [("", text) for text in texts.values() if text not in used]
        why = {f"why-{name}": str(text) for name, text in key["rationales"].items()}
        return Plain("matching", pairs=tuple(pairs + others), fields={"options": "\n".join(texts.values()), **why})

    def from_plain(self, plain: Plain) -> Halves:
        """The options in the order that we have written beside them, else alphabetically: so one finds things."""
        rights = list(dict.fromkeys(right for _left, right in plain.pairs if right))
        listed = plain.fields.get("options", "").split("\n")
        ordered = listed if sorted(listed) == sorted(rights) else sorted(rights, key=str.casefold)
        names = dict(zip(ordered, letters(len(ordered)), strict=True))
        stems = [(left, right) for left, right in plain.pairs if left]
        by_stem = list(zip(letters(len(stems)), stems, strict=True))
        options = [{"id": name, "text": as_html(text)} for text, name in names.items()]
        right = {stem: [names[text]] for stem, (_left, text) in by_stem if text}
        why = {name[4:]: text for name, text in plain.fields.items() if name.startswith("why-")}
        shown = {"options": options, "stems": [{"id": stem, "text": left} for stem, (left, _text) in by_stem]}
        return shown, {"right": right, "rationales": why}

    def to_qti(self, *, shown: Json, key: Json) -> Interaction:
        pairs = [
            f"{identifier(stem, prefix=STEM)} {identifier(one)}" for stem, some in key["right"].items() for one in some
        ]
        declared = response("directedPair", pairs, cardinality="multiple")
        stems = element("simpleMatchSet")
        for one in shown["stems"]:
            most = str(one["most"])
            stems.append(choice("simpleAssociableChoice", one, key["rationales"], prefix=STEM, matchMax=most))
        options = element("simpleMatchSet")
        options.extend(choice("simpleAssociableChoice", one, {}, matchMax="0") for one in shown["options"])
        attributes = {"responseIdentifier": RESPONSE, "shuffle": "false", "maxAssociations": "0"}
        return Interaction(
            [declared], [element("matchInteraction", attributes, stems, options)], template("match_correct")
        )

    def from_qti(self, body: QtiBody) -> Halves:
        source, declared = only_interaction(body)
        sets = [list(one.findall("simpleAssociableChoice")) for one in source.findall("simpleMatchSet")]
        lefts, rights = sets if len(sets) == 2 else ([], [])
        stem_names = names_for([one.get("identifier", "") for one in lefts], prefix=STEM)
        names = names_for([one.get("identifier", "") for one in rights])
        stems, why = read_options(lefts, stem_names)
        for stem, one in zip(stems, lefts, strict=True):
            stem["most"] = whole_attribute(one, "matchMax") or 1
        right: dict[str, list[str]] = {name: [] for name in stem_names.values()}
        for value in right_values(declared):
            left, _space, other = value.partition(" ")
            if left in stem_names and other in names:
                right[stem_names[left]].append(names[other])
        options, _why = read_options(rights, names)
        return {"options": options, "stems": stems}, {"right": right, "rationales": why}

    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        cells = {f"option {one['id']}": str(one["text"]) for one in shown["options"]}
        cells |= {f"stem {one['id']}": str(one["text"]) for one in shown["stems"]}
        cells |= {f"why {name}": str(text) for name, text in key["rationales"].items()}
        cells["right"] = pairs_text({stem: " ".join(some) for stem, some in key["right"].items()})
        most = {one["id"]: str(one["most"]) for one in shown["stems"] if one["most"] != 1}
        return cells | ({"most": pairs_text(most)} if most else {})

    def from_cells(self, cells: Mapping[str, str]) -> Halves:
        options, why = options_of_cells(cells)
        most = pairs_in(cells.get("most", ""))
        stems = [
            {"id": name[5:], "text": text, "most": most.get(name[5:])}
            for name, text in cells.items()
            if name.startswith("stem ") and text
        ]
        right = {stem: names_in(some) for stem, some in pairs_in(cells.get("right", "")).items()}
        return {"options": options, "stems": stems}, {"right": right, "rationales": why}


EXCHANGE = MatchingExchange()
