"""The two-parameter logistic model: the chance that a person of ability t answers question j rightly is

    P(t) = 1 / (1 + exp(-a (t - b)))

with discrimination a and difficulty b, abilities being normal with mean 0 and deviation 1 (Birnbaum 1968). Estimated by
marginal maximum likelihood with the EM algorithm of Bock and Aitkin (1981, Psychometrika 46, 443–459): abilities are
integrated over QUADRATURE points, and each question is then a weighted logistic regression on them. Questions that a
person did not have say nothing about them, which is what random draws need.

Standard errors are from the cross-products of the persons' gradients (the empirical information: Berndt, Hall, Hall and
Hausman 1974; for these models Yuan, Cheng and Patton 2014, Psychometrika 79, 232–254), for b by the delta method.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.domain.analysis.reading import Floats

QUADRATURE = 41
WIDEST = 5.0  # abilities from -5 to 5
FEWEST_PEOPLE, FEWEST_ITEMS = 100, 3
MOST_ITERATIONS = 400
CLOSE = 1e-4  # the largest change of a parameter in a round at which it has converged
MOST_SLOPE, MOST_INTERCEPT = 6.0, 12.0
CHUNK = 4096
Bits = NDArray[np.bool_]
Indexes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Fit:
    """NaN for questions that everybody, or nobody, had right: the model cannot say anything about them.

    An estimate at the limit (a of 6, say) is one that has run away: `is_settled` is false for it.
    """

    discrimination: Floats
    difficulty: Floats
    discrimination_error: Floats
    difficulty_error: Floats
    is_settled: Bits
    has_converged: bool
    iterations: int
    likelihood: float  # logarithm
    people: int


@dataclass(frozen=True, slots=True)
class Data:
    """Answers sorted by person: `starts` is where each one's begin. A row says whether the answer was right."""

    item: Indexes
    is_right: Bits
    starts: NDArray[np.int64]
    items: int

    @property
    def people(self) -> int:
        return len(self.starts) - 1

    def chunks(self) -> Iterator[tuple[Floats, Floats]]:
        """People by questions: what was right, and what was asked at all. Some thousand people at a time."""
        for first in range(0, self.people, CHUNK):
            last = min(first + CHUNK, self.people)
            rows = slice(int(self.starts[first]), int(self.starts[last]))
            person = np.repeat(np.arange(last - first), np.diff(self.starts[first : last + 1]))
            right, asked = np.zeros((last - first, self.items)), np.zeros((last - first, self.items))
            right[person, self.item[rows]] = self.is_right[rows]
            asked[person, self.item[rows]] = 1.0
            yield right, asked


def sorted_by_person(*, person: Indexes, item: Indexes, is_right: Bits, items: int) -> Data:
    """People who have no answer are not there."""
    _, compact = np.unique(person, return_inverse=True)
    order = np.argsort(compact, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(compact))))
    return Data(item[order], is_right[order], starts, items)


def fit(data: Data) -> Fit | None:
    """None where there are too few people or questions. The same data give the same numbers."""
    right = np.bincount(data.item, weights=data.is_right, minlength=data.items)
    asked = np.bincount(data.item, minlength=data.items)
    usable = (right > 0) & (right < asked)
    if data.people < FEWEST_PEOPLE or usable.sum() < FEWEST_ITEMS:
        return None
    data = _only(data, usable)
    slope, intercept, iterations, likelihood, change = _estimate(data)
    slope_error, difficulty, difficulty_error = _errors(data, slope, intercept)
    # At the limits the estimate has run away, whatever its error says.
    settled = (np.abs(slope) < MOST_SLOPE) & (np.abs(intercept) < MOST_INTERCEPT) & np.isfinite(difficulty_error)
    return Fit(
        discrimination=_spread(slope, usable),
        difficulty=_spread(difficulty, usable),
        discrimination_error=_spread(slope_error, usable),
        difficulty_error=_spread(difficulty_error, usable),
        is_settled=_spread(settled, usable) > 0,
        has_converged=change < CLOSE,
        iterations=iterations,
        likelihood=likelihood,
        people=data.people,
    )


def _only(data: Data, usable: Bits) -> Data:
    keep = usable[data.item]
    person = np.repeat(np.arange(data.people, dtype=np.int32), np.diff(data.starts))[keep]
    number = (np.cumsum(usable) - 1).astype(np.int32)
    return sorted_by_person(
        person=person, item=number[data.item[keep]], is_right=data.is_right[keep], items=int(usable.sum())
    )


def _spread(values: NDArray[np.float64] | Bits, usable: Bits) -> Floats:
    whole = np.full(len(usable), np.nan)
    whole[usable] = values
    return whole


