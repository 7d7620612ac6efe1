"""Test questions that send doctors back to lectures: how many got them right."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from assessments.enums import Outcome
from assessments.models import Answer
from core.replica import reading

LEAST_ANSWERS = 5
_BLANK = Q(outcome=Outcome.BLANK)


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """`right_percent` is of the points of the attempts that count. `second`: where in the lecture the answer is."""

    lesson_id: int
    name: str
    second: int | None
    answers: int
    right_percent: float
    left_blank: int


def items_of(lessons: Collection[int]) -> list[ItemFigures]:
    """Of one lecture or several together, the hardest first. One query.

    Of questions with fewer than LEAST_ANSWERS answers nothing is said.
    """
    place = ("version__watch_lesson", "version__item__name", "version__watch_seconds")
    rows = (
        Answer.objects.using(reading())
        .filter(version__watch_lesson__in=lessons, attempt__counts=True, points__isnull=False)
        .values("version__item", *place)
        .annotate(answers=Count("pk"), right=Avg("share"), blank=Count("pk", filter=_BLANK))
        .filter(answers__gte=LEAST_ANSWERS)
        .order_by("right", "version__item__name", "version__item", *place)
        .values_list(*place, "answers", "right", "blank")
    )
    return [
        ItemFigures(lesson, name, second, answers, 100 * max(0.0, float(right)), blank)
        for lesson, name, second, answers, right, blank in rows
    ]
