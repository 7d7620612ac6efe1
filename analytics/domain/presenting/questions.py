"""What was asked in a webinar, how much of it was answered, and how soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, F, QuerySet

from core.replica import reading
from webinars.enums import Phase, QuestionState
from webinars.models import Question


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """Questions that were merged count where they went; those put aside count as asked, and not as waiting.

    `answer_seconds` is the median from asking to the first answer, of those answered; None while there is none.
    """

    asked: int = 0
    answered: int = 0
    set_aside: int = 0
    askers: int = 0
    asked_live: int = 0
    answer_seconds: float | None = None

    @property
    def waiting(self) -> int:
        return self.asked - self.answered - self.set_aside

    @property
    def answered_percent(self) -> float | None:
        """Of those that were to be answered."""
        due = self.asked - self.set_aside
        return 100 * self.answered / due if due else None


@dataclass(frozen=True, slots=True)
class Asked:
    """When a question stood in the broadcast (`is_live`, program time) or in the recording as it was shown then."""

    seconds: float
    is_live: bool
    at: datetime


def _counted(webinars: Sequence[int]) -> QuerySet[Question]:
    return Question.objects.using(reading()).filter(webinar__in=webinars, merged_into=None)


def asked_in(webinars: Sequence[int]) -> dict[int, int]:
    """How many, by webinar, of those that have any. One query."""
    return dict(_counted(webinars).values_list("webinar").annotate(asked=Count("pk")).order_by())


def questions_of(webinar_id: int) -> tuple[QuestionFigures, list[Asked]]:
    """One query."""
    rows = _rows([webinar_id])
    asked = [Asked(row[3], row[1] == Phase.LIVE, row[5]) for row in rows if row[3] is not None]
    return _figures(rows), asked


def question_figures_of(webinars: Sequence[int]) -> QuestionFigures:
    """Of several together; who asked in two of them counts once. One query."""
    return _figures(_rows(webinars))


def _rows(webinars: Sequence[int]) -> list[Any]:
    return list(
        _counted(webinars)
        .annotate(took=F("answered_at") - F("asked_at"))
        .values_list("state", "phase", "author_id", "asked_seconds", "took", "asked_at")
    )


def _figures(rows: Sequence[Any]) -> QuestionFigures:
    took = [row[4].total_seconds() for row in rows if row[4] is not None and row[0] != QuestionState.DISMISSED]
    return QuestionFigures(
        asked=len(rows),
        answered=len(took),
        set_aside=sum(1 for row in rows if row[0] == QuestionState.DISMISSED),
        askers=len({row[2] for row in rows}),
        asked_live=sum(1 for row in rows if row[1] == Phase.LIVE),
        answer_seconds=median(took) if took else None,
    )
