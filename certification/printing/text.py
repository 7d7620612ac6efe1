"""Texts of people on their way to paper: what may not print, what no font has, which shapes a script wants."""

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

COVERAGE = Path(__file__).parent / "fonts" / "coverage.txt"
MISSING = "\ufffd"
# Joiners are spelling in Persian, Urdu and the scripts of India. Every other format character (bidi overrides,
# zero-width spaces, tags) could make a name look like another.
JOINERS = {"\u200c", "\u200d"}
MARKS_IN_A_ROW = 4
KANA = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
HANGUL = re.compile(r"[\uac00-\ud7a3]")
IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def clean(text: str) -> str:
    """One line in NFC without what is invisible or towers over its neighbours; what no font has is U+FFFD."""
    if text.isascii() and text.isprintable():
        return re.sub(" +", " ", text).strip()
    kept: list[str] = []
    marks = 0
    for sign in unicodedata.normalize("NFC", text):
        category = unicodedata.category(sign)
        if category in ("Cc", "Zl", "Zp", "Zs"):
            kept.append(" ")
            continue
        if (category in ("Cf", "Cs", "Co", "Cn") and sign not in JOINERS) or _is_selector(sign):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(sign if has_glyph(sign) else _folded(sign))
    return re.sub(" +", " ", "".join(kept)).strip()


def missing(text: str) -> list[str]:
    """The characters of a text that no font has, in their order: they would print as U+FFFD."""
    return [
        sign for sign in dict.fromkeys(unicodedata.normalize("NFC", text)) if MISSING in clean(sign) and sign != MISSING
    ]


def language_of(text: str, *, fallback: str) -> str:
    """The language whose shapes of the Chinese characters a text wants: the same code has other forms in Japan."""
    if KANA.search(text):
        return "ja"
    if HANGUL.search(text):
        return "ko"
    if IDEOGRAPH.search(text) and fallback.partition("-")[0] not in ("ja", "ko", "zh"):
        return "zh"
    return fallback


def has_glyph(sign: str) -> bool:
    first, last = _coverage()
    at = bisect_right(first, ord(sign)) - 1
    return sign in JOINERS or (at >= 0 and ord(sign) <= last[at])


def _is_selector(sign: str) -> bool:
    """Variation selectors: the fonts have one shape of each character."""
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _folded(sign: str) -> str:
    """𝒜 and ﬃ have plain letters behind them, and rare precomposed letters their parts; 🏆 has nothing."""
    for form in ("NFD", "NFKC", "NFKD"):
        plain = unicodedata.normalize(form, sign)
        if plain != sign and all(has_glyph(part) for part in plain):
            return plain
    return MISSING


@cache
def _coverage() -> tuple[list[int], list[int]]:
    pairs = [line.split("-") for line in COVERAGE.read_text().split()]
    return [int(first, 16) for first, _ in pairs], [int(last, 16) for _, last in pairs]
