"""What doctors said, counted. The only way to read answers: nothing else in the product shows them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Func, IntegerField
from django.utils.translation import gettext as _

from assessments.domain.evaluation_sheet import Option, options_of
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation, EvaluationAnswer, EvaluationQuestion, EvaluationReceipt, EvaluationResponse

MIN_GROUP = 5
TEXTS_SHOWN = 200
PROMOTERS_FROM = 9
DETRACTORS_TO = 6


@dataclass(frozen=True, slots=True)
class Share:
    """One bar. `percent` is of those who answered the question, for drawing and reading; counts are exact."""

    label: str
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Said:
    """A free text; `name` only where it was given with one."""

    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """`is_suppressed`: fewer than MIN_GROUP anonymous answers, of which not even the number is shown."""

    question: EvaluationQuestion
    answered: int
    is_suppressed: bool
    shares: tuple[Share, ...] = ()
    mean: Decimal | None = None
    most: int | None = None
    nps: int | None = None
    texts: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """`mean` over its questions of five steps or stars; `nps` of its one question of that kind."""

    dimension: str
    questions: tuple[QuestionResult, ...]

    @property
    def label(self) -> str:
        return str(Dimension(self.dimension).label)

    @property
    def answered(self) -> int:
        return max((one.answered for one in self.questions), default=0)

    @property
    def mean(self) -> Decimal | None:
        rated = [(one.mean, one.answered) for one in self.questions if one.mean is not None and one.most == 5]
        total = sum(answered for _mean, answered in rated)
        if not total:
            return None
        return (sum((mean * answered for mean, answered in rated), Decimal(0)) / total).quantize(Decimal("0.01"))

    @property
    def nps(self) -> int | None:
        return next((one.nps for one in self.questions if one.nps is not None), None)


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    evaluation: Evaluation
    answered: int
    is_suppressed: bool
    dimensions: tuple[DimensionResult, ...]


def has_evaluated(*, user_id: int, lesson_id: int) -> bool:
    """Whether this person has given the feedback of this lesson: for certificates. One query."""
    return EvaluationReceipt.objects.filter(user_id=user_id, evaluation__lesson_id=lesson_id).exists()


def results_of(*, evaluation: Evaluation, with_texts: bool = True) -> EvaluationResults:
    """Four queries and one for each question that asks for words, unless nobody wants these. Questions of several
    editions stand one after the other.

    Below MIN_GROUP anonymous answers nothing is shown but how many there are. Whoever looks before and after the sixth
    answer can still subtract: results are for after the webinar, and the page says so.
    """
    given = EvaluationResponse.objects.filter(evaluation=evaluation).order_by()
    by_form = dict(given.values_list("form_id").annotate(number=Count("pk")))
    answered = sum(by_form.values())
    forms = {*by_form, evaluation.form_id} - {None}
    questions = list(EvaluationQuestion.objects.filter(form__in=forms).order_by("form__edition", "form", "position"))
    too_few = evaluation.is_anonymous and answered < MIN_GROUP
    counts, totals = ({}, {}) if too_few else _counts(evaluation, questions)
    texts = {} if too_few or not with_texts else _texts(evaluation, questions)
    by_dimension: dict[str, list[QuestionResult]] = defaultdict(list)
    for question in questions:
        total = totals.get(question.pk, 0)
        hidden = too_few or (evaluation.is_anonymous and 0 < total < MIN_GROUP)
        by_dimension[question.dimension].append(
            QuestionResult(question, 0, True)
            if hidden
            else _result(question, counts.get(question.pk, {}), total, texts.get(question.pk, ()))
        )
    ordered = [one for one in Dimension.values if one in by_dimension]
    dimensions = tuple(DimensionResult(one, tuple(by_dimension[one])) for one in ordered)
    return EvaluationResults(evaluation, answered, too_few, dimensions)


def _counts(
    evaluation: Evaluation, questions: Iterable[EvaluationQuestion]
) -> tuple[dict[int, dict[int, int]], dict[int, int]]:
    """By question: how often each value was given, and by how many people it was answered. Two queries at most."""
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    totals: dict[int, int] = defaultdict(int)
    answers = EvaluationAnswer.objects.filter(response__evaluation=evaluation)
    for question, value, times in answers.values_list("question", "number").annotate(times=Count("pk")).order_by():
        totals[question] += times
        if value is not None:
            counts[question][value] = times
    choices = [one.pk for one in questions if one.kind in {QuestionKind.ONE, QuestionKind.SEVERAL}]
    if choices:
        chosen = Func(F("chosen"), function="unnest", output_field=IntegerField())
        picked = answers.filter(question__in=choices).annotate(one=chosen).values_list("question", "one")
        for question, value, times in picked.annotate(times=Count("pk")).order_by():
            counts[question][value] = times
    return counts, totals


def _texts(evaluation: Evaluation, questions: Iterable[EvaluationQuestion]) -> dict[int, list[Said]]:
    """In the order of their random keys: the order of writing would tell who was last. One query for each question."""
    said = EvaluationAnswer.objects.filter(response__evaluation=evaluation).exclude(text="").order_by("pk")
    return {
        one.pk: [
            Said(answer.text, answer.response.user.get_full_name() if answer.response.user else "")
            for answer in said.filter(question=one).select_related("response__user")[:TEXTS_SHOWN]
        ]
        for one in questions
        if one.kind == QuestionKind.TEXT
    }


def _result(question: EvaluationQuestion, counts: dict[int, int], total: int, texts: Sequence[Said]) -> QuestionResult:
    options = options_of(question)
    if question.kind == QuestionKind.TEXT:
        return QuestionResult(question, total, False, texts=tuple(texts))
    shares = tuple(_shares(options, counts, total))
    if question.kind in {QuestionKind.ONE, QuestionKind.SEVERAL}:
        return QuestionResult(question, total, False, shares)
    return QuestionResult(
        question,
        total,
        False,
        shares,
        mean=mean_of(counts),
        most=options[-1].value,
        nps=nps_of(counts) if question.kind == QuestionKind.NPS else None,
    )


def _shares(options: Iterable[Option], counts: dict[int, int], total: int) -> Iterable[Share]:
    for option in options:
        count = counts.get(option.value, 0)
        yield Share(option.label, count, 100 * count / total if total else 0.0)


def mean_of(counts: dict[int, int]) -> Decimal | None:
    """To two places; the sum and the number are whole, so nothing is lost before the last rounding."""
    total = sum(counts.values())
    if not total:
        return None
    return (Decimal(sum(value * count for value, count in counts.items())) / total).quantize(Decimal("0.01"))


def nps_of(counts: dict[int, int]) -> int | None:
    """Net promoter score, −100 to 100: the percentage of 9 and 10 less the percentage of 0 to 6 (Reichheld 2003)."""
    total = sum(counts.values())
    if not total:
        return None
    promoters = sum(count for value, count in counts.items() if value >= PROMOTERS_FROM)
    detractors = sum(count for value, count in counts.items() if value <= DETRACTORS_TO)
    return round(100 * (promoters - detractors) / total)


def standing_words(results: EvaluationResults) -> str:
    """Why there is nothing to see, where there is not."""
    if not results.answered:
        return _("Nobody has answered yet.")
    if results.is_suppressed:
        return _("Results are shown from %(number)d answers on, so that nobody can be recognised.") % {
            "number": MIN_GROUP
        }
    return ""
