"""Aiken (docs.moodle.org: Aiken format): a question, its lettered answers, and a last line `ANSWER: B`.

It has single best answers in plain text and nothing else; a name is made of the question's first words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from django.utils.translation import gettext as _

from assessments.domain.formats.base import Format, Reading
from assessments.domain.formats.text import decoded
from assessments.enums import ItemKind
from assessments.items.base import Draft, ItemError
from assessments.items.exchange import RIGHT, Answer, Plain, exchange_of
from assessments.items.markup import as_html
from core.richtext import plain_text

_OPTION = re.compile(r"([A-Z])[.)]\s+(\S.*)\Z")
_ANSWER = re.compile(r"ANSWER:\s*(\S.*)\Z")


@dataclass(slots=True)
class _Question:
    line: int
    stem: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False


def read(data: bytes) -> Reading:
    """A question ends with its ANSWER line; a blank line ends one that has none."""
    reading, question = Reading(), None
    for number, raw in enumerate([*decoded(data).split("\n"), ""], start=1):
        line = raw.strip()
        if not line:
            if question is not None and question.options:
                _refuse(reading, question, _("It has no line “ANSWER: …” after its answers."))
                question = None
            continue
        question = question or _Question(number)
        if answer := _ANSWER.match(line):
            _finish(reading, question, answer[1].strip())
            question = None
        else:
            _add(question, line)
    if question is not None:
        _refuse(reading, question, _("It has no answers: write A. to D. in front of each, then “ANSWER: …”."))
    return reading


def _add(question: _Question, line: str) -> None:
    option = _OPTION.match(line)
    if option is None and not question.options:
        question.stem.append(line)
    elif option is None or option[1] in question.options or option[1] != ascii_uppercase[len(question.options)]:
        question.is_broken = True
        question.options.setdefault("A", "")
    else:
        question.options[option[1]] = option[2]


def _finish(reading: Reading, question: _Question, answer: str) -> None:
    if question.is_broken:
        return _refuse(reading, question, _("Write its answers below each other, lettered A., B., C. without a gap."))
    if answer not in question.options:
        return _refuse(reading, question, _("Its line “ANSWER: …” has to name one letter of its answers."))
    reading.take(lambda: _draft(question, answer), place=question.line)
    return None


def _refuse(reading: Reading, question: _Question, text: str) -> None:
    reading.refuse(text, place=question.line, name=" ".join(question.stem))


def _draft(question: _Question, answer: str) -> Draft:
    if not question.stem:
        raise ItemError(_("It has no question text."))
    answers = tuple(Answer(as_html(text), RIGHT * (name == answer)) for name, text in question.options.items())
    shown, key = exchange_of(ItemKind.SINGLE).from_plain(Plain("multichoice", answers, fields={"single": "true"}))
    return Draft(kind=ItemKind.SINGLE, name="", stem=as_html("\n".join(question.stem)), shown=shown, key=key)


def pack(drafts: Sequence[Draft]) -> bytes:
    return "\n\n".join(map(_question, drafts)).encode() + b"\n"


def _question(draft: Draft) -> str:
    plain = exchange_of(draft.kind).to_plain(shown=draft.shown, key=draft.key)
    answers = plain.answers if plain is not None else ()
    lines = [
        plain_text(draft.stem),
        *(f"{ascii_uppercase[n]}. {plain_text(one.text)}" for n, one in enumerate(answers)),
    ]
    right = next(ascii_uppercase[n] for n, one in enumerate(answers) if one.percent == RIGHT)
    return "\n".join([*lines, f"ANSWER: {right}"])


def can_carry(draft: Draft) -> bool:
    """A text that is empty without its HTML, or looks like an answer, would break the questions beside it."""
    if draft.kind != ItemKind.SINGLE:
        return False
    stem = plain_text(draft.stem)
    texts = [plain_text(one["text"]) for one in draft.shown["options"]]
    return bool(stem) and not _OPTION.match(stem) and not _ANSWER.match(stem) and all(texts)


AIKEN = Format("aiken", "Aiken", "txt", "text/plain", read, pack, can_carry)
