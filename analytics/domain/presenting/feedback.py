"""What doctors thought of a lecture, beside the presenter's other lectures and the programme's average."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db.models import Count, Sum

from analytics.domain.presenting.naming import naming
from analytics.domain.presenting.themes import Themes, themes_of
from analytics.domain.presenting.written import texts_in
from assessments.domain.evaluation_results import MIN_GROUP, EvaluationResults, results_of
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationQuestion
from core.replica import reading

FIVE_STEPS = (QuestionKind.LIKERT, QuestionKind.STARS)
NO_THEMES = Themes()


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
    """A dimension here, over the presenters' other lectures, and over the programme; None: too few have answered.

    `earlier`: of each of those lectures before this one, the oldest first.
    """

    dimension: str
    here: float | None
    theirs: float | None
    programme: float | None
    earlier: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        return str(Dimension(self.dimension).label)


@dataclass(frozen=True, slots=True)
class Given:
    """A lecture, and when it was or is to be given."""

    lesson_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """A lecture's mean over all its dimensions of five steps."""

    at: datetime
    mean: float
    is_here: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """`trend`: this lecture among those that the same people gave, in the order of their dates, each with a mean."""

    results: tuple[EvaluationResults, ...]
    comparisons: tuple[Comparison, ...]
    themes: Themes = NO_THEMES
    trend: tuple[Point, ...] = ()
    programme: float | None = None


def feedback_of(*, here: Given, programme_id: int, others: Sequence[Given]) -> Feedback:
    """`others`: what the same people gave in this programme. Four queries an evaluation, and at most six more."""
    asked = Evaluation.objects.filter(about=here.lesson_id).select_related("lesson", "form", "about").order_by("pk")
    results = tuple(results_of(evaluation=one, with_texts=False) for one in asked)
    about = _about_in(programme_id)
    means = _means(about)
    here_asked = {one.evaluation.pk for one in results}
    mine = _over(means, here_asked)
    theirs = _over(means, _about(about, [one.lesson_id for one in others]))
    whole = _over(means, about)
    lectures = sorted([here, *others], key=lambda one: (one.at, one.lesson_id))
    before = [_over(means, _about(about, [one.lesson_id])) for one in lectures[: lectures.index(here)]]
    known = [one for one in Dimension.values if one in mine or one in theirs]
    return Feedback(
        results,
        tuple(
            Comparison(one, mine.get(one), theirs.get(one), whole.get(one), tuple(m[one] for m in before if one in m))
            for one in known
        ),
        themes_of(texts_in(here_asked), naming=partial(naming, programmes=[programme_id])),
        tuple(_trend(means, about, lectures, here)),
        _whole(means, about),
    )


def _trend(
    means: Mapping[tuple[int, str], Mean], about: Mapping[int, int], lectures: Iterable[Given], here: Given
) -> Iterable[Point]:
    for one in lectures:
        mean = _whole(means, _about(about, [one.lesson_id]))
        if mean is not None:
            yield Point(one.at, mean, one == here)


def _whole(means: Mapping[tuple[int, str], Mean], evaluations: Collection[int]) -> float | None:
    """Over all dimensions."""
    found = [mean for (evaluation, _dimension), mean in means.items() if evaluation in evaluations]
    answers = sum(mean.answers for mean in found)
    return sum(mean.total for mean in found) / answers if answers else None


def _about(about: Mapping[int, int], lessons: Collection[int]) -> set[int]:
    return {evaluation for evaluation, lesson in about.items() if lesson in lessons}


def _about_in(programme_id: int) -> dict[int, int]:
    """By evaluation: the lesson of this programme that it asks about."""
    found = Evaluation.objects.using(reading()).filter(about__course__programme=programme_id)
    return dict(found.values_list("pk", "about"))


def _means(evaluations: Collection[int]) -> dict[tuple[int, str], Mean]:
    """By evaluation and dimension, over exactly the questions whose bars the page shows. Two queries.

    A question that fewer than MIN_GROUP people answered, an optional one say, counts nowhere: not even among others,
    where a doctor who knows all the rest would read it. Nobody answers a question twice, so answers are people here.
    Counted by question alone, and put under the dimensions afterwards: a join less for every answer.
    """
    rows = list(
        EvaluationAnswer.objects.using(reading())
        .filter(response__evaluation__in=evaluations, number__isnull=False)
        .values_list("response__evaluation", "question")
        .annotate(total=Sum("number"), people=Count("pk"))
        .filter(people__gte=MIN_GROUP)
        .order_by()
    )
    asked = EvaluationQuestion.objects.using(reading()).filter(pk__in={row[1] for row in rows}, kind__in=FIVE_STEPS)
    dimensions = dict(asked.values_list("pk", "dimension"))
    found: dict[tuple[int, str], Mean] = {}
    for evaluation, question, total, people in rows:
        if question in dimensions:
            key = evaluation, dimensions[question]
            before = found.get(key, Mean(0, 0))
            found[key] = Mean(before.total + total, before.answers + people)
    return found


def _over(means: Mapping[tuple[int, str], Mean], evaluations: Collection[int]) -> dict[str, float]:
    """Every answer weighs the same, whichever lecture it is about."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (evaluation, dimension), mean in means.items():
        if evaluation in evaluations:
            totals[dimension][0] += mean.total
            totals[dimension][1] += mean.answers
    return {dimension: total / answers for dimension, (total, answers) in totals.items()}


def means_by_dimension(evaluations: Collection[int]) -> dict[str, float]:
    """Over all of these, every answer alike. Two queries."""
    return _over(_means(evaluations), evaluations)


def means_by_lesson(lessons: Collection[int]) -> dict[int, float]:
    """By lesson that was asked about: over all its dimensions of five steps. Three queries."""
    about = asking_about(lessons)
    totals: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for (evaluation, _dimension), mean in _means(about).items():
        totals[about[evaluation]][0] += mean.total
        totals[about[evaluation]][1] += mean.answers
    return {lesson: total / answers for lesson, (total, answers) in totals.items()}


def asking_about(lessons: Collection[int]) -> dict[int, int]:
    """By evaluation: which of these lessons it asks about. One query."""
    return dict(Evaluation.objects.using(reading()).filter(about__in=list(lessons)).values_list("pk", "about"))
