"""What the form of every kind of question has in common. One file a kind beside this one.

A kind's form knows how its `shown` and `key` become fields and rows (`write`), how these become `shown` and `key` again
(`read`), and which answers show best how it is marked (`tries`). What is right is checked by the kind itself
(`assessments.items`), which is always asked afterwards: nothing is required here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from assessments.enums import ItemKind
from assessments.forms.writing.fields import OneOfRows, TypedField
from assessments.items.base import Json
from core.richtext import as_typed

Rows = Mapping[str, Sequence[Json]]
MORE = _("More rows")


class RowForm(forms.Form):
    """One row of a table. `name` is the identifier it has in the question; a row with nothing typed in is no row."""

    typed: ClassVar[tuple[str, ...]] = ("text", "why")
    has_letter: ClassVar[bool] = False
    """Whether other rows name it by its identifier: it is shown as a letter then, and otherwise its number."""
    name = forms.CharField(required=False, max_length=8, widget=forms.HiddenInput)
    place = forms.IntegerField(required=False, label=_("Place"), min_value=0, max_value=999)
    gone = forms.BooleanField(required=False, label=_("Remove"))

    @property
    def index(self) -> int:
        return int(str(self.prefix).rpartition("-")[2])

    @property
    def letter(self) -> str:
        return str(self["name"].value() or "").upper() if self.has_letter else ""

    @property
    def body(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name not in ("name", "place", "gone")]


class OptionRow(RowForm):
    """Of which several may be right."""

    text = TypedField(label=_("Answer"), rows=2)
    right = forms.BooleanField(required=False, label=_("Right"))
    why = TypedField(label=_("Why it is right or wrong"), rows=2)


class OneRightRow(OptionRow):
    right = forms.BooleanField(required=False, label=_("Right"), widget=OneOfRows)


class TextRow(RowForm):
    text = TypedField(label=_("Text"), rows=2)


@dataclass(frozen=True, slots=True)
class TableOf:
    """A list of rows with spare ones at its end. `new` are the rows of a question that is begun."""

    name: str
    label: Any
    row: type[RowForm]
    help: Any = ""
    add: Any = MORE
    spare: int = 1
    new: int = 4
    most: int = 26
    is_ordered: bool = True


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the fields and rows: as a form shows it."""

    details: Json = field(default_factory=dict)
    rows: dict[str, list[Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Try:
    """An answer that shows how a question is marked."""

    label: Any
    value: Json


class NoDetails(forms.Form):
    """A kind without fields of its own."""


class KindForm(ABC):
    kind: ClassVar[ItemKind]
    details: ClassVar[type[forms.Form]] = NoDetails
    tables: ClassVar[tuple[TableOf, ...]] = ()
    fields_of_errors: ClassVar[Mapping[str, str]] = {"right": "options"}
    """Where an error of the kind is shown, if no field and no table has its name."""

    @abstractmethod
    def write(self, *, shown: Json, key: Json) -> Filled: ...

    @abstractmethod
    def read(self, *, details: Json, rows: Rows) -> tuple[Json, Json]:
        """Without pictures, rationale and references, which every question has. Complete enough to be looked at."""

    def tries(self, *, shown: Json, key: Json) -> list[Try]:
        """The right answer first."""
        return []

    def can_be_shown(self, shown: Json) -> bool:
        """Whether enough is there to show the question to somebody."""
        return True


# Rows of several kinds


def rows_of(options: Sequence[Json], key: Json, *, right: Sequence[str] = ()) -> list[Json]:
    why = key.get("rationales", {})
    return [
        {
            "name": one["id"],
            "text": as_typed(one["text"]),
            "right": one["id"] in right,
            "why": as_typed(why.get(one["id"], "")),
        }
        for one in options
    ]


def options_in(rows: Sequence[Json]) -> list[Json]:
    return [{"id": row["name"], "text": row["text"]} for row in rows]


def reasons_in(rows: Sequence[Json]) -> Json:
    return {row["name"]: row["why"] for row in rows if row.get("why")}


def percent_in(text: str) -> str:
    """A share of the points from the percent that an author wrote; what is no number is left for the kind to refuse."""
    try:
        return format(Decimal(number_in(text) or "100") / 100, "f")
    except InvalidOperation:
        return text


def percent_of(share: str) -> str:
    return format((Decimal(share) * 100).normalize(), "f")


def number_in(text: str) -> str:
    """With a point, as the kinds read it."""
    return text.strip().replace(" ", "").replace("\xa0", "").replace(",", ".").replace("−", "-")
