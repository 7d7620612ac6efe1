"""What people answer: STOP in their own language, START, and everything that is neither."""

import pytest

from reminders.enums import Outcome
from reminders.transports.wishes import LISTED, STARTED, USUAL, wish_in


@pytest.mark.parametrize("words", [*LISTED.values(), *USUAL.values()], ids=[*LISTED, *USUAL])
def test_every_word_is_heard_however_a_phone_writes_it(words: str) -> None:
    for word in (one.replace("_", " ") for one in words.split()):
        for said in (word, word.lower(), f" {word.title()}. ", f"{word}!\n", f"“{word}”"):
            assert wish_in(said) == Outcome.STOPPED, said


@pytest.mark.parametrize(
    "said", ["arret", "Arrêt", "ARRÊTEZ", "الغاء", "إلغاء", "iptal", "İPTAL", "退订", "stop  all", "opt-out"]
)
def test_accents_and_case_do_not_matter(said: str) -> None:
    assert wish_in(said) == Outcome.STOPPED


@pytest.mark.parametrize("said", ["Start", "START.", "unstop"])
def test_to_begin_again_a_word_is_said_that_means_nothing_else(said: str) -> None:
    assert wish_in(said) == Outcome.STARTED


@pytest.mark.parametrize(
    "said",
    ["yes", "YES", "oui", "ja", "no", "", ".", "?", "Stop by at 9?", "please stop", "non-stop", "Thank you", "1", "👍"],
)
def test_everything_else_is_no_wish(said: str) -> None:
    """Neither a yes to something else nor a sentence with the word in it."""
    assert wish_in(said) is None


def test_no_word_means_both() -> None:
    assert {wish_in(word) for word in STARTED} == {Outcome.STARTED}
