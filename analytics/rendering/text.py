"""How wide a label will be, before any browser has seen it.

An estimate on the safe side for Inter and Noto Sans at 13 px. Nothing here can be exact: the reader's device may have
another face. What depends on it (which labels stand in the picture) leaves some air, and every label is also in a
list or table.
"""

import unicodedata
from functools import lru_cache

FONT_PX = 13
# Labels are moved by `transform="translate(… 4.5)"`, a third of their size down: to the middle of a line. `dx` and `dy`
# would move the first letter alone where a text runs from right to left, in typst and in some browsers.
NARROW = frozenset("iljtfrI.,:;'|!()[]·’‘ ")
WIDE = frozenset("mwMWQO@%&—…")


def width(text: str, px: float = FONT_PX) -> float:
    return px * sum(_em(one) for one in text)


@lru_cache(4096)
def _em(one: str) -> float:
    if unicodedata.combining(one) or unicodedata.category(one) in {"Mn", "Cf"}:
        return 0.0
    if unicodedata.east_asian_width(one) in {"W", "F"}:
        return 1.05
    if one in NARROW:
        return 0.38
    if one in WIDE:
        return 0.97
    if one.isupper():
        return 0.74
    if one.isascii():
        return 0.64
    return 0.72


def shorten(text: str, room: float, px: float = FONT_PX) -> str:
    """The beginning that fits, with an ellipsis; empty where not even four letters do."""
    if width(text, px) <= room:
        return text
    left = room - width("…", px)
    end = 0
    while left >= 0:
        left -= px * _em(text[end])
        end += 1
    end = max(0, end - 1)
    # A letter keeps its accents: what follows it may be part of it.
    while end and unicodedata.category(text[end]) in {"Mn", "Mc", "Cf"}:
        end -= 1
    kept = text[:end].rstrip(" ,;:·–-")
    return f"{kept}…" if len(kept) >= 4 else ""
