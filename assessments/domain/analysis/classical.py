"""Classical test theory: how hard, how telling, how reliable.

A question is compared with the *rest* of the paper, itself left out (Henrysson 1963, "Correction of item-total
correlations in item analysis", Psychometrika 28, 211–218): with itself in it every question would seem to tell
something. The rest is a share of what the rest can bring, because papers of random draws differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assessments.domain.analysis.reading import Answers, Floats

FEWEST_PEOPLE = 2
DICHOTOMOUS = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Reliability:
    """`alpha` is Cronbach's coefficient; where every answer is right or wrong it is the same number as KR-20.

    With covariances of pairs of questions that the same person had:

        alpha = k c / (v + (k - 1) c)

    where k is the mean length of a paper, v the mean variance of a question and c the mean covariance of two. On one
    paper for all this is (k / (k - 1)) (1 - sum of variances / variance of the sum), as Cronbach (1951, "Coefficient
    alpha and the internal structure of tests", Psychometrika 16, 297–334) and, for right and wrong, Kuder and
    Richardson (1937, formula 20) wrote it. With random draws it is the alpha of a paper of mean length from this bank.

    `error` is the standard error of measurement, s sqrt(1 - alpha), in points: two out of three doctors are within it.
    """

    alpha: float | None
    is_dichotomous: bool
    deviation: float | None
    error: float | None
    without: list[float | None]  # alpha of the paper without each question


@dataclass(frozen=True, slots=True)
class Classical:
    """Of one question. `facility` is the mean share of its points, `discrimination` the corrected point-biserial."""

    people: int
    facility: float
    discrimination: float | None
    blank: float
    seconds: float | None  # median of those who looked at it for a second at least
    seconds_low: float | None  # quartiles
    seconds_high: float | None


def correlation(x: NDArray[Any], y: NDArray[Any]) -> float | None:
    """Pearson's; with x of zeros and ones it is the point-biserial. None where one of them does not vary."""
    if len(x) < FEWEST_PEOPLE:
        return None
    dx, dy = x - x.mean(dtype=np.float64), y - y.mean(dtype=np.float64)
    norm = float(np.sqrt((dx @ dx) * (dy @ dy)))
    # Rounding leaves crumbs where everybody has the same.
    return None if norm < 1e-9 * len(x) else float(dx @ dy) / norm


def rest_of(answers: Answers, item: int) -> Floats:
    """The share that each person, who had it, reached in all the other questions."""
    rows = answers.rows_of(item)
    person = answers.person[rows]
    most = answers.total_most[person] - answers.most[item]
    reached = answers.total[person] - answers.points[rows]
    share: Floats = np.divide(reached, most, out=np.zeros_like(reached), where=most > 0)
    return share


def classical_of(answers: Answers, item: int, rest: Floats) -> Classical:
    rows = answers.rows_of(item)
    share = answers.share[rows].astype(np.float64)
    looked = answers.seconds[rows]
    looked = looked[looked > 0]
    low, median, high = np.percentile(looked, (25, 50, 75)) if len(looked) else (None, None, None)
    return Classical(
        people=len(share),
        facility=float(share.mean()),
        discrimination=correlation(share, rest),
        blank=float(answers.is_blank[rows].mean()),
        seconds=None if median is None else float(median),
        seconds_low=None if low is None else float(low),
        seconds_high=None if high is None else float(high),
    )


def reliability_of(answers: Answers) -> Reliability:
    """One pass over the answers, whatever the number of pairs.

    With a person's deviations d from the mean of each question, the products of all pairs sum up to (sum d)² - sum d².
    """
    item = answers.item_of_rows()
    points = answers.points.astype(np.float64)
    had = np.bincount(item, minlength=answers.items)
    means = np.bincount(item, weights=points, minlength=answers.items) / np.maximum(had, 1)
    off = points - means[item]
    length = np.bincount(answers.person, minlength=answers.people)
    own_sum = np.bincount(answers.person, weights=off, minlength=answers.people)
    squares = off**2
    pair_sum = float(own_sum @ own_sum - squares.sum())
    pairs = float((length * (length - 1)).sum())
    square_sum, rows = float(squares.sum()), float(len(off))
    alpha, variance = _alpha(pair_sum, pairs, square_sum, rows, answers.people)
    by_item = np.bincount(item, weights=squares, minlength=answers.items)
    lost_sum = 2 * (np.bincount(item, weights=off * own_sum[answers.person], minlength=answers.items) - by_item)
    lost_pairs = 2 * np.bincount(item, weights=length[answers.person] - 1, minlength=answers.items)
    without = [
        _alpha(pair_sum - lost_sum[one], pairs - lost_pairs[one], square_sum - by_item[one], rows - had[one], people)[0]
        for people in (answers.people,)
        for one in range(answers.items)
    ]
    full = bool(np.isin(answers.share, DICHOTOMOUS).all())
    deviation = None if variance is None or variance < 0 else float(np.sqrt(variance))
    error = None if deviation is None or alpha is None else deviation * float(np.sqrt(max(0.0, 1 - alpha)))
    return Reliability(alpha, full and len(set(answers.most)) <= 1, deviation, error, without)


def _alpha(
    pair_sum: float, pairs: float, square_sum: float, rows: float, people: int
) -> tuple[float | None, float | None]:
    """And the variance of the sum of a paper. None where there is nothing to compare."""
    if people < FEWEST_PEOPLE or pairs <= 0:
        return None, None
    length = rows / people
    unbiased = people / (people - 1)
    covariance, variance = pair_sum / pairs * unbiased, square_sum / rows * unbiased
    whole = length * (variance + (length - 1) * covariance)
    return (None, whole) if whole <= 1e-12 else (length**2 * covariance / whole, whole)
