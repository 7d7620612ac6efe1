"""What doctors thought of a lecture, beside the presenter's other lectures and the programme's average."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from assessments.domain.evaluation_results import MIN_GROUP, EvaluationResults, results_of
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationResponse
from core.replica import reading

FIVE_STEPS = (QuestionKind.LIKERT, QuestionKind.STARS)


@dataclass(frozen=True, slots=True)
class Mean:
    """Of a dimension's questions of five steps; `answers` say how much it weighs."""

    total: int
    answers: int

    @property
    def value(self) -> float:
        return self.total / self.answers


@dataclass(frozen=True, slots=True)
class Comparison:
    """A dimension here, over the presenter's other lectures, and over the programme; None: too few have answered."""

    dimension: str
    here: float | None
    theirs: float | None
    programme: float | None

    @property
    def label(self) -> str:
        return str(Dimension(self.dimension).label)


@dataclass(frozen=True, slots=True)
class Feedback:
    results: tuple[EvaluationResults, ...]
    comparisons: tuple[Comparison, ...]


def feedback_of(*, lesson_id: int, programme_id: int, other_lessons: Collection[int]) -> Feedback:
    """`other_lessons`: of the presenter's other lectures. Seven queries an evaluation, and four."""
    asked = Evaluation.objects.filter(about=lesson_id).select_related("lesson", "form", "about").order_by("pk")
    results = tuple(results_of(evaluation=one) for one in asked)
    evaluations = Evaluation.objects.filter(about__course__programme=programme_id) | Evaluation.objects.filter(
        about__in=list(other_lessons)
    )
    means = _means(evaluations)
    here = _over(means, {one.evaluation.pk for one in results})
    theirs = _over(means, set(_about(evaluations, other_lessons)))
    whole = _over(means, set(_in_programme(evaluations, programme_id)))
    known = [one for one in Dimension.values if one in here or one in theirs]
    return Feedback(results, tuple(Comparison(one, here.get(one), theirs.get(one), whole.get(one)) for one in known))


def _about(evaluations: QuerySet[Evaluation], lessons: Collection[int]) -> Iterable[int]:
    return [one.pk for one in evaluations.using(reading()) if one.about_id in lessons]


def _in_programme(evaluations: QuerySet[Evaluation], programme_id: int) -> Iterable[int]:
    found = evaluations.using(reading()).filter(about__course__programme=programme_id)
    return found.values_list("pk", flat=True)


def _means(evaluations: QuerySet[Evaluation]) -> dict[tuple[int, str], Mean]:
    """By evaluation and dimension. Below MIN_GROUP people there is none: a mean that moves by one answer tells it."""
    enough = (
        EvaluationResponse.objects.using(reading())
        .filter(evaluation__in=evaluations.values("pk"))
        .values("evaluation")
        .annotate(people=Count("pk"))
        .filter(people__gte=MIN_GROUP)
        .values("evaluation")
    )
    rows = (
        EvaluationAnswer.objects.using(reading())
        .filter(response__evaluation__in=enough, question__kind__in=FIVE_STEPS, number__isnull=False)
        .values_list("response__evaluation", "question__dimension")
        .annotate(total=Sum("number"), answers=Count("pk"))
        .order_by()
    )
    return {(evaluation, dimension): Mean(total, answers) for evaluation, dimension, total, answers in rows}


def _over(means: Mapping[tuple[int, str], Mean], evaluations: Collection[int]) -> dict[str, float]:
    """Every answer weighs the same, whichever lecture it is about."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (evaluation, dimension), mean in means.items():
        if evaluation in evaluations:
            totals[dimension][0] += mean.total
            totals[dimension][1] += mean.answers
    return {dimension: total / answers for dimension, (total, answers) in totals.items() if answers >= MIN_GROUP}


def means_by_lesson(lessons: Collection[int]) -> dict[int, float]:
    """By lesson that was asked about: over all its dimensions of five steps. Two queries."""
    about = dict(Evaluation.objects.using(reading()).filter(about__in=list(lessons)).values_list("pk", "about"))
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for (evaluation, _dimension), mean in _means(Evaluation.objects.filter(pk__in=list(about))).items():
        totals[about[evaluation]][0] += mean.total
        totals[about[evaluation]][1] += mean.answers
    return {lesson: total / answers for lesson, (total, answers) in totals.items()}
