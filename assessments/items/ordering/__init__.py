"""Put in order.

shown: {"entries": [{"id", "text"}], "images"?}
key: {"right": [ids, the first first], "rule": one of RULES, …}, with `rationales` by entry
value: {"places": {id: place from 1}}, as far as they were given; two entries may have the same place meanwhile

An author's a, b, c usually stand in the right order and would tell it, to whoever reads the page's source. So `clean`
gives every entry an identifier made of its text, and keeps the entries in the order of those; `right` and `rationales`
are renamed with them. The same texts have the same identifiers: cleaning again changes nothing.

exact – everything or nothing · pairs – the share of neighbours that follow each other directly, as they should ·
places – the share of entries at their right place.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import FULL, NONE, AnswerError, Category, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import explanations, images_of, names_of, one_of, options_of
from core.richtext import plain_text

RULES = ("exact", "pairs", "places")


class Ordering(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.ORDERING

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        entries = options_of(shown.get("entries"), field="entries")
        given = names_of(entries)
        right = key.get("right")
        if not isinstance(right, list) or not all(isinstance(one, str) for one in right):
            raise ItemError(_("Say in which order they belong."), field="right")
        if sorted(right) != sorted(given):
            raise ItemError(_("The right order must name each of them once."), field="right")
        renamed = {entry["id"]: _name(entry["text"]) for entry in entries}
        if len(set(renamed.values())) != len(renamed):
            raise ItemError(_("Two of them have the same text."), field="entries")
        explained = explanations(key, names=given)
        explained["rationales"] = {renamed[name]: text for name, text in explained["rationales"].items()}
        cleaned = [{"id": renamed[entry["id"]], "text": entry["text"]} for entry in entries]
        cleaned.sort(key=lambda entry: str(entry["id"]))
        rule = one_of(key.get("rule"), RULES, default="exact", field="rule")
        return (
            {"entries": cleaned, **images_of(shown)},
            {"right": [renamed[name] for name in right], "rule": rule, **explained},
        )

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        given = raw.get("places", {}) if isinstance(raw, dict) else None
        names = self.orderable(shown)
        if not isinstance(given, dict) or not given.keys() <= set(names):
            raise AnswerError
        places = {name: _place(given[name], len(names)) for name in names if given.get(name) not in (None, "")}
        return {"places": places} if places else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        """Of each entry the field `place-<id>`."""
        fields = {name: data.get(f"place-{name}", ()) for name in self.orderable(shown)}
        return {"places": {name: values[0] for name, values in fields.items() if values}}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        right, places = key["right"], value["places"]
        at_home = sum(places.get(name) == place for place, name in enumerate(right, 1))
        if key["rule"] == "exact":
            return Mark.of(FULL if at_home == len(right) else NONE)
        if key["rule"] == "places":
            return Mark.of(Decimal(at_home) / len(right))
        pairs = pairwise(right)
        together = sum(one in places and places.get(two) == places[one] + 1 for one, two in pairs)
        return Mark.of(Decimal(together) / (len(right) - 1))

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        """In the right order."""
        mine = value["places"] if value else {}
        texts = {entry["id"]: entry["text"] for entry in shown["entries"]}
        return [
            Row(
                texts[name],
                chosen=_("Your place: %(place)d") % {"place": mine[name]} if name in mine else "",
                right=_("Right place: %(place)d") % {"place": place},
                is_right=mine[name] == place if name in mine else None,
                rationale=key["rationales"].get(name, ""),
            )
            for place, name in enumerate(key["right"], 1)
        ]

    def orderable(self, shown: Json) -> list[str]:
        return names_of(shown["entries"])

    def describe(self, *, shown: Json, value: Json | None) -> str:
        places = value["places"] if value else {}
        texts = {entry["id"]: plain_text(entry["text"]) for entry in shown["entries"]}
        return "; ".join(f"{places[name]}. {texts[name]}" for name in sorted(places, key=lambda name: places[name]))

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        """One for each entry at each place."""
        texts = {entry["id"]: plain_text(entry["text"]) for entry in shown["entries"]}
        count = len(key["right"])
        return [
            Category(f"{name}:{place}", f"{place}. {texts[name]}", is_right=place == home)
            for home, name in enumerate(key["right"], 1)
            for place in range(1, count + 1)
        ]

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        return [f"{name}:{place}" for name, place in value["places"].items()]


def _name(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _place(raw: Any, most: int) -> int:
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 4:
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= most:
        raise AnswerError
    return raw
