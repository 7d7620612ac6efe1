"""What every kind of item can do. One folder a kind; nothing here or there reads the database or the clock.

An item has three JSON objects: `shown` (what doctors see), `key` (what is right, and why: hidden until the review
policy allows it) and an answer's `value`. Their shapes are each kind's own and written in its docstring. Identifiers of
options and the like are short texts (`a`, `b`, …), unique in their item and never changed, so that an order or an
answer that names them stays readable.

Of every key: `rationale` (HTML of `core.richtext`, why the right answer is right) and `references` (a list of texts).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from assessments.enums import ItemKind, Outcome

Json = dict[str, Any]
FULL, NONE = Decimal(1), Decimal(0)
SHARE_PLACES = Decimal("0.000001")


class ItemError(ValueError):
    """An author's item cannot be used as it is. `field` is where, the text says what to do."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class AnswerError(ValueError):
    """No answer to this item can look so; nothing was saved. The text, where there is one, says to a doctor why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one answer is worth: `share` of the item's points, to six places, from -1 to 1; none: a person says."""

    outcome: Outcome
    share: Decimal | None
    note: str = ""  # why a person has to look, for the marking desk

    @classmethod
    def of(cls, share: Decimal) -> "Mark":
        share = share.quantize(SHARE_PLACES)
        outcome = Outcome.RIGHT if share == FULL else Outcome.PARTLY if share > NONE else Outcome.WRONG
        return cls(outcome, share)

    @classmethod
    def waiting(cls, note: str, *, suggested: Decimal | None = None) -> "Mark":
        return cls(Outcome.WAITING, None if suggested is None else suggested.quantize(SHARE_PLACES), note)


BLANK = Mark(Outcome.BLANK, NONE)
GIVEN = Mark(Outcome.RIGHT, FULL)  # to everybody, because the question was at fault


@dataclass(frozen=True, slots=True)
class Category:
    """One thing that can be answered, for the distractor table: its identifier, words, and whether it is right."""

    name: str
    label: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a review: what stood there, whether this person chose it, whether it is right, and why (HTML)."""

    label: str
    chosen: str = ""
    right: str = ""
    is_right: bool | None = None
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of a rubric: its text and why (HTML), and the points it is worth there."""

    id: str
    text: str
    points: Decimal
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """One thing the key accepts, for who marks by hand: its share of the points, and how like it the answer is."""

    text: str
    share: Decimal
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An item outside of any bank, as formats read and write it. `parts` are a vignette's; `images` by their name."""

    kind: ItemKind
    name: str
    stem: str
    shown: Json
    key: Json
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    parts: tuple["Draft", ...] = ()
    images: Mapping[str, bytes] = field(default_factory=dict)


class ItemType(ABC):
    """A kind of item. Instances keep nothing."""

    kind: ClassVar[ItemKind]

    @abstractmethod
    def clean(self, *, shown: Json, key: Json) -> tuple[Json, Json]:
        """The author's objects, complete and normalised; nothing unknown is kept. Raises ItemError."""

    @abstractmethod
    def clean_answer(self, *, shown: Json, raw: Any) -> Json | None:
        """A doctor's answer, normalised: the same answer is the same object. None for an emptied one.

        `raw` is any JSON at all. Raises AnswerError.
        """

    @abstractmethod
    def read_form(self, *, shown: Json, data: Mapping[str, Sequence[str]]) -> Any:
        """The `raw` of a form without JavaScript: field names as in the kind's template, several values each."""

    @abstractmethod
    def mark(self, *, shown: Json, key: Json, value: Json, wrong_share: Decimal = NONE) -> Mark:
        """What a cleaned answer is worth. `wrong_share` is what a wrong answer of a kind with one choice costs."""

    @abstractmethod
    def rows(self, *, shown: Json, key: Json, value: Json | None) -> list[Row]:
        """The review, line by line, right answers and rationales included: only for who may see them."""

    def orderable(self, shown: Json) -> list[str]:
        """Identifiers that may be shuffled on a paper, in the author's order. None where the order has a meaning."""
        return []

    def view(self, *, shown: Json, order: Sequence[str], value: Json | None) -> Json:
        """What the kind's template (`assessments/items/<kind>.html`) and the API give a doctor. Never of the key."""
        return {"shown": shown, "order": list(order), "value": value}

    def describe(self, *, shown: Json, value: Json | None) -> str:
        """The answer in plain words, for lists, exports and the marking desk."""
        return ""

    def criteria(self, *, key: Json) -> list[Criterion]:
        """The rubric by which people mark it; none where there is none."""
        return []

    def guide(self, *, key: Json, value: Json) -> list[Guide]:
        """What the key accepts and how near the answer comes to it, for who marks what the key was unsure of."""
        return []

    def categories(self, *, shown: Json, key: Json) -> list[Category]:
        """For the distractor table; none where answers are free."""
        return []

    def chosen(self, *, shown: Json, value: Json) -> list[str]:
        """Names of the categories that this answer chose."""
        return []
