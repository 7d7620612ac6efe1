"""Numbers as doctors write them: decimal comma or point, thousands in any of the usual ways, digits of any script.

"1,234" is one and a bit to some and more than a thousand to others, and nobody can see which. Such a text keeps both
readings, and is right when one of them is: a doctor is not to fail by the habits of their country.
"""

import re
import unicodedata
from decimal import Decimal

LONGEST = 40
HIGHEST_EXPONENT = 20
_SPACES = r"[ \u00a0\u2009\u202f'\u2019\u066c]"
_SIGN = r"[-+\u2212]?"
# Thousands in groups of three, all separated alike; the decimal mark is another one.
_GROUPED = re.compile(
    rf"({_SIGN})(\d{{1,3}})((?:{_SPACES}\d{{3}})+|(?:\.\d{{3}})+|(?:,\d{{3}})+)(?:([.,\u066b])(\d*))?\Z"
)
_PLAIN = re.compile(rf"({_SIGN})(\d*)(?:([.,\u066b])(\d*))?(?:[eE]([-+\u2212]?\d{{1,2}}))?\Z")
_EITHER = re.compile(r"(-?)([1-9]\d{0,2})\.(\d{3})\Z")
_START = re.compile(rf"{_SIGN}(?:\d|[.,\u066b]\d|{_SPACES}(?=\d{{3}}(?!\d)))+(?:[eE][-+\u2212]?\d+(?!\w))?[.,]?")


def split(text: str) -> tuple[str, str]:
    """The number at the start of what was typed, and what follows it: the unit."""
    found = _START.match(text)
    return (text[: found.end()].strip(), text[found.end() :].strip()) if found else (text, "")


def canonical(text: str) -> str | None:
    """A text with a decimal point and nothing else, which reads the same again; None for what is no number."""
    text = "".join(_digit(one) for one in text.strip())
    if not 0 < len(text) <= LONGEST:
        return None
    grouped, plain = _GROUPED.match(text), _PLAIN.match(text)
    if grouped and not _is_one_group(grouped):
        sign, first, groups, mark, rest = grouped.groups()
        if mark and mark in groups:
            return None
        return _joined(sign, first + re.sub(r"\D", "", groups), rest or "", "")
    if not plain or not (plain[2] or plain[4]):
        return None
    return _joined(plain[1], plain[2], plain[4] or "", plain[5] or "")


def readings(number: str) -> list[Decimal]:
    """What a canonical text may mean: one number, or two."""
    either = _EITHER.match(number)
    meant = [Decimal(number)]
    if either:
        meant.append(Decimal("".join(either.groups())))
    return meant


def _is_one_group(found: "re.Match[str]") -> bool:
    """1,234 or 1.234 and nothing else: read as a decimal mark, and as thousands by `readings`."""
    return found[4] is None and found[3][0] in ".," and len(found[3]) == 4


def _joined(sign: str, before: str, after: str, exponent: str) -> str | None:
    minus = "-" if sign in ("-", "\u2212") else ""
    digits = f"{minus}{before.lstrip('0') or '0'}" + (f".{after}" if after else "")
    if exponent:
        power = int(exponent.replace("\u2212", "-"))
        if abs(power) > HIGHEST_EXPONENT:
            return None
        digits = format(Decimal(digits).scaleb(power), "f")
    return digits if Decimal(digits) else "0"


def _digit(one: str) -> str:
    """Arabic, Persian, Devanagari and full-width digits are digits."""
    return str(unicodedata.decimal(one)) if one.isdecimal() else one
