"""What a feedback form shows and what may be answered, by kind of question: the same for the page and the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from assessments.enums import CHOICE_KINDS, QuestionKind
from assessments.models import EvaluationQuestion
from assessments.models.evaluation import LONGEST_TEXT

LIKERT = range(1, 6)
STARS = range(1, 6)
NPS = range(11)


@dataclass(frozen=True, slots=True)
class Option:
    """`value` is what is sent; for choices it is their place in the list, from 0."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Given:
    number: int | None = None
    chosen: tuple[int, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One question as a page shows it, with what was filled in and what was wrong with it."""

    question: EvaluationQuestion
    number: int
    options: tuple[Option, ...]
    checked: frozenset[str] = frozenset()
    text: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return name_of(self.question)

    @property
    def rows(self) -> list[tuple[Option, bool]]:
        return [(option, str(option.value) in self.checked) for option in self.options]


def name_of(question: EvaluationQuestion) -> str:
    return f"q{question.pk}"


def options_of(question: EvaluationQuestion) -> tuple[Option, ...]:
    """Empty for free text."""
    if question.kind == QuestionKind.LIKERT:
        words = (
            _("Strongly disagree"), _("Disagree"), _("Neither agree nor disagree"), _("Agree"), _("Strongly agree"),
        )  # fmt: skip
        return tuple(Option(value, words[value - 1]) for value in LIKERT)
    if question.kind == QuestionKind.STARS:
        words = (_("1 star"), _("2 stars"), _("3 stars"), _("4 stars"), _("5 stars"))
        return tuple(Option(value, words[value - 1]) for value in STARS)
    if question.kind == QuestionKind.NPS:
        return tuple(Option(value, str(value)) for value in NPS)
    return tuple(Option(value, label) for value, label in enumerate(question.choices))


def fields_of(
    *,
    questions: Sequence[EvaluationQuestion],
    posted: Mapping[int, Sequence[str]] | None = None,
    errors: Mapping[int, str] | None = None,
) -> list[Field]:
    """`posted` are the texts a browser sent, whatever they are: a wrong one is simply not checked."""
    made = []
    for number, question in enumerate(questions, start=1):
        sent = (posted or {}).get(question.pk, ())
        made.append(
            Field(
                question=question,
                number=number,
                options=options_of(question),
                checked=frozenset(sent),
                text=sent[-1] if sent and question.kind == QuestionKind.TEXT else "",
                error=(errors or {}).get(question.pk, ""),
            )
        )
    return made


def read_posted(*, questions: Sequence[EvaluationQuestion], posted: Mapping[int, Sequence[str]]) -> dict[int, Any]:
    """A browser's texts as the values the API takes."""
    found: dict[int, Any] = {}
    for question in questions:
        sent = posted.get(question.pk, ())
        if question.kind == QuestionKind.TEXT:
            found[question.pk] = sent[-1] if sent else ""
        elif question.kind == QuestionKind.SEVERAL:
            found[question.pk] = [_number(text) for text in sent]
        else:
            found[question.pk] = _number(sent[-1]) if sent else None
    return found


def _number(text: str) -> int:
    """-1 for what is none: no question has such an answer."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1


def read_answers(
    *, questions: Sequence[EvaluationQuestion], given: Mapping[int, Any]
) -> tuple[dict[int, Given], dict[int, str]]:
    """What may be stored, and what is wrong, by question id. Optional questions that were left out are in neither."""
    found: dict[int, Given] = {}
    errors: dict[int, str] = {}
    for question in questions:
        raw = given.get(question.pk)
        if raw is None or raw == [] or (isinstance(raw, str) and not raw.strip()):
            if question.is_required:
                errors[question.pk] = _("Please answer this question.")
            continue
        one = _read(question, raw)
        if isinstance(one, str):
            errors[question.pk] = one
        else:
            found[question.pk] = one
    for unknown in given.keys() - {question.pk for question in questions}:
        errors[unknown] = _("There is no such question in this form.")
    return found, errors


def _read(question: EvaluationQuestion, raw: Any) -> Given | str:
    """The answer, or what is wrong with it."""
    if question.kind == QuestionKind.TEXT:
        return _read_text(raw)
    allowed = {option.value for option in options_of(question)}
    if question.kind == QuestionKind.SEVERAL:
        if not isinstance(raw, list) or not all(_is_whole(one) and one in allowed for one in raw):
            return _("Please choose from the list.")
        return Given(chosen=tuple(sorted(set(raw))))
    if not _is_whole(raw) or raw not in allowed:
        return _("Please choose one of the answers shown.")
    return Given(number=raw)


def _read_text(raw: Any) -> Given | str:
    if not isinstance(raw, str) or "\x00" in raw:
        return _("This text cannot be read.")
    text = raw.replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        return _("Please write no more than %(number)d characters.") % {"number": LONGEST_TEXT}
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, which JSON can carry and no database keeps
        return _("This text cannot be read.")
    return Given(text=text)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def takes_choices(kind: str) -> bool:
    return kind in CHOICE_KINDS
