"""What the figures of feedback are, and when they are kept back."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments.domain import evaluation_results
from assessments.domain.evaluation_forms import new_edition
from assessments.domain.evaluation_results import MIN_GROUP, QuestionResult, mean_of, nps_of, results_of
from assessments.enums import Dimension
from assessments.models import Evaluation, EvaluationAnswer
from tests.assessments.feedback import hand_in
from tests.factories.assessments import make_evaluation

pytestmark = pytest.mark.django_db


def of(evaluation: Evaluation, dimension: str) -> QuestionResult:
    return next(one for one in results_of(evaluation=evaluation).dimensions if one.dimension == dimension).questions[0]


def answered(*rows: tuple[object, ...], is_anonymous: bool = True) -> Evaluation:
    evaluation = make_evaluation(is_anonymous=is_anonymous)
    for row in rows:
        hand_in(evaluation, *row)
    return evaluation


FIVE: tuple[tuple[object, ...], ...] = (
    (5, 5, 10, 0, [0], "one"),
    (4, 5, 9, 0, [0, 1], "two"),
    (4, 4, 8, 0, [], ""),
    (3, 3, 6, 1, [], ""),
    (1, 1, 0, 1, [2], "three"),
)


class TestFigures:
    def test_each_kind_is_counted(self) -> None:
        evaluation = answered(*FIVE)

        clear = of(evaluation, Dimension.DELIVERY)
        assert [share.count for share in clear.shares] == [1, 0, 1, 2, 1]
        assert (clear.answered, clear.mean, clear.most, clear.nps) == (5, Decimal("3.40"), 5, None)
        recommended = of(evaluation, Dimension.RECOMMENDATION)
        assert (recommended.mean, recommended.nps) == (Decimal("6.60"), 0)
        bias = of(evaluation, Dimension.BIAS)
        assert [(share.label, share.count, share.percent) for share in bias.shares] == [
            ("No", 3, 60.0),
            ("Yes", 2, 40.0),
        ]
        assert bias.mean is None

    def test_dimensions_stand_in_the_order_of_the_report_with_their_mean(self) -> None:
        dimensions = results_of(evaluation=answered(*FIVE)).dimensions

        assert [one.dimension for one in dimensions] == [
            Dimension.DELIVERY, Dimension.CONTENT, Dimension.RECOMMENDATION, Dimension.BIAS, Dimension.PRACTICE,
            Dimension.OTHER,
        ]  # fmt: skip
        assert [(one.answered, one.mean, one.nps) for one in dimensions[:3]] == [
            (5, Decimal("3.40"), None), (5, Decimal("3.60"), None), (5, None, 0),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("given", "score"),
        [
            ([10, 9], 100),
            ([0, 6], -100), ([7, 8], 0), ([10, 10, 7, 0], 25), ([9] * 7 + [8] * 2 + [5], 60), ([], None),
        ],
    )  # fmt: skip
    def test_the_promoter_score(self, given: list[int], score: int | None) -> None:
        assert nps_of({value: given.count(value) for value in given}) == score

    def test_means_are_exact_until_the_last_rounding(self) -> None:
        assert mean_of({1: 1, 2: 1, 5: 1}) == Decimal("2.67")
        assert mean_of({}) is None

    def test_answers_to_two_editions_are_both_counted(self) -> None:
        evaluation = answered(*FIVE)
        assert evaluation.form is not None
        edition = new_edition(form=evaluation.form)
        Evaluation.objects.filter(pk=evaluation.pk).update(form=edition)
        evaluation = Evaluation.objects.select_related("lesson__course__programme", "form").get(pk=evaluation.pk)
        for row in FIVE:
            hand_in(evaluation, *row)

        delivery = results_of(evaluation=evaluation).dimensions[0]
        assert [one.answered for one in delivery.questions] == [5, 5]
        assert delivery.mean == Decimal("3.40")


class TestSuppression:
    def test_a_small_anonymous_group_is_kept_back_whole(self) -> None:
        results = results_of(evaluation=answered(*FIVE[: MIN_GROUP - 1]))

        assert (results.answered, results.is_suppressed) == (4, True)
        for dimension in results.dimensions:
            assert dimension.mean is None
            assert [(one.answered, one.shares, one.texts) for one in dimension.questions] == [(0, (), ())]

    def test_so_is_a_question_that_few_have_answered(self) -> None:
        results = results_of(evaluation=answered(*FIVE))
        kept_back = {one.dimension for one in results.dimensions if one.questions[0].is_suppressed}

        assert kept_back == {Dimension.PRACTICE, Dimension.OTHER}
        assert [one.questions[0].texts for one in results.dimensions if one.dimension == Dimension.OTHER] == [()]

    def test_with_names_everything_is_shown(self) -> None:
        evaluation = answered((4, 4, 9, 0, [0], "Thank you"), is_anonymous=False)
        results = results_of(evaluation=evaluation)
        person = evaluation.responses.get().user

        assert not results.is_suppressed
        assert person is not None
        assert [(said.text, said.name) for said in of(evaluation, Dimension.OTHER).texts] == [
            ("Thank you", person.get_full_name())
        ]

    def test_texts_stand_in_no_order_of_time(self) -> None:
        evaluation = answered(*[(4, 4, 9, 0, [], f"text {number}") for number in range(20)])
        texts = [said.text for said in of(evaluation, Dimension.OTHER).texts]

        keys = evaluation.responses.filter(answers__text__gt="").order_by("answers__pk")
        assert texts == list(keys.values_list("answers__text", flat=True))
        assert sorted(texts) != texts
        assert {said.name for said in of(evaluation, Dimension.OTHER).texts} == {""}

    def test_of_very_many_texts_each_question_shows_as_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(evaluation_results, "TEXTS_SHOWN", 3)
        evaluation = answered(*[(4, 4, 9, 0, [], f"text {number}") for number in range(6)])
        said = list(EvaluationAnswer.objects.exclude(text="").order_by("pk").values_list("text", flat=True))

        assert [one.text for one in of(evaluation, Dimension.OTHER).texts] == said[:3]


@pytest.mark.parametrize("number", [5, 7])
def test_results_cost_the_same_for_any_number_of_answers(number: int) -> None:
    evaluation = answered(*[FIVE[0]] * number)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        results_of(evaluation=evaluation)

    assert len(queries) == 5
