"""What files make of items. Each kind's folder has an `exchange.py` whose `EXCHANGE` is one of these.

A conversion gives and takes `shown` and `key` without `rationale` and `references`, which every format handles itself.
Reading may give what the kind's `clean` refuses: it is always called afterwards.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import import_module
from string import ascii_lowercase
from typing import Any, ClassVar
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from assessments.enums import ItemKind
from assessments.items.base import ItemError, Json

Halves = tuple[Json, Json]
"""`shown` and `key`."""
RIGHT = Decimal(100)
LONGEST_NUMBER = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """`percent` of the points: 100 is right. Texts are HTML."""

    text: str
    percent: Decimal = Decimal(0)
    feedback: str = ""
    tolerance: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A question as Moodle's formats know it. `type` is Moodle's name of it, `fields` its plain settings.

    `pairs` are HTML on the left and a plain text on the right; a right one without a left one is only a distractor.
    """

    type: str
    answers: tuple[Answer, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    units: tuple[tuple[str, str], ...] = ()  # a unit's name and Moodle's multiplier of it
    zones: tuple[tuple[str, str], ...] = ()  # a drop zone's shape and coordinates


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a kind puts into a QTI item: declarations, the interactions of its body, its response processing."""

    declarations: Sequence[Element]
    body: Sequence[Element]
    processing: Element | None = None


@dataclass(frozen=True, slots=True)
class QtiBody:
    """A QTI item being read: names without namespaces. `declarations` by identifier."""

    declarations: Mapping[str, Element]
    interactions: Sequence[Element]
    processing: Element | None
    rubrics: Sequence[Element] = ()


class Exchange(ABC):
    """None from a `to_…`: the format has no such kind of question."""

    kind: ClassVar[ItemKind]

    def to_plain(self, *, shown: Json, key: Json) -> Plain | None:
        return None

    def from_plain(self, plain: Plain) -> Halves:
        raise ItemError(_("Questions of this kind cannot be read from this format."))

    def to_qti(self, *, shown: Json, key: Json) -> Interaction | None:
        return None

    def from_qti(self, body: QtiBody) -> Halves:
        raise ItemError(_("Questions of this kind cannot be read from this format."))

    @abstractmethod
    def to_cells(self, *, shown: Json, key: Json) -> dict[str, str]:
        """Columns of our own CSV."""

    @abstractmethod
    def from_cells(self, cells: Mapping[str, str]) -> Halves: ...


def exchange_of(kind: str) -> Exchange:
    found: Exchange = import_module(f"assessments.items.{ItemKind(kind).value}.exchange").EXCHANGE
    return found


def letters(number: int) -> list[str]:
    """Identifiers for what comes without: a to z, then a1 to z1, and so on."""
    return [ascii_lowercase[n % 26] + (str(n // 26) if n >= 26 else "") for n in range(number)]


def number_of(text: str, *, field: str = "") -> Decimal:
    """Finite, of a size that a database takes. Raises ItemError."""
    if len(text) > LONGEST_NUMBER:
        raise ItemError(_("“%(text)s” is not a number.") % {"text": text[:40]}, field=field)
    try:
        number = Decimal(
            text.strip().replace(",", ".", 1) if text.count(",") == 1 and "." not in text else text.strip()
        )
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 30 or len(number.as_tuple().digits) > 30:
        raise ItemError(_("“%(text)s” is not a number.") % {"text": text[:40]}, field=field)
    return number


def percent_text(percent: Decimal) -> str:
    """As Moodle writes shares: at most five decimals, no zeros at the end."""
    rounded = percent.quantize(Decimal("0.00001")).normalize()
    return f"{rounded:f}"


def share_of(percent: Decimal) -> str:
    """Percent as our shares of the points, to six places; what costs points is worth none here."""
    return f"{max(percent, Decimal(0)) / 100:.6f}".rstrip("0").rstrip(".")


def pairs_text(pairs: Mapping[str, str]) -> str:
    """`a=2; b=1`: what `pairs_in` reads."""
    return "; ".join(f"{name}={value}" for name, value in pairs.items())


def pairs_in(text: str) -> dict[str, str]:
    found = {}
    for piece in text.split(";"):
        name, _sign, value = piece.partition("=")
        if name.strip():
            found[name.strip()] = value.strip()
    return found


def option_cells(options: Sequence[Json], rationales: Mapping[str, Any]) -> dict[str, str]:
    cells = {f"option {one['id']}": str(one["text"]) for one in options}
    return cells | {f"why {name}": str(text) for name, text in rationales.items()}


def options_of_cells(cells: Mapping[str, str]) -> tuple[list[Json], Json]:
    """Options and their rationales; an option without a text is none."""
    options = [{"id": name[7:], "text": text} for name, text in cells.items() if name.startswith("option ") and text]
    why = {name[4:]: text for name, text in cells.items() if name.startswith("why ") and text}
    return options, why


def names_in(text: str) -> list[str]:
    """“A, c” and “a;c” and “a c”: identifiers as people list them."""
    return text.lower().replace(",", " ").replace(";", " ").split()
