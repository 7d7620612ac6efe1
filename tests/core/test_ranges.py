import itertools

from hypothesis import given
from hypothesis import strategies as st

from core import ranges

seconds = st.integers(min_value=0, max_value=300)
pairs = st.lists(st.tuples(seconds, seconds), max_size=12)


def as_set(many: ranges.Ranges) -> set[int]:
    return {second for start, end in many for second in range(start, end)}


@given(pairs)
def test_normalise_keeps_the_seconds_and_leaves_disjoint_sorted_ranges(given_pairs: list[ranges.Range]) -> None:
    result = ranges.normalise(given_pairs)
    assert as_set(result) == {second for start, end in given_pairs for second in range(start, end)}
    assert all(start < end for start, end in result)
    assert all(left[1] < right[0] for left, right in itertools.pairwise(result))


@given(pairs, pairs)
def test_union_and_intersection_are_those_of_sets(left: list[ranges.Range], right: list[ranges.Range]) -> None:
    first, second = as_set(ranges.normalise(left)), as_set(ranges.normalise(right))
    assert as_set(ranges.union(left, right)) == first | second
    assert as_set(ranges.intersect(left, right)) == first & second


@given(pairs, seconds)
def test_gaps_are_what_is_missing(given_pairs: list[ranges.Range], until: int) -> None:
    assert as_set(ranges.gaps(given_pairs, until=until)) == set(range(until)) - as_set(ranges.normalise(given_pairs))


@given(st.lists(st.floats(min_value=0, max_value=300), min_size=2, max_size=9))
def test_contiguous_spans_tile_exactly_however_they_are_cut(cuts: list[float]) -> None:
    cuts.sort()
    whole = ranges.from_spans([(cuts[0], cuts[-1])])
    assert ranges.from_spans(list(itertools.pairwise(cuts))) == whole


def test_seconds_counts_overlaps_once() -> None:
    assert ranges.seconds([(0, 10), (5, 12), (20, 21)]) == 13
