"""Who chose what: the table of a question's answers, and how each answer's share changes from weak to strong.

A right answer should be chosen more often the stronger the group, every wrong one less often (Haladyna and Rodriguez
2013, "Developing and validating test items", chapter 17: trace lines). Groups are fifths of all people by their result;
equal results are never in two groups.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.domain.analysis.classical import correlation
from assessments.domain.analysis.reading import Answers, Floats
from assessments.items.base import Category

GROUPS = 5
MOST_VALUES = 2_000  # different answers to one question that are looked at; the commonest first
MOST_CHOICES = 40
BLANK = ""
Groups = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `curve` is the share of each group that chose it, weakest first; none for a group that is empty.

    `name` is empty for those who left the question blank.
    """

    name: str
    label: str
    is_right: bool
    people: int
    share: float
    discrimination: float | None  # point-biserial of choosing it with the rest of the paper
    curve: list[float | None]


def groups_of(answers: Answers) -> Groups:
    """The fifth that each person is in, by the mid-rank of their result."""
    share = np.divide(
        answers.total, answers.total_most, out=np.zeros_like(answers.total), where=answers.total_most > 0
    ).round(9)
    _, place, count = np.unique(share, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    middle = (below + count / 2) / max(1, len(share))
    groups: Groups = np.minimum((middle * GROUPS).astype(np.int8), GROUPS - 1)[place]
    return groups


def values_of(answers: Answers, item: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Hashes of the commonest answers, and for each a person who gave it: what it says is read from their row."""
    rows = answers.rows_of(item)
    given = ~answers.is_blank[rows]
    hashes, first, count = np.unique(answers.value[rows][given], return_index=True, return_counts=True)
    common = np.argsort(-count, kind="stable")[:MOST_VALUES]
    return hashes[common], answers.person[rows][given][first[common]]


def choices_of(
    answers: Answers,
    item: int,
    *,
    rest: Floats,
    groups: Groups,
    categories: Sequence[Category],
    chosen: Mapping[int, Collection[str]],
) -> list[Choice]:
    """`chosen` says which categories an answer with that hash chose. Those whom nobody chose are in it as well."""
    rows = answers.rows_of(item)
    group = groups[answers.person[rows]]
    sizes = np.bincount(group, minlength=GROUPS)
    hashes = np.array(sorted(chosen), dtype=np.int64)
    at = np.minimum(np.searchsorted(hashes, answers.value[rows]), max(0, len(hashes) - 1))
    blank = answers.is_blank[rows]
    known = ~blank & (hashes[at] == answers.value[rows]) if len(hashes) else np.zeros(len(blank), dtype=np.bool_)

    def choice(category: Category, picked: NDArray[np.bool_]) -> Choice:
        per_group = np.bincount(group[picked], minlength=GROUPS)
        curve = [float(one / size) if size else None for one, size in zip(per_group, sizes, strict=True)]
        return Choice(
            name=category.name,
            label=category.label,
            is_right=category.is_right,
            people=int(picked.sum()),
            share=float(picked.mean()),
            discrimination=correlation(picked.astype(np.float64), rest),
            curve=curve,
        )

    found = []
    for category in categories:
        takes = np.array([category.name in chosen[int(one)] for one in hashes], dtype=np.bool_)
        found.append(choice(category, known & takes[at] if len(hashes) else known))
    if len(found) > MOST_CHOICES:
        found = sorted(found, key=lambda one: (not one.is_right, -one.people))[:MOST_CHOICES]
    return [*found, choice(Category(BLANK, BLANK, is_right=False), blank)]
