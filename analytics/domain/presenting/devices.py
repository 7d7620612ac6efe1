"""What the lecture was watched on, as far as players have told."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections

from analytics.enums import DeviceKind
from core.replica import reading

# Of doctors only: staff who try the player have no enrolment in its session. A viewing is one opening of the player;
# should its browser change its name on the way, it still counts once. Reports are many: only when they are one row for
# each player is it asked whose that is.
_DEVICES = """
WITH viewings AS (
    SELECT s.id FROM webinars_playsession s
    WHERE s.webinar_id = ANY (%(webinars)s) AND s.enrolment_id IS NOT NULL
), told AS (
    SELECT r.session_id, min(r.device) AS device FROM (
        SELECT webinar_id, session_id, device FROM analytics_playbackreport
        UNION ALL SELECT webinar_id, session_id, device FROM analytics_playersummary
    ) AS r
    WHERE r.webinar_id = ANY (%(webinars)s)
    GROUP BY r.session_id
)
SELECT '', count(*) FROM viewings
UNION ALL
SELECT device, count(*) FROM told WHERE session_id IN (SELECT id FROM viewings) GROUP BY device
"""


@dataclass(frozen=True, slots=True)
class Devices:
    """`viewings` were opened, of which `told` say what on. `kinds`: the most frequent first."""

    viewings: int
    kinds: tuple[tuple[DeviceKind, int], ...] = ()

    @property
    def told(self) -> int:
        return sum(number for _kind, number in self.kinds)


def devices_of(webinars: Sequence[int]) -> Devices:
    """Of one lecture or several together. One query."""
    with connections[reading()].cursor() as cursor:
        cursor.execute(_DEVICES, {"webinars": list(webinars)})
        rows = dict(cursor.fetchall())
    viewings = rows.pop("")
    kinds = [(DeviceKind(name), number) for name, number in rows.items()]
    return Devices(viewings, tuple(sorted(kinds, key=lambda one: (-one[1], one[0]))))
