"""What a name or a title may do in a message: stand there as words, and nothing else."""

import re
import unicodedata

LONGEST = 300  # characters of one value
# A full stop between letters that a phone or a mail program may take for the end of a domain's name, and its relatives
# in other scripts. "2.5 mg", "i.e." and "U.S.A." stay as they are.
_DOTTED = re.compile(r"(?<=[^\W_])([.。．｡])(?=[^\W\d_]{2})")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\d)")
_SCHEME = re.compile(r"(?i)\b(https?|ftps?|mailto|tel|sms|data|javascript|whatsapp):(?=\S)")
# A number that a telephone offers to call.
_CALLED = re.compile(r"(?<![\w+])(?:\+|00)[ (]?\d(?:[ ().\-/]{0,2}\d){7,}")
# Signs that nobody sees, beside all of the category Cf. Isolates and overrides, which turn what follows around, also
# what is not the name's, are among that; so is what hides "evil.com" from whoever looks for it.
_UNSEEN = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]")
_JOINERS = frozenset("\u200c\u200d")
_CHOOSES_SHAPE = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_OF_SCRIPTS = frozenset({"Lo", "Mn", "Mc"})


def one_line(text: str) -> str:
    """A line break in a subject would be a new header; control characters and what nobody sees have no place. Joiners
    stay between letters of scripts that are written with them (Persian, Hindi).
    """
    kept: list[str] = []
    for at, one in enumerate(text):
        if _is_space(one):
            kept.append(" ")
        elif one in _JOINERS:
            around = text[at - 1 : at] + text[at + 1 : at + 2]
            if len(around) == 2 and all(unicodedata.category(sign) in _OF_SCRIPTS for sign in around):
                kept.append(one)
        elif _CHOOSES_SHAPE.match(one):
            if kept and unicodedata.category(kept[-1]) in {"So", "Lo"}:
                kept.append(one)
        elif not _is_control(one) and not _UNSEEN.match(one):
            kept.append(one)
    return " ".join("".join(kept).split())


def defang(text: str) -> str:
    """No part of it becomes a link by itself: 'Dr evil.com' reads 'Dr evil. com'. Of a number to call the beginning
    stays.
    """
    text = _CALLED.sub(lambda found: found[0][:4] + "…", text)
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
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} and not character.isspace()
