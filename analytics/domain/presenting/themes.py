"""What free texts have in common: words and neighbouring pairs of words that several people wrote.

Nothing is learnt or guessed: whoever reads the texts and counts comes to the same numbers. Languages are told apart by
their small words (`stop_words.txt`), which are no theme themselves; outside the Latin script nothing is counted.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STOP_WORDS = Path(__file__).with_name("stop_words.txt")
LEAST_PEOPLE = 3
MOST_THEMES = 8
EXAMPLES = 2
SHORTEST_WORD = 3
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
SENTENCE_ENDS = re.compile(r"[.!?;:,()\n\"/…–—]+")


@dataclass(frozen=True, slots=True)
class Theme:
    """`words` are one or two, in small letters; `people` wrote them. `examples` are whole texts, the shortest ones."""

    words: str
    language: str
    people: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Themes:
    """Of all that `writers` wrote; the most frequent first."""

    writers: int = 0
    themes: tuple[Theme, ...] = ()


def themes_of(texts: Iterable[tuple[Hashable, str]]) -> Themes:
    """Of pairs of a person and a text. Each person counts once for a theme, however often they write it."""
    written = [(person, text) for person, text in texts if text.strip()]
    people: dict[tuple[str, str], set[Hashable]] = defaultdict(set)
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for language, (person, text) in zip(_languages(text for _person, text in written), written, strict=True):
        for words in set(_said(text, language)):
            people[language, words].add(person)
            where[language, words].append(text)
    counted = {key: len(found) for key, found in people.items() if len(found) >= LEAST_PEOPLE}
    kept = [key for key in counted if not _is_within(key, counted)]
    kept.sort(key=lambda key: (-counted[key], " " not in key[1], key[1], key[0]))
    themes = tuple(
        Theme(words, language, counted[language, words], _examples(where[language, words]))
        for language, words in kept[:MOST_THEMES]
    )
    return Themes(len({person for person, _text in written}), themes)


@cache
def stop_words() -> Mapping[str, frozenset[str]]:
    """By language."""
    parts = re.split(r"^\[(\w+)\]$", STOP_WORDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {language: frozenset(words.split()) for language, words in zip(parts[1::2], parts[2::2], strict=True)}


def _languages(texts: Iterable[str]) -> list[str]:
    """By the most of its small words; a text without any is taken to be in the language of the most others."""
    found = [_language_of(text) for text in texts]
    usual = Counter(one for one in found if one)
    fallback = min(usual, key=lambda one: (-usual[one], one), default="en")
    return [one or fallback for one in found]


def _language_of(text: str) -> str:
    words = WORD.findall(_plain(text))
    hits = {language: sum(word in stops for word in words) for language, stops in stop_words().items()}
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] else ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().replace("’", "'")


def _said(text: str, language: str) -> Iterator[str]:
    for sentence in SENTENCE_ENDS.split(_plain(text)):
        words = [word if _is_telling(word, language) else "" for word in WORD.findall(sentence)]
        for place, word in enumerate(words):
            if word:
                yield word
                if place and words[place - 1]:
                    yield f"{words[place - 1]} {word}"


def _is_telling(word: str, language: str) -> bool:
    is_latin = unicodedata.name(word[0], "").startswith("LATIN")
    return is_latin and len(word) >= SHORTEST_WORD and word not in stop_words()[language]


def _is_within(key: tuple[str, str], counted: Mapping[tuple[str, str], int]) -> bool:
    """Whether a word is mostly said in one pair, which tells more: at least half of its people wrote that."""
    language, words = key
    return " " not in words and any(
        other == language and words in pair.split(" ") and number * 2 >= counted[key]
        for (other, pair), number in counted.items()
        if " " in pair
    )


def _examples(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({" ".join(text.split()) for text in texts}, key=lambda text: (len(text), text))[:EXAMPLES])
