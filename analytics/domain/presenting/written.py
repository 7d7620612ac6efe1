"""What doctors wrote in feedback forms, as far as it may be shown."""

from collections.abc import Collection, Hashable

from django.db.models import Count, Q

from assessments.domain.evaluation_results import MIN_GROUP
from assessments.enums import QuestionKind
from assessments.models import EvaluationAnswer
from core.replica import reading

# Answers are kept in the order of random keys, so the first of them are a fair choice.
MOST_TEXTS = 1_000


def texts_in(evaluations: Collection[int]) -> list[tuple[Hashable, str]]:
    """Of (who, text). Two queries, none without an evaluation.

    Who gave their name is one person in all of them; without a name each sheet is somebody's. Questions are those whose
    answers `evaluation_results` shows: without names, from MIN_GROUP answers on.
    """
    answers = EvaluationAnswer.objects.using(reading()).filter(response__evaluation__in=evaluations)
    asked = answers.filter(question__kind=QuestionKind.TEXT).values("response__evaluation", "question")
    enough = Q(people__gte=MIN_GROUP) | Q(response__evaluation__is_anonymous=False)
    shown = Q()
    for one in asked.annotate(people=Count("pk")).filter(enough).order_by():
        shown |= Q(response__evaluation=one["response__evaluation"], question=one["question"])
    if not shown:
        return []
    rows = answers.filter(shown).exclude(text="").order_by("pk").values_list("response", "response__user", "text")
    return [(user or response, text) for response, user, text in rows[:MOST_TEXTS]]
