"""The figures against published worked examples and against plain loops over the same answers."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assessments.domain.analysis import irt
from assessments.domain.analysis.classical import Classical, classical_of, correlation, reliability_of, rest_of
from assessments.domain.analysis.distractors import GROUPS, Choice, choices_of, groups_of, values_of
from assessments.domain.analysis.flags import ADVICE, Flag, flags_of
from assessments.domain.analysis.gain import gain_between
from assessments.domain.analysis.reading import Answers
from assessments.items.base import Category
from tests.assessments import worked_examples as published


def answers_of(points: np.ndarray, *, values: np.ndarray | None = None, had: np.ndarray | None = None) -> Answers:
    """People by questions of one point each, as they would be read; `had` says who had which question."""
    people, items = points.shape
    had = np.ones_like(points, dtype=bool) if had is None else had
    item, person = np.nonzero(had.T)
    share = np.asarray(points, dtype=np.float32).T[had.T]
    kept = np.where(had, points, 0).astype(float)
    return Answers(
        attempts=np.arange(people) + 1,
        versions=np.arange(items) + 1,
        starts=np.concatenate(([0], np.cumsum(np.bincount(item, minlength=items)))),
        person=person.astype(np.int32),
        share=share,
        points=share,
        seconds=np.zeros(len(share), dtype=np.int32),
        is_blank=np.zeros(len(share), dtype=bool),
        value=(points if values is None else values).T[had.T].astype(np.int64),
        most=np.ones(items),
        total=kept.sum(axis=1),
        total_most=had.sum(axis=1).astype(float),
    )


class TestPublished:
    def test_facility_discrimination_and_alpha_of_the_law_school_admission_test(self) -> None:
        answers = answers_of(published.lsat())
        found = [classical_of(answers, item, rest_of(answers, item)) for item in range(5)]
        assert [one.facility for one in found] == pytest.approx(published.LSAT_FACILITY, abs=5e-5)
        assert [one.discrimination for one in found] == pytest.approx(published.LSAT_DISCRIMINATION, abs=1e-4)
        reliability = reliability_of(answers)
        assert reliability.alpha == pytest.approx(published.LSAT_ALPHA, abs=5e-5)
        assert reliability.without == pytest.approx(published.LSAT_ALPHA_WITHOUT, abs=5e-5)
        assert reliability.is_dichotomous

    def test_kr_20_of_ten_students(self) -> None:
        students = published.students()
        answers = answers_of(students)
        assert tuple(students.mean(axis=0)) == published.STUDENTS_P
        assert students.sum(axis=1).var() == pytest.approx(published.STUDENTS_VARIANCE)
        expected = 10 / 9 * (1 - published.STUDENTS_PQ / published.STUDENTS_VARIANCE)
        reliability = reliability_of(answers)
        assert reliability.alpha == pytest.approx(expected)
        deviation = students.sum(axis=1).std(ddof=1)
        assert reliability.deviation == pytest.approx(deviation)
        assert reliability.error == pytest.approx(deviation * (1 - expected) ** 0.5)

    def test_the_two_parameter_model_of_the_law_school_admission_test(self) -> None:
        """Its standard errors come from the second derivatives, ours from the gradients: a few percent apart."""
        fit = irt.fit(data_of(published.lsat()))
        assert fit is not None
        assert fit.has_converged
        assert fit.likelihood == pytest.approx(published.LSAT_LOG_LIKELIHOOD, abs=0.001)
        assert fit.discrimination == pytest.approx(published.LSAT_A, abs=0.001)
        assert fit.difficulty == pytest.approx(published.LSAT_B, abs=0.002)
        assert fit.discrimination_error == pytest.approx(published.LSAT_A_ERROR, rel=0.05)
        assert fit.difficulty_error == pytest.approx(published.LSAT_B_ERROR, rel=0.05)

    def test_effect_sizes_of_two_ratings(self) -> None:
        gain = gain_between(published.SECOND_RATING, published.FIRST_RATING)
        assert (gain.before, gain.after, gain.gain) == pytest.approx((7.7, 8.7, 1.0))
        assert gain.effect == pytest.approx(published.RATINGS_D_Z, abs=0.005)
        assert gain.effect_average == pytest.approx(published.RATINGS_D_AV, abs=0.005)


def data_of(right: np.ndarray, had: np.ndarray | None = None) -> irt.Data:
    had = np.ones_like(right, dtype=bool) if had is None else had
    person, item = np.nonzero(had)
    return irt.sorted_by_person(
        person=person.astype(np.int32), item=item.astype(np.int32), is_right=right[had], items=right.shape[1]
    )


def simulated(people: int, items: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, and the discriminations and difficulties they were made with."""
    rng = np.random.default_rng(seed)
    slope, difficulty = rng.uniform(0.6, 1.8, items), rng.uniform(-1.5, 1.5, items)
    chance = 1 / (1 + np.exp(-slope * (rng.normal(size=(people, 1)) - difficulty)))
    return rng.random((people, items)) < chance, slope, difficulty


