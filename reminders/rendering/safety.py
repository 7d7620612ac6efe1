"""What a name or a title may do in a message: stand there as words, and nothing else."""

import re
import unicodedata

LONGEST = 300  # characters of one value
# A full stop between letters that a phone or a mail program may take for the end of a domain's name, and its relatives
# in other scripts. "2.5 mg", "i.e." and "U.S.A." stay as they are.
_DOTTED = re.compile(r"(?<=[^\W_])([.。．｡])(?=[^\W\d_]{2})")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\d)")
_SCHEME = re.compile(r"(?i)\b(https?|ftps?|mailto|tel|sms|data|javascript|whatsapp):(?=\S)")
# Isolates, embeddings and overrides turn what follows around, also what is not the name's.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """A line break in a subject would be a new header; control characters and marks of direction have no place."""
    kept = (" " if _is_space(one) else one for one in text if one not in _TURNING and not _is_control(one))
    return " ".join("".join(kept).split())


def defang(text: str) -> str:
    """No part of it becomes a link by itself: 'Dr evil.com' reads 'Dr evil. com'."""
    text = _SCHEME.sub(r"\1: ", text).replace("://", ": //")
    return _NUMBERS.sub(r"\1. \2. \3. \4", _DOTTED.sub(r"\1 ", text))


def clean(value: str) -> str:
    """A value as it may stand in any message."""
    return shorten(defang(one_line(value)), LONGEST)


def shorten(text: str, most: int, *, end: str = "…") -> str:
    """At most `most` characters, cut between words where there is a space in the last third."""
    if len(text) <= most:
        return text
    cut = text[: most - len(end)]
    at = cut.rfind(" ")
    return (cut[:at] if at > most * 2 // 3 else cut).rstrip(" ,;:-–") + end


def _is_space(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in {"Zl", "Zp"}


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Co"} and not character.isspace()
