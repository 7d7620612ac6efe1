"""All lectures of one presenter together: who came, what on, what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connections

from analytics.domain.presenting.audience import Group, by_size
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.presenting.feedback import means_by_dimension
from analytics.domain.presenting.questions import QuestionFigures, question_figures_of
from analytics.domain.presenting.there import THERE
from assessments.enums import Dimension
from core.replica import reading
from webinars.models import Webinar

# A person counts once, in however many lectures they were; as a doctor of the programme of each.
_GROUPS = f"""
WITH {THERE}, people AS (
    SELECT t.user_id, bool_or(is_live) AS live, bool_or(is_recorded) AS recorded
    FROM there t JOIN courses_enrolment e ON e.user_id = t.user_id AND e.programme_id = t.programme_id
    GROUP BY t.user_id
)
SELECT grouping(u.country), u.country, u.specialty, count(*), count(*) FILTER (WHERE live),
    count(*) FILTER (WHERE recorded), count(*) FILTER (WHERE live AND recorded)
FROM people p JOIN accounts_user u ON u.id = p.user_id
GROUP BY GROUPING SETS ((u.country), (u.specialty))
"""  # noqa: S608  # put together from constants


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
        by_size(Group(row[1], *row[3:]) for row in rows if not row[0]),
        by_size(Group(row[2], *row[3:]) for row in rows if row[0]),
    )
