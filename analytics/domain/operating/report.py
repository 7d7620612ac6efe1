"""All that the page of one programme shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.domain.operating.activity import minutes_by_local_hour
from analytics.domain.operating.checks import checks_of
from analytics.domain.operating.funnel import Funnel, funnel_of
from analytics.domain.operating.inventory import Inventory, inventory_of
from analytics.domain.operating.lectures import lectures_of
from analytics.domain.operating.risk import risks_of
from analytics.domain.operating.spot import AtDoor, spot_of
from analytics.domain.presenting.overview import Line
from analytics.enums import DataCheck
from certification.enums import RiskReason
from courses.models import Programme


@dataclass(frozen=True, slots=True)
class ProgrammeReport:
    programme: Programme
    funnel: Funnel
    lectures: tuple[Line, ...]
    total: Line
    spot: tuple[AtDoor, ...]
    hours: Mapping[tuple[int, int], float | None]
    risks: Mapping[RiskReason, int]
    checks: Mapping[DataCheck, int]
    inventory: Inventory
    made_at: datetime

    @property
    def has_hours(self) -> bool:
        return any(self.hours.values())


def programme_report(programme: Programme, *, now: datetime) -> ProgrammeReport:
    lectures, total = lectures_of(programme_id=programme.pk)
    return ProgrammeReport(
        programme=programme,
        funnel=funnel_of(programme_id=programme.pk),
        lectures=lectures,
        total=total,
        spot=spot_of(programme_id=programme.pk),
        hours=minutes_by_local_hour(programme_id=programme.pk),
        risks=risks_of(programme, now=now),
        checks=checks_of(programme, now=now),
        inventory=inventory_of(programme, now=now),
        made_at=now,
    )
