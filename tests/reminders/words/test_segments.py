"""Parts of an SMS, against figures that can be worked out by hand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.rendering.prices import cents_of, of_many
from reminders.rendering.segments import BASIC, EXTENDED, Encoding, count, is_gsm, plain


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", Encoding.GSM7, 0, 0),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        # 153 has an odd length: 76 pairs of escape and sign go into a part, and the last septet stays empty.
        ("€" * 152, Encoding.GSM7, 304, 2),
        ("€" * 153, Encoding.GSM7, 306, 3),
        ("ж" * 70, Encoding.UCS2, 70, 1),
        ("ж" * 71, Encoding.UCS2, 71, 2),
        ("ж" * 134, Encoding.UCS2, 134, 2),
        ("ж" * 135, Encoding.UCS2, 135, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        # 67 is odd as well: 33 emoji in a part.
        ("😀" * 66, Encoding.UCS2, 132, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
        ("ç" * 71, Encoding.UCS2, 71, 2),  # only the capital one is in the alphabet
        ("Ç" * 71, Encoding.GSM7, 71, 1),
    ],
)
def test_parts(text: str, encoding: Encoding, units: int, parts: int) -> None:
    found = count(text)
    assert (found.encoding, found.units, found.parts) == (encoding, units, parts)


def test_the_alphabet_has_127_characters_and_an_escape() -> None:
    assert (len(set(BASIC)), len(BASIC)) == (127, 127)
    assert len(set(EXTENDED)) == 10


@pytest.mark.parametrize(("text", "room"), [("a" * 150, 10), ("a" * 161, 145), ("ж" * 60, 10), ("ж" * 71, 63)])
def test_room_until_the_next_part(text: str, room: int) -> None:
    assert count(text).room == room


@given(st.text(alphabet=BASIC + EXTENDED + "жé😀", max_size=700))
def test_never_fewer_parts_than_the_units_need(text: str) -> None:
    found = count(text)
    single, joined = (160, 153) if found.encoding is Encoding.GSM7 else (70, 67)
    if found.units > single:
        assert -(-found.units // joined) <= found.parts <= -(-found.units // (joined - 1))
    else:
        assert found.parts == (1 if text else 0)


def test_typographic_signs_become_plain_where_that_saves_a_part() -> None:
    assert plain("It’s “live” – now…") == 'It\'s "live" - now...'
    assert is_gsm(plain("UTC−5\u00a0h"))


def test_what_needs_the_wide_alphabet_anyway_keeps_its_signs() -> None:
    assert plain("Доктор – “сейчас”") == "Доктор – “сейчас”"


def test_a_price_goes_by_the_longest_code() -> None:
    assert cents_of("+971501234567", parts=2) == Decimal(22)
    assert cents_of("+12025550123", parts=1) == Decimal(1)
    assert cents_of("+99912345", parts=3) == Decimal(30)
    assert of_many(Decimal(22)) == Decimal(220)
