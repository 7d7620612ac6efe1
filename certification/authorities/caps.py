"""What may be granted at most: in a day, for an event, in a year, in a cycle, online."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from certification.authorities.base import NOTHING, Granted
from certification.authorities.cycles import Window


@dataclass(frozen=True, slots=True)
class Cap:
    """`code` is that of the step and the reason in `words`. What is not named here does not matter to the cap."""

    code: str
    most: Decimal
    within: Window | None = None
    event: str = ""
    format: str = ""
    only_online: bool = False

    def counts(self, one: Granted) -> bool:
        return (
            (self.within is None or one.on in self.within)
            and (not self.event or one.event == self.event)
            and (not self.format or one.format == self.format)
            and (not self.only_online or one.is_online)
        )

    def used(self, granted: Iterable[Granted]) -> Decimal:
        return sum((one.credit for one in granted if self.counts(one)), NOTHING)
