"""Test questions that send doctors back to a lecture: how many got them right."""

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

    name: str
    second: int | None
    answers: int
    right_percent: float
    left_blank: int


def items_of(lesson_id: int) -> list[ItemFigures]:
    """One query; the hardest first. Of questions with fewer than LEAST_ANSWERS answers nothing is said."""
    rows = (
        Answer.objects.using(reading())
        .filter(version__watch_lesson=lesson_id, attempt__counts=True, points__isnull=False)
        .values("version__item", "version__item__name", "version__watch_seconds")
        .annotate(answers=Count("pk"), right=Avg("share"), blank=Count("pk", filter=_BLANK))
        .filter(answers__gte=LEAST_ANSWERS)
        .order_by("right", "version__item__name")
        .values_list("version__item__name", "version__watch_seconds", "answers", "right", "blank")
    )
    return [
        ItemFigures(name, second, answers, 100 * max(0.0, float(right)), blank)
        for name, second, answers, right, blank in rows
    ]
