"""What a provider may set for an activity within an authority's rules: a description for forms, and one validator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PERCENT, WHOLE, FLAG, CHOICE = "percent", "whole", "flag", "choice"


class ParameterError(ValueError):
    """`name` is which one, the text says what to do."""

    def __init__(self, text: str, *, name: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True, slots=True)
class Parameter:
    """`percent`: 0 to 100, two places (a text in JSON). `whole`: from `least` to `most`. `choices`: value and words."""

    name: str
    kind: str
    label: str | Promise
    default: Any
    help: str | Promise = ""
    least: int = 0
    most: int = 100
    choices: tuple[tuple[str, str | Promise], ...] = ()

    def read(self, raw: Any) -> Any:
        if raw is None or raw == "":
            return self.default
        if self.kind == FLAG:
            return self._flag(raw)
        if self.kind == CHOICE:
            return self._choice(raw)
        return self._number(raw)

    def _flag(self, raw: Any) -> bool:
        if not isinstance(raw, bool):
            raise ParameterError(_("Say yes or no."), name=self.name)
        return raw

    def _choice(self, raw: Any) -> str:
        if raw not in [value for value, _label in self.choices]:
            raise ParameterError(_("Choose one of the list."), name=self.name)
        return str(raw)

    def _number(self, raw: Any) -> Decimal | int:
        bounds = {"least": self.least, "most": self.most}
        try:
            number = Decimal(str(raw)) if not isinstance(raw, bool) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or not self.least <= number <= self.most:
            raise ParameterError(_("Give a number from %(least)d to %(most)d.") % bounds, name=self.name)
        if self.kind == WHOLE:
            if number != int(number):
                raise ParameterError(_("Give a whole number."), name=self.name)
            return int(number)
        if number != number.quantize(Decimal("0.01")):
            raise ParameterError(_("Give at most two decimal places."), name=self.name)
        return number


def clean(parameters: Sequence[Parameter], raw: Mapping[str, Any]) -> dict[str, Any]:
    """All of them, with their defaults. An unknown name is an error: no typing mistake changes a rule in silence."""
    known = {one.name for one in parameters}
    for name in raw:
        if name not in known:
            raise ParameterError(_("There is no such setting."), name=name)
    return {one.name: one.read(raw.get(one.name)) for one in parameters}


def least_percent(default: int) -> Parameter:
    return Parameter(
        "least_percent",
        PERCENT,
        gettext_lazy("Least share of the minutes"),
        Decimal(default),
        gettext_lazy("Percent of the minutes below which nothing is granted. Exactly this share is enough."),
    )


def pass_percent(default: int) -> Parameter:
    return Parameter(
        "pass_percent",
        PERCENT,
        gettext_lazy("Least result of the test"),
        Decimal(default),
        gettext_lazy("Percent. Yours to set: the authority names no number. Doctors are told before they begin."),
    )


def flag(name: str, label: str | Promise, *, default: bool, help: str | Promise = "") -> Parameter:  # noqa: A002
    return Parameter(name, FLAG, label, default, help)


NEEDS_TEST = flag(
    "needs_test",
    gettext_lazy("A passed test is needed"),
    default=False,
    help=gettext_lazy("Also where the authority does not ask for one."),
)
NEEDS_EVALUATION = flag(
    "needs_evaluation",
    gettext_lazy("A filled-in evaluation is needed"),
    default=False,
)
NEEDS_ACKNOWLEDGEMENT = flag(
    "needs_acknowledgement",
    gettext_lazy("The disclosures must be acknowledged before the start"),
    default=True,
)
