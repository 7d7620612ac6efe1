"""Draws that take from the same questions: what is certainly, and what is perhaps, missing."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.domain.supply import Draw, Shortfall, most_taken, shortfalls


def draw(count: int, *offered: int) -> Draw:
    return Draw(count, frozenset(offered))


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        ([draw(3, 1, 2)], [Shortfall(1, 1)]),
        ([draw(2, 1, 2, 3), draw(2, 1, 2, 3)], [Shortfall(0, 0), Shortfall(0, 1)]),
        ([draw(2, 1, 2, 3), draw(1, 3, 4)], [Shortfall(0, 0), Shortfall(0, 0)]),
        ([draw(1, 1), draw(1, 1)], [Shortfall(0, 0), Shortfall(0, 1)]),
        ([draw(1, 1, 2), draw(1, 1, 3), draw(1, 1, 4)], [Shortfall(0, 0)] * 3),
        ([draw(1, 1), draw(1, 1), draw(2, 1, 2, 3)], [Shortfall(0, 0), Shortfall(0, 1), Shortfall(0, 0)]),
        ([], []),
    ],
)
def test_what_is_missing(draws: list[Draw], expected: list[Shortfall]) -> None:
    assert shortfalls(draws) == expected


NUMBERS = st.frozensets(st.integers(0, 5), max_size=4)


@given(st.lists(st.builds(Draw, st.integers(1, 2), NUMBERS), max_size=3), NUMBERS)
def test_it_is_what_trying_all_ways_finds(before: list[Draw], wanted: frozenset[int]) -> None:
    """Each way gives the questions, in some order, to the first draw that can still take one."""

    def taken(order: tuple[int, ...], seats: list[frozenset[int]]) -> int:
        left = list(seats)
        number = 0
        for one in order:
            seat = next((seat for seat in left if one in seat), None)
            if seat is not None:
                left.remove(seat)
                number += 1
        return number

    seats = [one.offered for one in before for _ in range(one.count)]
    ways = [taken(order, list(many)) for order in permutations(wanted) for many in set(permutations(seats))]
    assert most_taken(before, wanted) == max(ways, default=0)
