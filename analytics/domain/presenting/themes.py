"""What free texts have in common: words and neighbouring pairs of words that several people wrote.

Nothing is learnt or guessed: whoever reads the texts and counts comes to the same numbers. Languages are told apart by
their small words (`stop_words.txt`), which are no theme themselves; outside the Latin script nothing is counted.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path

from analytics.domain.presenting.naming import has_contact

STOP_WORDS = Path(__file__).with_name("stop_words.txt")
LEAST_PEOPLE = 3
MOST_THEMES = 8
EXAMPLES = 2
CANDIDATES = 12
SHORTEST_WORD = 3
# Words, and by themselves the signs between which neighbours are none.
WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|[.!?;:,()\n\"/…–—]")
Words = list[str]  # in small letters


@dataclass(frozen=True, slots=True)
class Theme:
    """`words` are one or two, in small letters; `people` wrote them. `examples` are whole texts, the shortest ones of
    those that may be quoted: perhaps none.
    """

    words: str
    language: str
    people: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Themes:
    """Of all that `writers` wrote; the most frequent first."""

    writers: int = 0
    themes: tuple[Theme, ...] = ()


def themes_of(
    texts: Iterable[tuple[Hashable, str]], *, naming: Callable[[Collection[str]], Collection[str]] | None = None
) -> Themes:
    """Of pairs of a person and a text. Each person counts once for a theme, however often they write it.

    `naming` says which of some texts name somebody (`naming.naming`, for the programmes they come from); it is asked
    once, for the few that might be examples. Those are not quoted, nor is any with an address or a number in it.
    """
    written = [(person, text) for person, text in texts if text.strip()]
    said = [_words(text) for _person, text in written]
    numbers: dict[Hashable, int] = {}  # the keys of rows are slow to count by
    writers = [numbers.setdefault(person, len(numbers)) for person, _text in written]
    where: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, language in enumerate(_languages(said)):
        for words in set(_said(said[place], language)):
            where[language, words].append(place)
    people = {key: len({writers[place] for place in places}) for key, places in where.items()}
    counted = {key: number for key, number in people.items() if number >= LEAST_PEOPLE}
    kept = [key for key in counted if not _is_within(key, counted)]
    kept.sort(key=lambda key: (-counted[key], " " not in key[1], key[1], key[0]))
    shortest = {key: _shortest(written[place][1] for place in where[key]) for key in kept[:MOST_THEMES]}
    named = naming(set(chain.from_iterable(shortest.values()))) if naming and shortest else ()
    themes = tuple(
        Theme(words, language, counted[language, words], _examples(found, named))
        for (language, words), found in shortest.items()
    )
    return Themes(len(numbers), themes)


@cache
def stop_words() -> Mapping[str, frozenset[str]]:
    """By language."""
    parts = re.split(r"^\[(\w+)\]$", STOP_WORDS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {language: frozenset(words.split()) for language, words in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def _languages_of_small_words() -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for language, words in stop_words().items():
        for word in words:
            found[word].append(language)
    return dict(found)


def _words(text: str) -> Words:
    return WORD.findall(unicodedata.normalize("NFC", text).casefold().replace("’", "'"))


def _languages(texts: Iterable[Words]) -> list[str]:
    """By the most of its small words; a text without any is taken to be in the language of the most others."""
    found = [_language_of(words) for words in texts]
    usual = Counter(one for one in found if one)
    fallback = min(usual, key=lambda one: (-usual[one], one), default="en")
    return [one or fallback for one in found]


def _language_of(words: Words) -> str:
    known = _languages_of_small_words()
    hits: dict[str, int] = {}
    for word in words:
        for language in known.get(word, ()):
            hits[language] = hits.get(language, 0) + 1
    return max(stop_words(), key=lambda language: hits.get(language, 0)) if hits else ""


def _said(words: Words, language: str) -> Iterator[str]:
    stops = stop_words()[language]
    before = ""
    for word in words:
        telling = word if word not in stops and len(word) >= SHORTEST_WORD and _is_latin(word[0]) else ""
        if telling:
            yield telling
            if before:
                yield f"{before} {telling}"
        before = telling


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


def _shortest(texts: Iterable[str]) -> list[str]:
    """Enough of them that two are left where others name somebody."""
    plain = {" ".join(text.split()) for text in texts}
    may_be = (text for text in sorted(plain, key=lambda text: (len(text), text)) if not has_contact(text))
    return list(islice(may_be, CANDIDATES))


def _examples(texts: Iterable[str], named: Collection[str]) -> tuple[str, ...]:
    return tuple(islice((text for text in texts if text not in named), EXAMPLES))
