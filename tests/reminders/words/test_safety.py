"""Names and titles that want to be more than words."""

import pytest

from reminders.rendering.safety import LONGEST, clean, defang, one_line, shorten


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Eve\r\nBcc: all@example.org", "Eve Bcc: all@example. org"),
        ("Eve\nX: y", "Eve X: y"),
        ("Eve\u2028X", "Eve X"),
        ("Eve\x0b\x0c\x85X", "Eve X"),
        ("Eve\x00\x07X", "EveX"),
        ("\u202eevE\u202c rD", "evE rD"),
        ("\u2066Eve\u2069", "Eve"),
        ("  Dr   Eve ", "Dr Eve"),
    ],
)
def test_sec_25_one_line_of_words(typed: str, shown: str) -> None:
    assert clean(typed) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("https://evil.example/x", "https: //evil. example/x"),
        ("HTTP://evil.example", "HTTP: //evil. example"),
        ("www.evil.example", "www. evil. example"),
        ("evil.com", "evil. com"),
        ("éviĺ.com", "éviĺ. com"),
        ("пример.рф", "пример. рф"),
        ("evil。com", "evil。 com"),
        ("a@evil.com", "a@evil. com"),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("mailto:x", "mailto: x"),
        ("tel:+123", "tel: +123"),
        ("10.0.0.1", "10. 0. 0. 1"),
        ("ws://x", "ws: //x"),
    ],
)
def test_sec_25_nothing_becomes_a_link_by_itself(typed: str, shown: str) -> None:
    assert defang(typed) == shown


@pytest.mark.parametrize("sign", "\u200b\u200c\u200d\u00ad\u2060\ufeff\u180e\u034f\ufe0f\u2064\U000e0041")
def test_sec_25_what_nobody_sees_hides_no_address(sign: str) -> None:
    assert clean(f"evil.{sign}com") == "evil. com"
    assert clean(f"evil{sign}.com") == "evil. com"
    assert clean(f"e{sign}vil.co{sign}m") == "evil. com"
    assert clean(f"https:{sign}//evil.example") == "https: //evil. example"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Call +44 20 7946 0958 now", "Call +44 … now"),
        ("Dr Eve 00491701234567", "Dr Eve 0049…"),
        ("+1 (900) 555-0100", "+1 (…"),
        ("+49.170.1234567", "+49.…"),
    ],
)
def test_sec_25_a_number_to_call_is_cut_short(typed: str, shown: str) -> None:
    assert clean(typed) == shown


@pytest.mark.parametrize(
    "text", ["NCT01234567", "FM26-000123", "19:30 (Kolkata, UTC+5:30)", "2027-01-12, 19:30", "Phase 3: 1,204 of 15,000"]
)
def test_other_numbers_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "Dr. Meera Nair",
        "U.S.A.",
        "i.e. 2.5 mg",
        "O’Brien-Núñez",
        "24:10",
        "19:30 (Kolkata, UTC+5:30)",
        "د. ليلى",
        "A/B: C",
    ],
)
def test_names_dates_and_doses_stay_as_they_are(name: str) -> None:
    assert clean(name) == name


def test_a_full_stop_without_a_space_gets_one() -> None:
    assert clean("Prof.Ana Silva") == "Prof. Ana Silva"


def test_a_formula_is_words() -> None:
    assert clean('=HYPERLINK("http://evil.example")') == '=HYPERLINK("http: //evil. example")'


def test_long_values_are_cut_between_words() -> None:
    assert shorten("one two three four", 14) == "one two three…"
    assert shorten("one two", 7) == "one two"
    assert shorten("x" * 20, 10, end="...") == "x" * 7 + "..."
    assert len(clean("word " * 200)) <= LONGEST


def test_one_line_keeps_joiners_of_scripts_that_need_them() -> None:
    assert one_line("می\u200cخواهم") == "می\u200cخواهم"
    assert one_line("क्\u200dष") == "क्\u200dष"
