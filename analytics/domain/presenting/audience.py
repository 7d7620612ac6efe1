"""Who came to a webinar, live and to the recording: counted in PostgreSQL, once a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections

from core.replica import reading

# Doctors of the programme only: staff who try the player are no audience. A person who went to a meeting elsewhere
# from here was there live as well. `stayed` has seen something of the last twentieth of the broadcast: nobody knows
# which one that is before it has ended.
_PEOPLE = """
WITH broadcast AS (
    SELECT coalesce(max(b.program_seconds), 0) AS seconds, max(w.ended_at) IS NOT NULL AS is_over
    FROM webinars_webinar w LEFT JOIN webinars_broadcast b ON b.webinar_id = w.id AND NOT b.is_rehearsal
    WHERE w.id = %(webinar)s
), ending AS (
    SELECT is_over AND seconds > 0 AS is_known,
        CASE WHEN seconds > 0 THEN int4multirange(int4range(floor(seconds * 0.95)::int4, ceil(seconds)::int4 + 1))
        ELSE '{}'::int4multirange END AS part,
        CASE WHEN seconds > 0 THEN int4multirange(int4range(0, ceil(seconds)::int4)) END AS whole
    FROM broadcast
), there AS (
    SELECT w.user_id, w.phase = 'live' AS is_live, w.phase = 'on_demand' AS is_recorded,
        CASE WHEN w.phase = 'live' AND e.whole IS NOT NULL THEN (
            SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(w.coverage * e.whole) AS r
        ) ELSE w.seen_seconds END AS seconds,
        w.phase = 'live' AND w.coverage && e.part AS stayed
    FROM webinars_watchrecord w CROSS JOIN ending e
    WHERE w.webinar_id = %(webinar)s AND NOT isempty(w.coverage)
    UNION ALL
    SELECT v.user_id, true, false, coalesce((SELECT sum(upper(r) - lower(r)) FROM unnest(v.there) AS r), 0), false
    FROM (
        SELECT user_id, range_agg(int8range(floor(extract(epoch FROM joined_at))::int8,
            floor(extract(epoch FROM greatest(joined_at, coalesce(left_at, seen_at))))::int8)) AS there
        FROM webinars_visit WHERE webinar_id = %(webinar)s GROUP BY user_id
    ) v
), people AS MATERIALIZED (
    SELECT t.user_id, u.country, u.specialty, bool_or(is_live) AS live, bool_or(is_recorded) AS recorded,
        coalesce(sum(seconds) FILTER (WHERE is_live), 0) AS live_seconds,
        coalesce(sum(seconds) FILTER (WHERE is_recorded), 0) AS recorded_seconds, bool_or(stayed) AS stayed
    FROM there t JOIN accounts_user u ON u.id = t.user_id
    WHERE EXISTS (SELECT FROM courses_enrolment e WHERE e.user_id = t.user_id AND e.programme_id = %(programme)s)
    GROUP BY t.user_id, u.country, u.specialty
)
SELECT grouping(country), grouping(specialty), country, specialty, count(*), count(*) FILTER (WHERE live),
    count(*) FILTER (WHERE recorded), count(*) FILTER (WHERE live AND recorded),
    CASE WHEN (SELECT is_known FROM ending) THEN count(*) FILTER (WHERE stayed) END,
    coalesce(sum(live_seconds), 0), coalesce(sum(recorded_seconds), 0)
FROM people GROUP BY GROUPING SETS ((), (country), (specialty))
"""


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
        cursor.execute(_PEOPLE, {"webinar": webinar_id, "programme": programme_id})
        rows = cursor.fetchall()
    total = next((_group("", row) for row in rows if row[0] and row[1]), Group())
    return Audience(
        total=total,
        countries=_sorted(_group(row[2] or "", row) for row in rows if not row[0]),
        specialties=_sorted(_group(row[3] or "", row) for row in rows if not row[1]),
    )


def _group(name: str, row: Sequence[Any]) -> Group:
    people, live, recorded, continued, stayed, live_seconds, recorded_seconds = row[4:]
    return Group(name, people, live, recorded, continued, stayed, int(live_seconds), int(recorded_seconds))


def _sorted(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda one: (-one.people, one.name)))