class TestModel:
    def test_it_finds_what_the_answers_were_made_with_within_its_errors(self) -> None:
        right, slope, difficulty = simulated(1_500, 12, seed=3)
        fit = irt.fit(data_of(right))
        assert fit is not None
        assert fit.has_converged
        assert fit.is_settled.all()
        off = np.concatenate(
            (
                (fit.discrimination - slope) / fit.discrimination_error,
                (fit.difficulty - difficulty) / fit.difficulty_error,
            )
        )
        assert np.abs(off).max() < 4
        assert (np.abs(off) < 1.96).mean() > 0.85

    def test_with_random_draws_questions_that_were_not_asked_say_nothing(self) -> None:
        right, slope, _ = simulated(1_500, 12, seed=4)
        had = np.argsort(np.random.default_rng(9).random(right.shape), axis=1) < 8
        fit, whole = irt.fit(data_of(right, had)), irt.fit(data_of(right))
        assert fit is not None
        assert whole is not None
        assert np.abs((fit.discrimination - slope) / fit.discrimination_error).max() < 4
        assert (fit.discrimination_error > whole.discrimination_error).all()

    def test_it_is_at_the_top_of_the_likelihood(self) -> None:
        """By another way to the same number: the likelihood of each person, summed over abilities by a loop."""
        right, _, _ = simulated(120, 3, seed=5)
        fit = irt.fit(data_of(right))
        assert fit is not None

        def likelihood(slope: np.ndarray, difficulty: np.ndarray) -> float:
            ability = np.linspace(-irt.WIDEST, irt.WIDEST, irt.QUADRATURE)
            weight = np.exp(-(ability**2) / 2)
            total = 0.0
            for row in right:
                person = 0.0
                for at, share in zip(ability, weight / weight.sum(), strict=True):
                    chance = 1 / (1 + np.exp(-slope * (at - difficulty)))
                    person += share * np.prod(np.where(row, chance, 1 - chance))
                total += np.log(person)
            return total

        best = likelihood(fit.discrimination, fit.difficulty)
        assert fit.likelihood == pytest.approx(best, abs=1e-4)
        for item, step in itertools.product(range(3), (-0.05, 0.05)):
            moved = fit.discrimination.copy()
            moved[item] += step
            assert likelihood(moved, fit.difficulty) < best

    def test_what_everybody_or_nobody_had_right_has_no_place_in_it(self) -> None:
        right, _, _ = simulated(400, 5, seed=6)
        right[:, 1], right[:, 3] = True, False
        fit = irt.fit(data_of(right))
        assert fit is not None
        assert np.isnan(fit.discrimination).tolist() == [False, True, False, True, False]
        assert not fit.is_settled[[1, 3]].any()

    def test_a_wrong_key_shows_as_a_negative_discrimination(self) -> None:
        right, _, _ = simulated(1_000, 10, seed=7)
        right[:, 0] = ~right[:, 0]
        fit = irt.fit(data_of(right))
        assert fit is not None
        assert fit.discrimination[0] < -0.3
        assert (fit.discrimination[1:] > 0).all()

    def test_too_few_people_or_questions_give_no_model(self) -> None:
        right, _, _ = simulated(99, 10, seed=8)
        assert irt.fit(data_of(right)) is None
        assert irt.fit(data_of(simulated(500, 2, seed=8)[0])) is None


def plain_alpha(points: np.ndarray) -> float:
    """As Cronbach wrote it."""
    items = points.shape[1]
    return items / (items - 1) * (1 - points.var(axis=0).sum() / points.sum(axis=1).var())


