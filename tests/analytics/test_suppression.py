"""Nobody can be recognised, also not by subtracting what two filters show."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.sharing.suppression import LEAST, Cells, cells_of, shown

names = st.text(alphabet="ABCDEFGH", max_size=2)
tables = st.dictionaries(names, st.integers(0, 40), max_size=8)


def test_what_is_shown_of_a_number() -> None:
    assert [shown(number) for number in (0, 1, 4, 5, 7, 8, 12, 13)] == [0, None, None, 5, 5, 10, 10, 15]
    with pytest.raises(ValueError, match="-1"):
        shown(-1)


@given(counts=tables)
def test_no_cell_is_smaller_than_five_and_none_is_exact(counts: dict[str, int]) -> None:
    found = cells_of(counts)
    numbers = [number for _, number in found.groups] + [found.others or LEAST]
    assert all(number >= LEAST and number % LEAST == 0 for number in numbers)
    for name, number in found.groups:
        assert counts[name] >= LEAST
        assert abs(number - counts[name]) <= LEAST // 2
    hidden = sum(count for name, count in counts.items() if name not in dict(found.groups))
    assert hidden == 0 or found.others == shown(hidden)


@given(counts=tables)
def test_what_is_hidden_has_at_least_five_people_or_stands_alone(counts: dict[str, int]) -> None:
    """A single hidden group of two beside its total would be the total less the others."""
    found = cells_of(counts)
    hidden = {name: count for name, count in counts.items() if count and name not in dict(found.groups)}
    assert not hidden or sum(hidden.values()) >= LEAST or not found.groups


people = st.lists(
    st.tuples(st.sampled_from(["IN", "BR", "KE", "MT"]), st.sampled_from(["cardiology", "gynaecology"]), st.booleans()),
    max_size=60,
)


@given(doctors=people)
def test_differencing_two_filters_never_tells_of_fewer_than_five(doctors: list[tuple[str, str, bool]]) -> None:
    """Every filter a reader could combine, every pair of them: one person more or less is never to be seen."""
    filters = [
        (country, specialty, live)
        for country in (None, "IN", "BR", "KE", "MT")
        for specialty in (None, "cardiology", "gynaecology")
        for live in (None, True, False)
    ]
    found = {}
    for wanted in filters:
        people = [one for one in doctors if all(w is None or w == o for w, o in zip(wanted, one, strict=True))]
        found[wanted] = (len(people), shown(len(people)))
    for (_, left), (_, right) in combinations(found.values(), 2):
        if left is not None and right is not None:
            assert abs(left - right) == 0 or abs(left - right) >= LEAST


def test_exact_numbers_would_have_told() -> None:
    """The attack works on unprotected numbers: the test above can fail."""
    everybody, without_malta = 23, 22
    assert everybody - without_malta == 1
    left, right = shown(everybody), shown(without_malta)
    assert left is not None
    assert right is not None
    assert left - right in {0, LEAST}


def test_a_lone_small_group_takes_the_next_one_with_it() -> None:
    assert cells_of({"IN": 100, "BR": 6, "MT": 2}) == Cells((("IN", 100),), 10)
    assert cells_of({"IN": 100, "BR": 8, "MT": 2, "KE": 4}) == Cells((("IN", 100), ("BR", 10)), 5)
    assert cells_of({"IN": 3}) == Cells()
    assert cells_of({}) == Cells()
    assert cells_of({"": 7, "IN": 50}) == Cells((("IN", 50),), 5)
