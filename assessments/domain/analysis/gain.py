"""What people learned between the test before and the test after: only those who took both count."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import F, OuterRef, Subquery
from numpy.typing import ArrayLike

from assessments.models import Attempt, Quiz

FEWEST_PAIRS = 2


@dataclass(frozen=True, slots=True)
class Gain:
    """In percent of the points. Effect sizes are None where nobody differs from anybody.

    `normalised` is the share of what could still be learned: (after - before) / (100 - before), of the means
    (Hake 1998, "Interactive-engagement versus traditional methods", American Journal of Physics 66, 64–74); none where
    everything was known before. `effect` is Cohen's d_z, the mean of the differences by their deviation, and
    `effect_average` d_av, by the mean of both deviations, which can be compared with groups that are not paired
    (Lakens 2013, "Calculating and reporting effect sizes", Frontiers in Psychology 4:863). `low` and `high` hold the
    mean gain with 95 % certainty (normal approximation).
    """

    people: int
    before: float
    after: float
    gain: float
    low: float
    high: float
    normalised: float | None
    effect: float | None
    effect_average: float | None
    rose: float  # share of people who were better after it


def gain_of(*, quiz: Quiz) -> Gain | None:
    """Of a test after that is compared with one before; by the attempts that count."""
    if quiz.pre_test_id is None:
        return None
    pairs = _pairs(quiz)
    return None if len(pairs) < FEWEST_PAIRS else gain_between(pairs["before"], pairs["after"])


def gain_between(before: ArrayLike, after: ArrayLike) -> Gain:
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    off = second - first
    mean, spread = float(off.mean()), float(off.std(ddof=1))
    around = 1.96 * spread / float(np.sqrt(len(off)))
    both = float(first.std(ddof=1) + second.std(ddof=1)) / 2
    left = 100 - float(first.mean())
    return Gain(
        people=len(off),
        before=float(first.mean()),
        after=float(second.mean()),
        gain=mean,
        low=mean - around,
        high=mean + around,
        normalised=mean / left if left > 0 else None,
        effect=mean / spread if spread > 0 else None,
        effect_average=mean / both if both > 0 else None,
        rose=float((off > 0).mean()),
    )


def _pairs(quiz: Quiz) -> Any:
    counted = Attempt.objects.filter(counts=True, most_points__gt=0)
    percent = F("score") * 100 / F("most_points")
    before = counted.filter(quiz=quiz.pre_test_id, user=OuterRef("user")).annotate(out_of_100=percent)
    rows = (
        counted.filter(quiz=quiz)
        .annotate(out_of_100=percent, before=Subquery(before.values("out_of_100")[:1]))
        .filter(before__isnull=False)
        .values_list("before", "out_of_100")
    )
    kinds = [("before", "f8"), ("after", "f8")]
    found = ((float(first), float(second)) for first, second in rows.iterator(chunk_size=20_000))
    return np.fromiter(found, dtype=kinds)