class TestClassical:
    @given(arrays(np.int8, st.tuples(st.integers(3, 12), st.integers(2, 6)), elements=st.integers(0, 4)))
    def test_alpha_is_what_cronbach_wrote(self, grid: np.ndarray) -> None:
        points = grid / 4
        reliability = reliability_of(answers_of(points))
        if points.sum(axis=1).var() < 1e-9:
            assert reliability.alpha is None
            return
        assert reliability.alpha == pytest.approx(plain_alpha(points), abs=1e-5)
        assert reliability.deviation == pytest.approx(points.sum(axis=1).std(ddof=1), abs=1e-5)
        for item, without in enumerate(reliability.without):
            rest = np.delete(points, item, axis=1)
            if rest.shape[1] > 1 and rest.sum(axis=1).var() > 1e-9:
                assert without == pytest.approx(plain_alpha(rest), abs=1e-4)

    @given(arrays(np.int8, st.tuples(st.integers(3, 12), st.integers(2, 6)), elements=st.integers(0, 4)))
    def test_discrimination_is_a_correlation_with_the_rest(self, grid: np.ndarray) -> None:
        points = grid / 4
        answers = answers_of(points)
        for item in range(points.shape[1]):
            found = classical_of(answers, item, rest_of(answers, item)).discrimination
            own, rest = points[:, item], np.delete(points, item, axis=1).sum(axis=1)
            if own.std() < 1e-9 or rest.std() < 1e-9:
                assert found is None
            else:
                assert found == pytest.approx(np.corrcoef(own, rest)[0, 1], abs=1e-5)

    def test_random_draws_have_the_alpha_of_a_paper_of_that_length(self) -> None:
        """Half of forty questions each: about the alpha of twenty that everybody has."""
        right, _, _ = simulated(4_000, 40, seed=11)
        had = np.argsort(np.random.default_rng(2).random(right.shape), axis=1) < 20
        drawn = reliability_of(answers_of(right, had=had)).alpha
        whole = plain_alpha(right.astype(float))
        halved = whole / 2 / (1 - whole / 2)  # Spearman and Brown
        assert drawn == pytest.approx(halved, abs=0.02)

    def test_nothing_that_does_not_vary_correlates(self) -> None:
        assert correlation(np.ones(5), np.arange(5.0)) is None
        assert correlation(np.zeros(1), np.zeros(1)) is None


class TestDistractors:
    """a is right; the strong choose it, the weak choose b, and c is chosen by the strong as well."""

    CATEGORIES = (Category("a", "A: yes", True), Category("b", "B: no", False), Category("c", "C: perhaps", False))

    def made(self) -> tuple[Answers, list[Choice]]:
        rng = np.random.default_rng(1)
        right, _, _ = simulated(1_000, 12, seed=12)
        strength = right[:, 1:].sum(axis=1)
        picked = np.where(strength > 7, rng.choice([11, 33], 1_000), rng.choice([11, 22], 1_000))
        points = right.copy()
        points[:, 0] = picked == 11
        values = points.astype(np.int64)
        values[:, 0] = picked
        answers = answers_of(points, values=values)
        groups = groups_of(answers)
        chosen = {11: {"a"}, 22: {"b"}, 33: {"c"}}
        return answers, choices_of(
            answers, 0, rest=rest_of(answers, 0), groups=groups, categories=self.CATEGORIES, chosen=chosen
        )

    def test_the_table_counts_every_answer_once(self) -> None:
        answers, choices = self.made()
        counted = Counter(answers.value[answers.rows_of(0)].tolist())
        assert [one.people for one in choices] == [counted[11], counted[22], counted[33], 0]
        assert sum(one.share for one in choices) == pytest.approx(1)

    def test_curves_are_shares_of_each_fifth_counted_person_by_person(self) -> None:
        answers, choices = self.made()
        groups = groups_of(answers)
        for choice, value in zip(choices, (11, 22, 33), strict=False):
            for group in range(GROUPS):
                members = [
                    one == value
                    for one, own in zip(answers.value[answers.rows_of(0)], groups, strict=True)
                    if own == group
                ]
                expected = sum(members) / len(members) if members else None
                assert choice.curve[group] == (expected if expected is None else pytest.approx(expected))
        falling, rising = choices[1].curve, choices[2].curve
        assert falling[0] is not None
        assert falling[-1] is not None
        assert falling[0] > falling[-1]
        assert rising[0] == 0
        assert (choices[1].discrimination or 0) < 0 < (choices[2].discrimination or 0)

    def test_equal_results_are_in_one_group(self) -> None:
        answers = answers_of(np.repeat([[1, 1], [1, 0], [0, 0]], [10, 70, 20], axis=0))
        groups = groups_of(answers)
        assert [set(groups[:10]), set(groups[10:80]), set(groups[80:])] == [{4}, {2}, {0}]

    def test_each_different_answer_is_read_from_one_person(self) -> None:
        answers, _ = self.made()
        hashes, people = values_of(answers, 0)
        assert sorted(hashes.tolist()) == [11, 22, 33]
        rows = answers.rows_of(0)
        by_person = dict(zip(answers.person[rows].tolist(), answers.value[rows].tolist(), strict=True))
        assert [by_person[int(person)] for person in people] == hashes.tolist()


