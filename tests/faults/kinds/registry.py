"""Every way in which the site is broken, by its name. A new one is a class with `@fault` in a file of this package."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from tests.faults.load import Load
    from tests.faults.replicas import Replicas


class DidNotBiteError(AssertionError):
    """The fault did not happen: a round that breaks nothing proves nothing."""


@dataclass
class Stage:
    """What a fault may use. `rng` is seeded: the same seed chooses the same replica, pause and clock."""

    site: "Replicas"
    load: "Load"
    rng: random.Random
    is_long: bool


class Fault(ABC):
    """`strike` breaks something and returns; `mend` ends it and returns when the site could be whole again.

    Both run in a thread of their own while the doctors go on. `touches` names what is broken: two faults at once never
    share any of it.
    """

    name: ClassVar[str]
    touches: ClassVar[frozenset[str]]
    lasts: ClassVar[tuple[float, float]]  # seconds between the two, in the long mode and in `script/test`

    def __init__(self, stage: Stage) -> None:
        self.stage, self.site, self.rng = stage, stage.site, stage.rng
        self.is_alone = True

    @property
    def seconds(self) -> float:
        return self.lasts[0 if self.stage.is_long else 1]

    @abstractmethod
    def strike(self) -> None: ...

    @abstractmethod
    def mend(self) -> None: ...


Kind = TypeVar("Kind", bound=type[Fault])
FAULTS: dict[str, type[Fault]] = {}


def fault(name: str, *, touches: str, lasts: tuple[float, float]) -> Callable[[Kind], Kind]:
    def enter(kind: Kind) -> Kind:
        kind.name, kind.touches, kind.lasts = name, frozenset(touches.split()), lasts
        if FAULTS.setdefault(name, kind) is not kind:
            raise ValueError(f"There are two faults called {name}.")
        return kind

    return enter
