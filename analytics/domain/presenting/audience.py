"""Who came to a webinar, live and to the recording: counted in PostgreSQL, once a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from analytics.domain.presenting.there import THERE
from core.replica import reading

# Only who has a place in the programme: staff without one who try the player are no audience. `stayed` has seen
# something of the last twentieth of the broadcast: nobody knows which one that is before it has ended.
_PEOPLE = f"""
WITH {THERE}, people AS MATERIALIZED (
    SELECT t.user_id, u.country, u.specialty, bool_or(is_live) AS live, bool_or(is_recorded) AS recorded,
        coalesce(sum(seconds) FILTER (WHERE is_live), 0) AS live_seconds,
        coalesce(sum(seconds) FILTER (WHERE is_recorded), 0) AS recorded_seconds, bool_or(stayed) AS stayed
    FROM there t JOIN accounts_user u ON u.id = t.user_id
    WHERE EXISTS (SELECT FROM courses_enrolment e WHERE e.user_id = t.user_id AND e.programme_id = %(programme)s)
    GROUP BY t.user_id, u.country, u.specialty
)
SELECT grouping(country), grouping(specialty), country, specialty, count(*), count(*) FILTER (WHERE live),
    count(*) FILTER (WHERE recorded), count(*) FILTER (WHERE live AND recorded),
    CASE WHEN (SELECT has_ending FROM shown) THEN count(*) FILTER (WHERE stayed) END,
    coalesce(sum(live_seconds), 0), coalesce(sum(recorded_seconds), 0)
FROM people GROUP BY GROUPING SETS ((), (country), (specialty))
"""  # noqa: S608  # put together from constants


@dataclass(frozen=True, slots=True)
class Group:
    """`name` is empty where it is not known. Live and recorded overlap: `continued` did both. `stayed` is None until
    the broadcast has ended, and where there was none here."""

    name: str = ""
    people: int = 0
    live: int = 0
    recorded: int = 0
    continued: int = 0
    stayed: int | None = None
    live_seconds: int = 0
    recorded_seconds: int = 0

    @property
    def minutes(self) -> int:
        """Of all together; what was watched live and again in the recording counts in both."""
        return (self.live_seconds + self.recorded_seconds) // 60

    @property
    def stayed_percent(self) -> float | None:
        """Of those who came live."""
        return 100 * self.stayed / self.live if self.live and self.stayed is not None else None

    @property
    def average_live_minutes(self) -> float | None:
        return self.live_seconds / 60 / self.live if self.live else None


@dataclass(frozen=True, slots=True)
class Audience:
    total: Group
    countries: tuple[Group, ...]
    specialties: tuple[Group, ...]


def audience_of(*, webinar_id: int, programme_id: int) -> Audience:
    """One query. Groups in order of their size, then of their name."""
    with connections[reading()].cursor() as cursor:
        cursor.execute(_PEOPLE, {"webinars": [webinar_id], "programme": programme_id})
        rows = cursor.fetchall()
    total = next((_group("", row) for row in rows if row[0] and row[1]), Group())
    return Audience(
        total=total,
        countries=by_size(_group(row[2] or "", row) for row in rows if not row[0]),
        specialties=by_size(_group(row[3] or "", row) for row in rows if not row[1]),
    )


def _group(name: str, row: Sequence[Any]) -> Group:
    people, live, recorded, continued, stayed, live_seconds, recorded_seconds = row[4:]
    return Group(name, people, live, recorded, continued, stayed, int(live_seconds), int(recorded_seconds))


def by_size(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The largest first, then by name."""
    return tuple(sorted(groups, key=lambda one: (-one.people, one.name)))
