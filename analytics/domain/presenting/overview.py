"""All lectures of one presenter beside each other, and all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections
from django.db.models import Count, Q

from accounts.models import User
from analytics.domain.presenting.feedback import means_by_lesson
from analytics.rules import presented_by
from core.replica import reading
from webinars.enums import QuestionState
from webinars.models import Question, Webinar

# A person counts once for each lecture, and once for all of them. Doctors of the lecture's own programme only.
_COUNTS = """
WITH there AS (
    SELECT w.webinar_id, w.user_id, w.phase = 'live' AS live, w.phase = 'on_demand' AS recorded,
        w.seen_seconds AS seconds
    FROM webinars_watchrecord w WHERE w.webinar_id = ANY (%(webinars)s) AND NOT isempty(w.coverage)
    UNION ALL
    SELECT DISTINCT v.webinar_id, v.user_id, true, false, 0
    FROM webinars_visit v WHERE v.webinar_id = ANY (%(webinars)s)
), people AS MATERIALIZED (
    SELECT t.webinar_id, t.user_id, bool_or(live) AS live, bool_or(recorded) AS recorded, sum(seconds) AS seconds
    FROM there t
    JOIN webinars_webinar w ON w.id = t.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE EXISTS (SELECT FROM courses_enrolment e WHERE e.user_id = t.user_id AND e.programme_id = c.programme_id)
    GROUP BY t.webinar_id, t.user_id
)
SELECT webinar_id, count(*), count(*) FILTER (WHERE live), count(*) FILTER (WHERE recorded), coalesce(sum(seconds), 0)
FROM people GROUP BY webinar_id
UNION ALL
SELECT NULL, count(DISTINCT user_id), count(DISTINCT user_id) FILTER (WHERE live),
    count(DISTINCT user_id) FILTER (WHERE recorded), coalesce(sum(seconds), 0)
FROM people
"""


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
    asked = _asked([one.pk for one in webinars])
    means = means_by_lesson([one.lesson_id for one in webinars])
    lines = tuple(
        Line(one, *counts.get(one.pk, (0, 0, 0, 0)), asked.get(one.pk, 0), means.get(one.lesson_id)) for one in webinars
    )
    return Overview(lines, Line(None, *counts.get(None, (0, 0, 0, 0)), sum(asked.values())))


def counts_of(webinars: Sequence[int]) -> dict[int | None, tuple[int, int, int, int]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(_COUNTS, {"webinars": list(webinars)})
        return {row[0]: (row[1], row[2], row[3], int(row[4])) for row in cursor.fetchall()}


def _asked(webinars: Sequence[int]) -> dict[int, int]:
    counted = Q(merged_into=None) & ~Q(state=QuestionState.DISMISSED)
    rows = Question.objects.using(reading()).filter(counted, webinar__in=list(webinars)).values_list("webinar")
    return dict(rows.annotate(asked=Count("pk")).order_by())
