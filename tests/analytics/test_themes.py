"""What free texts have in common, against counting by hand."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.presenting.themes import Theme, Themes, stop_words, themes_of

WORDS = (
    "the",
    "slides",
    "small",
    "too",
    "were",
    "audio",
    "Slides,",
    "poor.",
    "case",
    "studies",
    "und",
    "die",
    "Folien",
)
texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), max_size=12)


def _candidates(text: str, language: str) -> set[str]:
    """Words and neighbours, letter by letter."""
    found: set[str] = set()
    before = ""
    for word in text.split():
        plain = "".join(letter for letter in word if letter.isalpha()).lower()
        telling = len(plain) >= 3 and plain not in stop_words()[language]
        if telling:
            found.add(plain)
            if before:
                found.add(f"{before} {plain}")
        before = plain if telling and word[-1].isalpha() else ""
    return found


def _language(text: str) -> str:
    words = ["".join(letter for letter in word if letter.isalpha()).lower() for word in text.split()]
    german, english = (sum(word in stop_words()[language] for word in words) for language in ("de", "en"))
    return "" if german == english == 0 else "de" if german > english else "en"


@given(texts=texts, people=st.lists(st.integers(0, 5), min_size=12, max_size=12))
@settings(max_examples=200, deadline=None)
def test_each_person_counts_once(texts: list[str], people: list[int]) -> None:
    written = [(who, text) for who, text in zip(people, texts, strict=False) if text]
    languages = [_language(text) for _who, text in written]
    usual = sorted((-languages.count(one), one) for one in ("de", "en") if one in languages)
    languages = [one or (usual[0][1] if usual else "en") for one in languages]
    expected: dict[tuple[str, str], set[int]] = {}
    for (who, text), language in zip(written, languages, strict=True):
        for words in _candidates(text, language):
            expected.setdefault((language, words), set()).add(who)
    counted = {key: len(who) for key, who in expected.items() if len(who) >= 3}
    for (language, words), number in list(counted.items()):
        pairs = [one for one in counted if one[0] == language and " " in one[1] and words in one[1].split()]
        if " " not in words and any(len(expected[one]) >= number / 2 for one in pairs):
            del counted[language, words]
    found = themes_of(zip(people, texts, strict=False))
    assert found.writers == len({who for who, _text in written})
    shown = {(one.language, one.words): one.people for one in found.themes}
    assert len(found.themes) == min(8, len(counted))
    assert shown.items() <= counted.items()
    assert [one.people for one in found.themes] == sorted(counted.values(), reverse=True)[:8]
    for one in found.themes:
        assert 1 <= len(one.examples) <= 2
        for example in one.examples:
            assert one.words in _candidates(example, one.language)


def test_a_pair_stands_for_its_words_and_the_shortest_texts_for_it() -> None:
    said = [
        (1, "More case studies please!"), (2, "I would like case studies, and more of them."),
        (3, "The case studies were the best."), (4, "An odd case"), (4, "The sound was poor."), (5, "Poor sound"),
    ]  # fmt: skip
    assert themes_of(said) == Themes(
        5, (Theme("case studies", "en", 3, ("More case studies please!", "The case studies were the best.")),)
    )


def test_languages_are_counted_apart_and_other_scripts_not_at_all() -> None:
    said: list[Any] = [(n, "Die Folien waren zu klein.") for n in range(3)]
    said += [(n, "The audio was poor") for n in range(10, 13)] + [(20, "Les cas étaient bien choisis")]
    said += [(n, "बहुत अच्छा व्याख्यान") for n in range(30, 34)]
    found = themes_of(said)
    assert [(one.language, one.words) for one in found.themes] == [
        ("en", "audio"), ("de", "folien"), ("de", "klein"), ("en", "poor"),
    ]  # fmt: skip
    assert found.writers == 11


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_who_wrote_nothing_is_no_writer(text: str) -> None:
    assert themes_of([(1, text)] * 5) == Themes()


def test_an_apostrophe_of_a_telephone_is_one() -> None:
    assert themes_of([(n, "It wasn’t clear") for n in range(3)]).themes[0].words == "clear"


@pytest.mark.parametrize(
    "text",
    ["Slides to ana@clinic.example", "Slides: https://clinic.example/x", "Slides at www.clinic.example",
     "Slides at clinic.example please", "Slides? Call +44 20 7946 0958", "Slides? (020) 7946-0958"],
)  # fmt: skip
def test_an_address_or_a_number_is_not_quoted(text: str) -> None:
    said = [(1, text), (2, "All the slides, please, and the 12 cases of 2024 too"), (3, f"{text}!")]
    (theme,) = (one for one in themes_of(said).themes if one.words == "slides")
    assert (theme.people, theme.examples) == (3, (said[1][1],))


def test_who_is_named_is_asked_once_for_the_shortest_texts() -> None:
    said = [(n, f"Slides and cases {'again ' * n}") for n in range(20)]
    asked: list[set[str]] = []

    def naming(texts: Any) -> set[str]:
        asked.append(set(texts))
        return {" ".join(said[n][1].split()) for n in (0, 2)}

    found = themes_of(said, naming=naming)
    (texts,) = asked
    assert texts == {" ".join(text.split()) for _who, text in said[:12]}
    examples = {one.words: one.examples for one in found.themes}
    assert examples["slides"] == tuple(" ".join(said[n][1].split()) for n in (1, 3))
