"""Short answer.

shown: {"images"?}
key: {"accepted": [{"text", "share"}], "folds": [of FOLDS], "sure": share or none, "unsure": share or none, …}
value: {"text"}

An accepted text may have `*` for anything (`\\*` is a star). Both sides are made alike as `folds` says. What fits
some of them has their largest share. What fits none is compared by trigrams (`short.trigrams`, 0 to 1) with each that
has no `*` and a share above 0: from `sure` on it is accepted as if it were that text, from `unsure` on a person is
asked, with that share suggested, and below it is wrong. Without the two nothing but an accepted text is right.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

from django.utils.html import escape
from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import FULL, NONE, AnswerError, Guide, ItemError, ItemType, Json, Mark, Row
from assessments.items.shapes import explanations, images_of, line, number, storable, written
from assessments.items.short.trigrams import similarity

FOLDS = ("case", "accents", "spaces", "punctuation")
MOST_ACCEPTED = 50
LONGEST = 300
_STARS = re.compile(r"\\\*|\*")


class Short(ItemType):
    kind: ClassVar[ItemKind] = ItemKind.SHORT

    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        raw = key.get("folds", list(FOLDS))
        if not isinstance(raw, list) or not all(isinstance(one, str) and one in FOLDS for one in raw):
            raise ItemError(_("Choose of: %(names)s.") % {"names": ", ".join(FOLDS)}, field="folds")
        folds = [one for one in FOLDS if one in raw]
        sure, unsure = _threshold(key, "sure"), _threshold(key, "unsure")
        if sure is not None and unsure is not None and unsure > sure:
            raise ItemError(_("The lower threshold must not be above the upper one."), field="unsure")
        return images_of(shown), {
            "accepted": _accepted(key.get("accepted"), folds),
            "folds": folds,
            "sure": None if sure is None else written(sure),
            "unsure": None if unsure is None else written(unsure),
            **explanations(key, names=[]),
        }

    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        if raw is None:
            return None
        text = raw.get("text", "") if isinstance(raw, dict) else None
        if not isinstance(text, str) or len(text) > LONGEST:
            raise AnswerError
        text = " ".join(unicodedata.normalize("NFC", storable(text)).split())[:LONGEST].strip()
        return {"text": text} if text else None

    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        return {"text": next(iter(data.get("text", ())), "")}

    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        folds, accepted = key["folds"], key["accepted"]
        given = fold(value["text"], folds)
        shares = [Decimal(one["share"]) for one in accepted if fits(given, one["text"], folds)]
        if shares:
            return Mark.of(max(shares))
        near = [
            (similarity(fold(_plain(one["text"]), folds), given), Decimal(one["share"]), _plain(one["text"]))
            for one in accepted
            if not _has_star(one["text"]) and one["share"] != "0"
        ]
        likeness, share, text = max(near, default=(Fraction(0), NONE, ""))
        if key["sure"] is not None and likeness >= Fraction(key["sure"]):
            return Mark.of(share)
        if key["unsure"] is not None and likeness >= Fraction(key["unsure"]) and text:
            note = _("%(percent)d %% like “%(text)s”") % {"percent": _percent(likeness), "text": text}
            return Mark.waiting(note, suggested=share)
        return Mark.of(NONE)

    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        return [Row(escape(_plain(one["text"])), right="yes") for one in key["accepted"] if one["share"] == "1"]

    def guide(self, *, key: Json, value: Json) -> list[Guide]:
        given = fold(value.get("text", ""), key["folds"])
        return [
            Guide(
                _plain(one["text"]),
                Decimal(one["share"]),
                None
                if _has_star(one["text"])
                else _percent(similarity(fold(_plain(one["text"]), key["folds"]), given)),
            )
            for one in key["accepted"]
        ]

    def describe(self, *, shown: Json, value: Json | None) -> str:
        return value["text"] if value else ""


def fold(text: str, folds: Sequence[str]) -> str:
    """Both sides of a comparison are made alike by this."""
    text = unicodedata.normalize("NFKC", text)
    if "case" in folds:
        text = unicodedata.normalize("NFKC", text.casefold())
    if "accents" in folds:
        bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
        text = unicodedata.normalize("NFC", bare)
    if "punctuation" in folds:
        text = "".join(" " if unicodedata.category(one)[0] in "PS" else one for one in text)
    if "spaces" in folds or "punctuation" in folds:
        text = " ".join(text.split())
    return text


def fits(text: str, accepted: str, folds: Sequence[str]) -> bool:
    """Whether a folded text is as an author's one, stars included. From left to right, so never slow."""
    first, *others = (fold(piece, folds) for piece in _pieces(accepted))
    if not others:
        return text == first
    *middle, last = others
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _pieces(text: str) -> list[str]:
    """What stands between the stars."""
    pieces, start = [""], 0
    for found in _STARS.finditer(text):
        pieces[-1] += text[start : found.start()]
        if found.group() == "*":
            pieces.append("")
        else:
            pieces[-1] += "*"
        start = found.end()
    pieces[-1] += text[start:]
    return pieces


def _has_star(text: str) -> bool:
    return len(_pieces(text)) > 1


def _plain(text: str) -> str:
    return text.replace("\\*", "*")


def _percent(likeness: Fraction) -> int:
    return round(likeness * 100)


def _threshold(key: Json, name: str) -> Decimal | None:
    raw = key.get(name)
    return None if raw is None or raw == "" else number(raw, field=name, least=NONE, most=FULL)


def _accepted(raw: Any, folds: Sequence[str]) -> list[Json]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_ACCEPTED or not all(isinstance(one, dict) for one in raw):
        raise ItemError(_("Give at least one accepted answer."), field="accepted")
    accepted = [
        {
            "text": line(one.get("text"), "accepted", longest=LONGEST),
            "share": written(number(one.get("share", "1"), field="accepted", least=NONE, most=FULL)),
        }
        for one in raw
    ]
    if not all(fold(_plain(one["text"]), folds) for one in accepted):
        raise ItemError(_("An accepted answer needs a letter or a digit."), field="accepted")
    if not any(one["share"] == "1" for one in accepted):
        raise ItemError(_("One of the accepted answers must be worth full marks."), field="accepted")
    return accepted
