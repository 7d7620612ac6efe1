"""Which language is spoken with whom."""

from typing import Any

import pytest
from django.conf import settings as configured

from core import languages
from lms.environment import Environment

TWO = [("en", "English"), ("pt", "Portuguese")]


@pytest.mark.parametrize(
    ("preferred", "spoken"),
    [("en", "en"), ("pt", "pt"), ("pt-br", "pt"), ("en-gb", "en"), ("fr", "en"), ("", "en"), ("x" * 12, "en")],
)
def test_a_preference_is_met_or_answered_in_the_first_language(settings: Any, preferred: str, spoken: str) -> None:
    settings.LANGUAGES = TWO
    assert languages.spoken(preferred) == spoken


def test_english_alone_is_offered_unless_somebody_says_more() -> None:
    assert configured.LANGUAGES == [("en", "English")]
    assert configured.LANGUAGE_CODE == "en"
    assert languages.spoken("ar") == "en"


@pytest.mark.parametrize(
    ("given", "codes"),
    [("", ["en"]), ("fr", ["fr"]), ("fr, en", ["fr", "en"]), ("pt_BR,PT-br,ar", ["pt-br", "ar"]), (" , ", ["en"])],
)
def test_offered_languages_come_from_the_environment(given: str, codes: list[str]) -> None:
    environment = Environment({"LANGUAGES": given})
    assert [code for code, _name in environment.languages("LANGUAGES", ("en",))] == codes
    assert environment.problems == []


def test_languages_that_nobody_knows_are_a_problem_of_the_configuration() -> None:
    environment = Environment({"LANGUAGES": "en,tlh,french"})
    environment.languages("LANGUAGES", ("en",))
    assert [(text.split()[0], text.endswith("not tlh, french")) for text in environment.problems] == [
        ("LANGUAGES", True)
    ]