def _points() -> tuple[Floats, Floats]:
    """Abilities, and the logarithm of how many people have each."""
    ability = np.linspace(-WIDEST, WIDEST, QUADRATURE)
    density = np.exp(-(ability**2) / 2)
    return ability, np.log(density / density.sum())


def _estimate(data: Data) -> tuple[Floats, Floats, int, float, float]:
    ability, log_density = _points()
    asked = np.bincount(data.item, minlength=data.items)
    facility = np.bincount(data.item, weights=data.is_right, minlength=data.items) / asked
    slope, intercept = np.ones(data.items), np.log(facility / (1 - facility))
    likelihood, change, rounds = -np.inf, np.inf, 0
    while change >= CLOSE and rounds < MOST_ITERATIONS:
        rounds += 1
        rights, numbers, likelihood = _expect(data, slope, intercept, ability, log_density)
        new_slope, new_intercept = _maximise(rights, numbers, slope, intercept, ability)
        change = float(max(np.abs(new_slope - slope).max(), np.abs(new_intercept - intercept).max()))
        slope, intercept = new_slope, new_intercept
    if slope.sum() < 0:  # the ability turned upside down fits as well
        slope = -slope
    return slope, intercept, rounds, likelihood, change


def _log_chances(slope: Floats, intercept: Floats, ability: Floats) -> tuple[Floats, Floats]:
    """Log-odds of right, and the logarithm of the chance of wrong: questions by abilities."""
    odds = slope[:, None] * ability + intercept[:, None]
    return odds, -np.logaddexp(0, odds)


def _posterior(right: Floats, asked: Floats, odds: Floats, wrong: Floats, log_density: Floats) -> tuple[Floats, float]:
    """How likely each ability is for each person, and the logarithm of the likelihood of all of them."""
    log = right @ odds + asked @ wrong + log_density
    top = log.max(axis=1, keepdims=True)
    weight = np.exp(log - top)
    sums = weight.sum(axis=1, keepdims=True)
    return weight / sums, float((top + np.log(sums)).sum())


def _expect(
    data: Data, slope: Floats, intercept: Floats, ability: Floats, log_density: Floats
) -> tuple[Floats, Floats, float]:
    """How many of each ability are expected to have had a question right, and to have had it."""
    odds, wrong = _log_chances(slope, intercept, ability)
    rights, numbers = np.zeros_like(odds), np.zeros_like(odds)
    likelihood = 0.0
    for right, asked in data.chunks():
        weight, part = _posterior(right, asked, odds, wrong, log_density)
        rights += right.T @ weight
        numbers += asked.T @ weight
        likelihood += part
    return rights, numbers, likelihood


def _maximise(
    rights: Floats, numbers: Floats, slope: Floats, intercept: Floats, ability: Floats
) -> tuple[Floats, Floats]:
    """A logistic regression for each question, all at once, by Newton's method."""
    for _ in range(5):
        chance = 1 / (1 + np.exp(-(slope[:, None] * ability + intercept[:, None])))
        off = rights - numbers * chance
        weight = numbers * chance * (1 - chance)
        down, side, across = weight.sum(1), weight @ ability, weight @ ability**2
        by_intercept, by_slope = off.sum(1), off @ ability
        area = np.maximum(down * across - side**2, 1e-9)
        slope = np.clip(slope + np.clip((down * by_slope - side * by_intercept) / area, -1, 1), -MOST_SLOPE, MOST_SLOPE)
        step = np.clip((across * by_intercept - side * by_slope) / area, -1, 1)
        intercept = np.clip(intercept + step, -MOST_INTERCEPT, MOST_INTERCEPT)
    return slope, intercept


def _errors(data: Data, slope: Floats, intercept: Floats) -> tuple[Floats, Floats, Floats]:
    ability, log_density = _points()
    odds, wrong = _log_chances(slope, intercept, ability)
    chance = 1 / (1 + np.exp(-odds))
    information = np.zeros((2 * data.items, 2 * data.items))
    for right, asked in data.chunks():
        weight, _ = _posterior(right, asked, odds, wrong, log_density)
        mean = weight @ ability
        by_slope = right * mean[:, None] - asked * (weight @ (chance * ability).T)
        by_intercept = right - asked * (weight @ chance.T)
        gradient = np.hstack((by_slope, by_intercept))
        information += gradient.T @ gradient
    covariance = np.linalg.pinv(information, hermitian=True)
    of_slope = np.diag(covariance)[: data.items]
    of_intercept = np.diag(covariance)[data.items :]
    both = np.diag(covariance[: data.items, data.items :])
    with np.errstate(divide="ignore", invalid="ignore"):
        difficulty = -intercept / slope
        square = (of_intercept + difficulty**2 * of_slope + 2 * difficulty * both) / slope**2
        return np.sqrt(of_slope), difficulty, np.sqrt(np.maximum(square, 0))
