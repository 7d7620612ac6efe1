"""How alike two texts are: `similarity()` of PostgreSQL's pg_trgm, in exact numbers and without asking it.

Words are runs of letters and digits in lower case, each with two blanks before it and one behind; what counts is the
number of different groups of three characters that both texts have, of all that either has. As there, a group of
anything but ASCII is known by 24 bits of its checksum only, so that two may fall together.
Source: contrib/pg_trgm/trgm_op.c (generate_trgm, make_trigrams, compact_trigram, cnt_sml) and src/port/pg_crc.c.
It is the answer of a database whose LC_CTYPE is UTF-8; one with LC_CTYPE=C knows the letters of ASCII only.
"""

from fractions import Fraction
from itertools import groupby

_CRC_POLYNOMIAL = 0xEDB88320


def similarity(one: str, two: str) -> Fraction:
    """From 0 to 1. Two texts without a word are not alike, not even to themselves."""
    mine, theirs = trigrams(one), trigrams(two)
    both = len(mine & theirs)
    return Fraction(both, len(mine) + len(theirs) - both) if both else Fraction(0)


def trigrams(text: str) -> set[bytes]:
    lowered = "".join(_lower(character) for character in text)
    found: set[bytes] = set()
    for is_word, run in groupby(lowered, key=str.isalnum):
        if is_word:
            padded = f"  {''.join(run)} "
            found.update(_compact(padded[at : at + 3].encode()) for at in range(len(padded) - 2))
    return found


def _lower(character: str) -> str:
    """Character by character, as the C library does it: no letter becomes two."""
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def _compact(group: bytes) -> bytes:
    return group if len(group) == 3 else (_legacy_crc(group) & 0xFFFFFF).to_bytes(3, "little")


def _legacy_crc(data: bytes) -> int:
    """PostgreSQL's old CRC-32: the table of the reflected polynomial, used as if it were not reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc >> 24) ^ byte] ^ ((crc << 8) & 0xFFFFFFFF)
    return crc ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_CRC_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return table


_TABLE = _table()
