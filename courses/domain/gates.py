"""What has to be read before a lesson starts: the hook from the lesson's page up to the apps that are built on it.

Such an app registers a function from `AppConfig.ready()`, and the pages of lessons lead to the address it gives first:

    gates.register(disclosures_before)

A gate is asked on every page of every doctor: one prepared query at most.
"""

from typing import Protocol

from accounts.models import User
from courses.models import Lesson


class Gate(Protocol):
    def __call__(self, *, lesson: Lesson, user: User, is_live: bool) -> str | None:
        """Where to go first, or nothing. `is_live`: the lesson is held now, and not its recording."""


_gates: list[Gate] = []


def register(gate: Gate) -> None:
    if gate not in _gates:
        _gates.append(gate)


def gate_of(*, lesson: Lesson, user: User, is_live: bool) -> str | None:
    return next((found for gate in _gates if (found := gate(lesson=lesson, user=user, is_live=is_live))), None)
