"""All lectures of one presenter beside each other, and all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections

from accounts.models import User
from analytics.domain.presenting.feedback import means_by_lesson
from analytics.domain.presenting.questions import asked_in
from analytics.domain.presenting.there import THERE
from analytics.rules import presented_by
from core.replica import reading
from webinars.models import Webinar

# A person counts once for each lecture, and once for all of them. Only who has a place in the lecture's own programme.
_COUNTS = f"""
WITH {THERE}, people AS MATERIALIZED (
    SELECT t.webinar_id, t.user_id, bool_or(is_live) AS live, bool_or(is_recorded) AS recorded,
        coalesce(sum(seconds), 0) AS seconds
    FROM there t
    WHERE EXISTS (SELECT FROM courses_enrolment e WHERE e.user_id = t.user_id AND e.programme_id = t.programme_id)
    GROUP BY t.webinar_id, t.user_id
)
SELECT webinar_id, count(*), count(*) FILTER (WHERE live), count(*) FILTER (WHERE recorded), coalesce(sum(seconds), 0)
FROM people GROUP BY webinar_id
UNION ALL
SELECT NULL, count(DISTINCT user_id), count(DISTINCT user_id) FILTER (WHERE live),
    count(DISTINCT user_id) FILTER (WHERE recorded), coalesce(sum(seconds), 0)
FROM people
"""  # noqa: S608  # put together from constants


@dataclass(frozen=True, slots=True)
class Line:
    """Of one lecture, or (`webinar` None) of all. `mean` of five over all questions that five answered."""

    webinar: Webinar | None
    people: int = 0
    live: int = 0
    recorded: int = 0
    seconds: int = 0
    questions: int = 0
    mean: float | None = None

    @property
    def minutes(self) -> int:
        return self.seconds // 60


@dataclass(frozen=True, slots=True)
class Overview:
    lectures: tuple[Line, ...]
    total: Line


def overview_of(user: User) -> Overview:
    """Newest first: by its date, or the day it was made where it never had one. Six queries, however many lectures."""
    webinars = sorted(presented_by(user), key=lambda one: (one.starts_at or one.created_at, one.pk), reverse=True)
    counts = counts_of([one.pk for one in webinars])
    asked = asked_in([one.pk for one in webinars])
    means = means_by_lesson([one.lesson_id for one in webinars])
    lines = tuple(
        Line(one, *counts.get(one.pk, (0, 0, 0, 0)), asked.get(one.pk, 0), means.get(one.lesson_id)) for one in webinars
    )
    return Overview(lines, Line(None, *counts.get(None, (0, 0, 0, 0)), sum(asked.values())))


def counts_of(webinars: Sequence[int]) -> dict[int | None, tuple[int, int, int, int]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(_COUNTS, {"webinars": list(webinars)})
        return {row[0]: (row[1], row[2], row[3], int(row[4])) for row in cursor.fetchall()}
