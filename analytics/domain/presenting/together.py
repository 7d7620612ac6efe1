"""All lectures of one presenter together: who came, what on, what was asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connections

from analytics.domain.presenting.audience import Group
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.presenting.feedback import means_by_dimension
from analytics.domain.presenting.questions import QuestionFigures, question_figures_of
from assessments.enums import Dimension
from core.replica import reading
from webinars.models import Webinar

# A person counts once, in however many lectures they were; as a doctor of the programme of each.
_GROUPS = """
WITH there AS (
    SELECT w.webinar_id, w.user_id, w.phase = 'live' AS live
    FROM webinars_watchrecord w WHERE w.webinar_id = ANY (%(webinars)s) AND NOT isempty(w.coverage)
    UNION ALL
    SELECT v.webinar_id, v.user_id, true FROM webinars_visit v WHERE v.webinar_id = ANY (%(webinars)s)
), people AS (
    SELECT t.user_id, bool_or(live) AS live, bool_or(NOT live) AS recorded
    FROM there t
    JOIN webinars_webinar w ON w.id = t.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    JOIN courses_enrolment e ON e.user_id = t.user_id AND e.programme_id = c.programme_id
    GROUP BY t.user_id
)
SELECT grouping(u.country), u.country, u.specialty, count(*), count(*) FILTER (WHERE live),
    count(*) FILTER (WHERE recorded), count(*) FILTER (WHERE live AND recorded)
FROM people p JOIN accounts_user u ON u.id = p.user_id
GROUP BY GROUPING SETS ((u.country), (u.specialty))
"""


@dataclass(frozen=True, slots=True)
class Together:
    """`countries` and `specialties` have people, live, recorded and continued; the largest first.

    `thought`: (dimension, mean of five) of what was asked.
    """

    countries: tuple[Group, ...]
    specialties: tuple[Group, ...]
    devices: Devices
    questions: QuestionFigures
    thought: tuple[tuple[str, float], ...]


def together_of(webinars: Sequence[Webinar]) -> Together:
    """Six queries."""
    keys = [one.pk for one in webinars]
    countries, specialties = _groups(keys)
    means = means_by_dimension([one.lesson_id for one in webinars])
    thought = tuple((one, means[one]) for one in Dimension.values if one in means)
    return Together(countries, specialties, devices_of(keys), question_figures_of(keys), thought)


def _groups(webinars: Sequence[int]) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(_GROUPS, {"webinars": list(webinars)})
        rows = cursor.fetchall()
    return (
        _sorted(Group(row[1], *row[3:]) for row in rows if not row[0]),
        _sorted(Group(row[2], *row[3:]) for row in rows if row[0]),
    )


def _sorted(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda one: (-one.people, one.name)))