def figures(**changes: float | None) -> Classical:
    usual = {"facility": 0.6, "discrimination": 0.3, "blank": 0.0, "seconds": 60.0}
    return Classical(people=1_000, seconds_low=None, seconds_high=None, **{**usual, **changes})  # type: ignore[arg-type]


def choice(name: str, share: float, discrimination: float, *, is_right: bool = False) -> Choice:
    return Choice(name, f"{name.upper()}: text", is_right, 100, share, discrimination, [])


class TestFlags:
    GOOD = (choice("a", 0.6, 0.3, is_right=True), choice("b", 0.25, -0.2), choice("c", 0.15, -0.2))

    def codes(self, choices: tuple[Choice, ...] = GOOD, /, **changes: float | None) -> list[str]:
        return [one.code for one in flags_of(figures=figures(**changes), choices=choices, usual_seconds=60.0)]

    def test_a_good_question_has_none(self) -> None:
        assert self.codes() == []

    def test_a_wrong_answer_that_draws_the_best_says_check_the_key(self) -> None:
        drawn = (choice("a", 0.3, -0.1, is_right=True), choice("b", 0.4, -0.2), choice("c", 0.3, 0.25))
        [first, *_] = flags_of(figures=figures(discrimination=-0.1), choices=drawn, usual_seconds=None)
        assert first.is_urgent
        assert first.advice == "Option C attracts the best candidates: check the key."

    def test_not_where_the_right_one_draws_them_more(self) -> None:
        close = (choice("a", 0.6, 0.3, is_right=True), choice("b", 0.2, -0.3), choice("c", 0.2, 0.15))
        assert self.codes(close) == []

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"discrimination": -0.2}, "negative"),
            ({"discrimination": 0.05}, "weak"),
            ({"facility": 0.98}, "easy"),
            ({"facility": 0.1}, "hard"),
            ({"blank": 0.2}, "skipped"),
            ({"seconds": 200.0}, "slow"),
        ],
    )
    def test_each_figure_has_its_word(self, changes: dict[str, float], code: str) -> None:
        assert self.codes(**changes) == [code]

    def test_an_answer_that_nobody_takes_is_named(self) -> None:
        unused = (choice("a", 0.6, 0.3, is_right=True), choice("b", 0.39, -0.3), choice("c", 0.01, 0.0))
        assert self.codes(unused) == ["unused"]

    def test_few_answers_are_not_judged(self) -> None:
        few = Classical(12, 0.0, -1.0, 0.9, None, None, None)
        found = flags_of(figures=few, choices=self.GOOD, usual_seconds=None)
        assert found == [Flag("few", {"people": 12})]
        assert "12" in found[0].advice

    def test_all_advice_can_be_given(self) -> None:
        values = {"people": 3, "option": "C"}
        assert all(Flag(code, values).advice for code in ADVICE)


class TestGain:
    def test_what_was_known_before_cannot_be_learned(self) -> None:
        gain = gain_between([40, 60], [70, 90])
        assert (gain.before, gain.after, gain.normalised, gain.rose) == (50, 80, pytest.approx(0.6), 1)
        assert gain.effect is None  # everybody gained the same
        assert gain_between([100, 100], [90, 80]).normalised is None

    def test_the_interval_is_around_the_mean(self) -> None:
        gain = gain_between([10, 20, 30, 40], [20, 20, 50, 50])
        off = np.array([10, 0, 20, 10])
        around = 1.96 * off.std(ddof=1) / 2
        assert (gain.low, gain.high) == pytest.approx((10 - around, 10 + around))
