import re
from typing import ClassVar

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import Json
from assessments.items.correcting import LINE, SEVERAL, TEXT, Correcting, Data, KeyField, lines_of, many_of, one_of
from assessments.items.short import FOLDS

_SHARE = re.compile(r"[0-9.]{1,12}\Z")


class ShortCorrecting(Correcting):
    kind: ClassVar[ItemKind] = ItemKind.SHORT

    def fields(self, *, shown: Json, key: Json) -> list[KeyField]:
        texts = "\n".join(one["text"] + _written(one["share"]) for one in key["accepted"])
        words = {
            "case": _("Capitals and small letters"),
            "accents": _("Letters with and without accents"),
            "spaces": _("One blank or several"),
            "punctuation": _("Punctuation"),
        }
        how = _("One in each line; * stands for anything. What is worth less: theca cells =0.5 for half of the points.")
        return [
            KeyField("right", _("Accepted answers"), TEXT, texts, help=how),
            KeyField("folds", _("Treated alike"), SEVERAL, key["folds"], [(name, words[name]) for name in FOLDS]),
            KeyField(
                "sure",
                _("Accepted from this likeness on"),
                LINE,
                key["sure"] or "",
                help=_("From 0 to 1. Empty: nothing but what is accepted is right."),
            ),
            KeyField(
                "unsure",
                _("Shown to a person from this likeness on"),
                LINE,
                key["unsure"] or "",
                help=_("From 0 to 1. Empty: nobody is asked."),
            ),
        ]

    def read(self, *, shown: Json, key: Json, data: Data) -> Json:
        return {
            "accepted": [_read(line) for line in lines_of(data, "right")],
            "folds": many_of(data, "folds"),
            "sure": one_of(data, "sure").replace(",", "."),
            "unsure": one_of(data, "unsure").replace(",", "."),
        }


def _written(share: str) -> str:
    return "" if share == "1" else f" ={share}"


def _read(line: str) -> Json:
    text, sign, share = line.rpartition(" =")
    return {"text": text, "share": share} if sign and _SHARE.match(share) else {"text": line, "share": "1"}


CORRECTING = ShortCorrecting()
