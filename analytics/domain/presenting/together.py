"""All lectures of one presenter together: who came and stayed, what was asked, voted on, known and thought."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connections

from analytics.domain.presenting.audience import Group, by_size
from analytics.domain.presenting.common import CommonCurve, common_curve_of
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.presenting.feedback import asking_about, means_by_dimension
from analytics.domain.presenting.items import ItemFigures, items_of
from analytics.domain.presenting.naming import naming
from analytics.domain.presenting.polls import PollFigures, latest_polls_of
from analytics.domain.presenting.questions import QuestionFigures, question_figures_of
from analytics.domain.presenting.themes import Themes, themes_of
from analytics.domain.presenting.there import THERE
from analytics.domain.presenting.written import texts_in
from assessments.enums import Dimension
from core.replica import reading
from webinars.models import Webinar

MOST_POLLS = 10
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

    `thought`: (dimension, mean of five) of what was asked. `polls`: the newest of `polls_asked`; `items`: all of them.
    """

    countries: tuple[Group, ...]
    specialties: tuple[Group, ...]
    devices: Devices
    questions: QuestionFigures
    thought: tuple[tuple[str, float], ...]
    curve: CommonCurve
    polls: tuple[PollFigures, ...]
    polls_asked: int
    items: tuple[ItemFigures, ...]
    themes: Themes


def together_of(webinars: Sequence[Webinar]) -> Together:
    """Fifteen queries at most, one or three for each lecture (its curve), and three for each poll that is shown."""
    keys, lessons = [one.pk for one in webinars], [one.lesson_id for one in webinars]
    programmes = {one.lesson.course.programme_id for one in webinars}
    countries, specialties = _groups(keys)
    evaluations = asking_about(lessons)
    means = means_by_dimension(evaluations)
    polls, polls_asked = latest_polls_of(keys, most=MOST_POLLS)
    return Together(
        countries=countries,
        specialties=specialties,
        devices=devices_of(keys),
        questions=question_figures_of(keys),
        thought=tuple((one, means[one]) for one in Dimension.values if one in means),
        curve=common_curve_of(webinars),
        polls=tuple(polls),
        polls_asked=polls_asked,
        items=tuple(items_of(lessons)),
        themes=themes_of(texts_in(evaluations), naming=partial(naming, programmes=programmes)),
    )


def _groups(webinars: Sequence[int]) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(_GROUPS, {"webinars": list(webinars)})
        rows = cursor.fetchall()
    return (
        by_size(Group(row[1], *row[3:]) for row in rows if not row[0]),
        by_size(Group(row[2], *row[3:]) for row in rows if row[0]),
    )
