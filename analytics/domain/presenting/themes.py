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
from itertools import chain
from pathlib import Path

STOP_WORDS = Path(__file__).with_name("stop_words.txt")
LEAST_PEOPLE = 3
MOST_THEMES = 8
EXAMPLES = 2
SHORTEST_WORD = 3
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
Sentences = list[list[str]]  # words in small letters
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
    written = [(person, text, _sentences(text)) for person, text in texts if text.strip()]
    people: dict[tuple[str, str], set[Hashable]] = defaultdict(set)
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    languages = _languages(sentences for _person, _text, sentences in written)
    for language, (person, text, sentences) in zip(languages, written, strict=True):
        for words in set(_said(sentences, language)):
            people[language, words].add(person)
            where[language, words].append(text)
    counted = {key: len(found) for key, found in people.items() if len(found) >= LEAST_PEOPLE}
    kept = [key for key in counted if not _is_within(key, counted)]
    kept.sort(key=lambda key: (-counted[key], " " not in key[1], key[1], key[0]))
    themes = tuple(
        Theme(words, language, counted[language, words], _examples(where[language, words]))
        for language, words in kept[:MOST_THEMES]
    )
    return Themes(len({person for person, _text, _sentences in written}), themes)


@cache
def stop_words() -> Mapping[str, frozenset[str]]:
    """By language."""
    parts = re.split(r"^\[(\w+)\]$", STOP_WORDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {language: frozenset(words.split()) for language, words in zip(parts[1::2], parts[2::2], strict=True)}


def _sentences(text: str) -> Sentences:
    plain = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return [WORD.findall(sentence) for sentence in SENTENCE_ENDS.split(plain)]


def _languages(texts: Iterable[Sentences]) -> list[str]:
    """By the most of its small words; a text without any is taken to be in the language of the most others."""
    found = [_language_of(sentences) for sentences in texts]
    usual = Counter(one for one in found if one)
    fallback = min(usual, key=lambda one: (-usual[one], one), default="en")
    return [one or fallback for one in found]


def _language_of(sentences: Sentences) -> str:
    words = list(chain.from_iterable(sentences))
    hits = {language: sum(map(stops.__contains__, words)) for language, stops in stop_words().items()}
    best = max(hits, key=lambda language: hits[language])
    return best if hits[best] else ""


def _said(sentences: Sentences, language: str) -> Iterator[str]:
    stops = stop_words()[language]
    for sentence in sentences:
        words = [word if word not in stops and _may_tell(word) else "" for word in sentence]
        for place, word in enumerate(words):
            if word:
                yield word
                if place and words[place - 1]:
                    yield f"{words[place - 1]} {word}"


def _may_tell(word: str) -> bool:
    return len(word) >= SHORTEST_WORD and _is_latin(word[0])


@cache
def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")


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
