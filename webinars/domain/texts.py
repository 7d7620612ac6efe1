"""What people write in the room: plain text, never HTML. Cleaned once, when it comes in; escaped wherever it shows."""

import re
import unicodedata
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Joiners stay: Indic scripts and emoji need them. Marks that turn the direction of what follows would let a name or a
# text imitate another one.
_TURNS_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cs"})
_BLANKS = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


class TextError(Exception):
    """The text cannot be taken; `message` is for the writer."""

    message: "str | _StrPromise" = _("This text cannot be taken.")


class EmptyTextError(TextError):
    message = _("Please write something.")


class LongTextError(TextError):
    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.message = gettext("Please shorten this to %(most)d characters.") % {"most": most}


def clean_text(text: str, *, most: int, required: bool = True) -> str:
    """Unicode's composed form, without control characters; at most one empty line at a time. `most` counts characters.

    The length is judged after cleaning, so that invisible characters cost nobody the end of a question.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    text = "".join(one for one in text if one == "\n" or _is_kept(one))
    text = _BLANK_LINES.sub("\n\n", _BLANKS.sub(" ", text)).strip()
    if not text and required:
        raise EmptyTextError
    if len(text) > most:
        raise LongTextError(most)
    return text


def clean_line(text: str, *, most: int, required: bool = True) -> str:
    """The same in one line."""
    return clean_text(" ".join(text.split()), most=most, required=required)


def _is_kept(one: str) -> bool:
    return one not in _TURNS_DIRECTION and unicodedata.category(one) not in _DROPPED_CATEGORIES
