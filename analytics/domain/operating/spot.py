"""Doctors who asked at the door of a webinar on the day."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from core.replica import reading
from webinars.enums import SpotState
from webinars.models import SpotRequest

_WEBINAR = "window__webinar"
_LESSON = f"{_WEBINAR}__lesson"


@dataclass(frozen=True, slots=True)
class AtDoor:
    """Requests at one webinar, by what became of them."""

    webinar_id: int
    title: str
    states: Mapping[SpotState, int]

    @property
    def asked(self) -> int:
        return sum(self.states.values())


def spot_of(*, programme_id: int) -> tuple[AtDoor, ...]:
    """Only webinars at which somebody asked, in the order of the programme. One query."""
    asked = SpotRequest.objects.using(reading()).filter(**{f"{_LESSON}__course__programme": programme_id})
    order = (f"{_LESSON}__course__position", f"{_LESSON}__position", _WEBINAR)
    rows = asked.order_by(*order).values_list(_WEBINAR, f"{_LESSON}__title", "state").annotate(number=Count("pk"))
    found: dict[int, tuple[str, dict[str, int]]] = {}
    for webinar_id, title, state, number in rows:
        found.setdefault(webinar_id, (title, {}))[1][state] = number
    return tuple(
        AtDoor(webinar_id, title, {state: states.get(state.value, 0) for state in SpotState})
        for webinar_id, (title, states) in found.items()
    )


def of_all(lines: tuple[AtDoor, ...]) -> Mapping[SpotState, int]:
    """All webinars together."""
    return {state: sum(one.states[state] for one in lines) for state in SpotState}
