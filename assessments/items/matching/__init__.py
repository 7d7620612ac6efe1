"""Extended matching: one list of options, several stems, and to each stem one or more of the options.

shown: {"options": [{"id", "text"}], "stems": [{"id", "text", "most": how many may be chosen}], "images"?}
key: {"right": {stem: [options]}, …}, with `rationales` by stem
value: {"choices": {stem: [options]}}, stems without an answer left out

Where more options are right than may be chosen, any of them will do. A stem's share is what was chosen rightly, of
what may be chosen; the item's is the mean of its stems. The list of options keeps its order (it is long, and usually
alphabetical, so that one finds things in it); the stems may be shuffled.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import choices_of, explanations, images_of, names_of, options_of, subset_of, whole
from core.richtext import plain_text


class Matching(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.MATCHING

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        options = options_of(shown.get("options"))
        names = names_of(options)
        given = shown.get("stems")
        stems = options_of(given, field="stems", least=1)
        right: Json = {}
        by_stem = key.get("right")
        for stem, raw in zip(stems, given if isinstance(given, list) else [], strict=True):
            stem["most"] = whole(raw.get("most"), least=1, most=len(names), field="stems") or 1
            wanted = by_stem.get(stem["id"]) if isinstance(by_stem, dict) else None
            text = _("Say for each part which options are right.")
            right[stem["id"]] = subset_of(wanted, names, field="right", text=text)
            if not right[stem["id"]]:
                raise ItemError(text, field="right")
            if len(right[stem["id"]]) < stem["most"]:
                raise ItemError(_("In one part more options may be chosen than are right."), field="stems")
        cleaned = {"options": options, "stems": stems, **images_of(shown)}
        return cleaned, {"right": right, **explanations(key, names=names_of(stems))}

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        given = raw.get("choices", {}) if isinstance(raw, dict) else None
        stems = {stem["id"]: stem for stem in shown["stems"]}
        if not isinstance(given, dict) or not given.keys() <= stems.keys():
            raise AnswerError
        names = names_of(shown["options"])
        choices = {name: choices_of(given[name], names) for name in stems if name in given}
        for name, chosen in choices.items():
            if len(chosen) > stems[name]["most"]:
                raise AnswerError(_("Choose at most %(most)d.") % {"most": stems[name]["most"]})
        choices = {name: chosen for name, chosen in choices.items() if chosen}
        return {"choices": choices} if choices else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        """Of each stem the fields `stem-<id>`."""
        fields = {stem["id"]: data.get(f"stem-{stem['id']}", ()) for stem in shown["stems"]}
        return {"choices": {name: [one for one in values if one] for name, values in fields.items()}}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        total = NONE
        for stem in shown["stems"]:
            good = set(value["choices"].get(stem["id"], ())) & set(key["right"][stem["id"]])
            total += Decimal(len(good)) / stem["most"]
        return Mark.of(total / len(shown["stems"]))

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        mine = value["choices"] if value else {}
        rows = []
        for stem in shown["stems"]:
            chosen, right = mine.get(stem["id"], []), key["right"][stem["id"]]
            rows.append(
                Row(
                    stem["text"],
                    chosen=_words(shown, chosen),
                    right=_words(shown, right),
                    is_right=len(set(chosen) & set(right)) == stem["most"] if chosen else None,
                    rationale=key["rationales"].get(stem["id"], ""),
                )
            )
        return rows

    def orderable(self, shown: Json) -> list[str]:
        return names_of(shown["stems"])

    def describe(self, *, shown: Json, value: Json | None) -> str:
        chosen = value["choices"] if value else {}
        return "; ".join(
            f"{plain_text(stem['text'])}: {_words(shown, chosen[stem['id']])}"
            for stem in shown["stems"]
            if stem["id"] in chosen
        )

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        """One for each option at each stem."""
        return [
            Category(
                f"{stem['id']}:{option['id']}",
                f"{plain_text(stem['text'])}: {plain_text(option['text'])}",
                is_right=option["id"] in key["right"][stem["id"]],
            )
            for stem in shown["stems"]
            for option in shown["options"]
        ]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        return [f"{stem}:{option}" for stem, options in value["choices"].items() for option in options]


def _words(shown: Json, names: Sequence[str]) -> str:
    return ", ".join(plain_text(option["text"]) for option in shown["options"] if option["id"] in names)
