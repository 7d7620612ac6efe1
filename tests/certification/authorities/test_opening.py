"""What hinders opening an accreditation: nothing more and nothing less is said."""

from datetime import date
from typing import Any

import pytest

from certification.authorities import AUTHORITIES, pack_of
from certification.authorities.base import Terms
from certification.authorities.words import words_of
from tests.certification.authorities.worked import DAY, enduring, terms

MH: dict[str, Any] = {"council": "maharashtra"}


def problems(key: str, given: Terms, *, has_assessment: bool = True, on: date = DAY) -> list[str]:
    found = pack_of(key, on=on).problems(given, has_assessment=has_assessment, on=on)
    assert all(words_of(one) for one in found)
    return [one.code for one in found]


@pytest.mark.parametrize("given", [terms("1"), enduring("1")], ids=["live", "enduring"])
@pytest.mark.parametrize("key", ["accme", "eaccme"])
def test_nothing_hinders_complete_terms(key: str, given: Terms) -> None:
    assert problems(key, given) == []


def test_nor_those_of_a_council_or_of_attendance() -> None:
    assert problems("india", terms("1", **MH)) == []
    assert problems("attendance", terms("0")) == []
    assert problems("attendance", enduring("0"), has_assessment=False) == []


CASES: list[tuple[str, Terms, dict[str, Any], list[str]]] = [
    ("accme", terms(starts_on=None), {}, ["no_start"]),
    ("accme", terms(ends_on=date(2025, 12, 31)), {}, ["ends_first"]),
    ("accme", terms("0"), {}, ["no_credits"]),
    ("accme", terms("1", 0), {}, ["no_minutes", "above_minutes"]),
    ("accme", terms("0.8"), {}, ["not_in_steps"]),
    ("accme", terms("1.25"), {}, ["above_minutes"]),
    ("accme", terms("1", 53), {}, []),
    ("accme", terms("1", 52), {}, ["above_minutes"]),
    ("accme", terms(parameters={"rounding": "up"}), {}, ["bad_parameter"]),
    ("accme", terms(parameters={"pass_percent": "101"}), {}, ["bad_parameter"]),
    ("accme", terms(parameters={"rouding": "down"}), {}, ["bad_parameter"]),
    ("accme", terms(parameters={"needs_test": True}), {"has_assessment": False}, ["test_without_assessment"]),
    ("accme", enduring(), {"has_assessment": False}, ["enduring_without_assessment"]),
    ("accme", enduring(ends_on=None), {}, ["no_end"]),
    ("accme", enduring(released_on=None), {}, ["no_release"]),
    ("accme", enduring(reviewed_on=date(2025, 1, 1)), {}, ["reviewed_first"]),
    ("accme", enduring(ends_on=date(2029, 1, 1)), {}, []),
    ("accme", enduring(ends_on=date(2029, 1, 2)), {}, ["ends_after_review"]),
    ("accme", enduring(released_on=date(2023, 3, 14), ends_on=DAY), {}, []),
    ("accme", enduring(released_on=date(2023, 3, 13), ends_on=date(2026, 3, 13)), {}, ["review_too_old"]),
    ("accme", enduring(released_on=date(2023, 3, 13), reviewed_on=date(2025, 1, 1), ends_on=DAY), {}, []),
    ("accme", terms(approval_code=""), {}, []),
    ("eaccme", terms(approval_code=" "), {}, ["no_approval_code"]),
    ("eaccme", terms("0.75"), {}, ["not_in_steps"]),
    ("eaccme", terms("1.5"), {}, ["above_minutes"]),
    ("eaccme", enduring(), {"has_assessment": False}, ["enduring_without_assessment"]),
    ("india", terms("1"), {}, ["no_council"]),
    ("india", terms("1", council="maharashtra", approval_code=""), {}, ["no_approval_code"]),
    ("india", terms("1", council="karnataka", approval_code=""), {}, []),
    ("india", terms("4.5", 300, **MH), {}, ["above_event"]),
    ("india", terms("1", council="kerala"), {}, ["online_not_taken"]),
    ("india", terms("1", council="tamil_nadu"), {}, ["above_minutes"]),
    ("india", terms("1", 120, council="tamil_nadu"), {}, []),
    ("attendance", terms("1"), {}, ["no_figure_here"]),
    ("attendance", terms("0", parameters={"needs_test": True}), {"has_assessment": False}, ["test_without_assessment"]),
]


@pytest.mark.parametrize(("key", "given", "facts", "codes"), CASES)
def test_what_hinders(key: str, given: Terms, facts: dict[str, Any], codes: list[str]) -> None:
    assert problems(key, given, **facts) == codes


def test_everything_at_once_is_said_at_once() -> None:
    given = enduring("0", 0, starts_on=None, ends_on=None, released_on=None)

    assert problems("accme", given, has_assessment=False) == [
        "no_start",
        "no_end",
        "no_minutes",
        "no_credits",
        "enduring_without_assessment",
        "no_release",
    ]


@pytest.mark.parametrize("key", AUTHORITIES)
def test_settings_keep_their_meaning_over_json(key: str) -> None:
    """Percents are kept as texts in JSON; read again they are the same."""
    chosen = pack_of(key, on=DAY)
    values = chosen.clean({})
    again = {name: value if isinstance(value, bool | int) else str(value) for name, value in values.items()}

    assert chosen.clean(again) == values
    assert set(values) == {one.name for one in chosen.parameters}
