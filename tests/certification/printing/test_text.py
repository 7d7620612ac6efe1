"""Cleaning texts takes away what deceives or breaks, and nothing that belongs to a name."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from certification.printing.text import clean, has_glyph, language_of, missing


@pytest.mark.parametrize(
    "name",
    [
        "Dr. Amelia Okonkwo-Hartmann", "O’Brien, Siobhán", "می‌خواهم", "ക്‍ഷ", "क्‍ष", "שָׁלוֹם",
        "Nguyễn Thị Phương-Ánh", "王鑫喆",
        "Ω Ἀθηναίων", "½ ™ ® № €",
    ],
)  # fmt: skip
def test_names_stay_as_they_are(name: str) -> None:
    assert clean(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("a\u202eb\u202cc", "abc"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("two\nlines\tand\u2028more\u00a0space ", "two lines and more space"),
        ("e\u0301", "é"),
        ("z" + "\u0301" * 40, "ź" + "\u0301" * 4),
        ("葛\U000e0100", "葛"),
        ("❤️"[0] + "\ufe0f", "\ufffd"),
        ("ﬃ 𝐀𝐛 ①", "ffi Ab 1"),
        ("\ud800x\U000e0041", "x"),
        ("", ""),
    ],
)
def test_what_is_taken_away(given_text: str, cleaned: str) -> None:
    assert clean(given_text) == cleaned


@given(st.text(max_size=60))
@example("\U0001d15e")
def test_whatever_comes_in_prints(text: str) -> None:
    made = clean(text)

    assert all(has_glyph(sign) for sign in made)
    assert "\n" not in made
    assert clean(made) == made
    assert made == made.strip()


def test_missing_names_every_character_once() -> None:
    assert missing("🏆 Dr. 🏆 𓀀 王") == ["🏆", "𓀀"]


@pytest.mark.parametrize(
    ("text", "fallback", "language"),
    [
        ("中村 なおき", "en", "ja"), ("김은지", "en", "ko"), ("王鑫喆", "en", "zh"), ("中村", "ja", "ja"),
        ("王", "zh-TW", "zh-TW"), ("Smith", "de", "de"),
    ],
)  # fmt: skip
def test_the_language_whose_shapes_a_text_wants(text: str, fallback: str, language: str) -> None:
    assert language_of(text, fallback=fallback) == language
