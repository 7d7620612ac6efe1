"""How many parts an SMS has. 3GPP TS 23.038 (alphabet) and TS 23.040 (a header of 6 bytes leaves 153 or 67 units)."""

from dataclasses import dataclass
from enum import StrEnum

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"  # an escape goes before each
_BASIC, _EXTENDED = frozenset(BASIC), frozenset(EXTENDED)
# What looks the same to a reader and costs nothing. Letters are never replaced: a name keeps its accents.
_PLAIN = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "′": "'", "″": '"',
        "–": "-", "—": "-", "−": "-", "‑": "-", "‐": "-", "…": "...", "•": "-", "·": "-", "×": "x",
        "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": "",
    }
)  # fmt: skip


class Encoding(StrEnum):
    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


SINGLE = {Encoding.GSM7: 160, Encoding.UCS2: 70}
JOINED = {Encoding.GSM7: 153, Encoding.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets or 16-bit units; `parts` is what is paid for. An empty text is no message: 0 parts."""

    encoding: Encoding
    units: int
    parts: int

    @property
    def room(self) -> int:
        """Units until the next part begins."""
        if self.parts <= 1:
            return SINGLE[self.encoding] - self.units
        return self.parts * JOINED[self.encoding] - self.units


def count(text: str) -> Segments:
    encoding = Encoding.GSM7 if is_gsm(text) else Encoding.UCS2
    widths = [_width(one, encoding) for one in text]
    units = sum(widths)
    if units <= SINGLE[encoding]:
        return Segments(encoding, units, 1 if units else 0)
    return Segments(encoding, units, _packed(widths, JOINED[encoding]))


def is_gsm(text: str) -> bool:
    return all(one in _BASIC or one in _EXTENDED for one in text)


def plain(text: str) -> str:
    """With the quotes and dashes of a typewriter where that alone makes it GSM-7: one dash would cost a second part."""
    replaced = text.translate(_PLAIN)
    return replaced if is_gsm(replaced) else text


def _width(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _packed(widths: list[int], most: int) -> int:
    """An escape and its character, or the halves of an emoji, are never in two parts."""
    parts, used = 1, 0
    for width in widths:
        if used + width > most:
            parts, used = parts + 1, 0
        used += width
    return parts
