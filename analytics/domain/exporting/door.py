"""Of a programme: how many asked at the doors of its webinars on the day. Nothing here names a doctor."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from analytics.domain.exporting.datasets import NUMBER, TEXT, Column, Dataset, Key, Row, Scope, Source, cut
from analytics.domain.operating.spot import AtDoor, spot_of
from webinars.enums import SpotState


def _door(source: Source, after: Key, limit: int | None) -> Iterator[Row]:
    lines = sorted(spot_of(programme_id=source.programme.pk), key=lambda one: one.webinar_id)
    return cut([_line(one) for one in lines], after, limit)


def _line(one: AtDoor) -> Row:
    pending, approved, denied = (
        one.states[state] for state in (SpotState.PENDING, SpotState.APPROVED, SpotState.DENIED)
    )
    return one.webinar_id, one.title, one.asked, pending, approved, denied


DOOR = Dataset(
    key="door",
    scope=Scope.PROGRAMME,
    title=_("Spot registrations"),
    about=_("A row for every webinar at whose door doctors without an invitation asked to be let in."),
    key_columns=1,
    read=_door,
    columns=(
        Column("webinar", NUMBER, _("The number of the webinar, as in its address.")),
        Column("title", TEXT, _("The title of the webinar.")),
        Column("asked", NUMBER, _("Requests to be let in; an address counts once for each time the door was opened.")),
        Column("waiting", NUMBER, _("Of them, those that nobody has decided about.")),
        Column("let_in", NUMBER, _("Of them, those that were let in.")),
        Column("not_let_in", NUMBER, _("Of them, those that were turned away.")),
    ),
)
