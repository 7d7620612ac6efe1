"""What is said of a picture is what stands in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rendering.data import FunnelStep, Series
from analytics.rendering.facts import class_of, curve_facts, even_bounds, losses, sharpest_fall, skewed_bounds, value_at

POINTS = st.lists(
    st.tuples(st.integers(0, 200), st.none() | st.integers(0, 50)), max_size=40, unique_by=lambda point: point[0]
).map(sorted)


def slow_fall(points: list[tuple[int, int | None]], reach: float) -> float:
    """Every pair, one by one."""
    falls = [0]
    for i, (x, _y) in enumerate(points):
        for j in range(i):
            values = [value for _x, value in points[j : i + 1] if value is not None]
            is_whole = len(values) == i - j + 1
            if is_whole and (points[j][0] >= x - reach or j == i - 1):
                falls.append(values[0] - values[-1])
    return max(falls)


@given(POINTS, st.floats(0, 60))
def test_the_sharpest_fall_is_found_within_its_reach(points: list[tuple[int, int | None]], reach: float) -> None:
    fall = sharpest_fall(Series("", points), reach)
    assert (fall.size if fall else 0) == slow_fall(points, reach)
    if fall:
        assert {fall.before, fall.after} <= set(points)


def test_highest_lowest_and_sharpest_of_a_lecture() -> None:
    points = [(60.0 * n, value) for n, value in enumerate([100, 98, 97, 80, 79, 85, 84, None, 40, 39])]
    facts = curve_facts(Series("Live", points), window=60)
    assert facts
    assert (facts.first, facts.last, facts.highest, facts.lowest) == ((0, 100), (540, 39), (0, 100), (540, 39))
    assert facts.sharpest
    assert (facts.sharpest.before, facts.sharpest.after) == ((120, 97), (180, 80)), "not across the gap"
    assert curve_facts(Series("Nobody", [(0, None)])) is None


def test_the_height_of_a_curve_is_what_is_drawn() -> None:
    line = Series("", [(0, 10), (10, 20), (20, None), (30, 5), (40, 7)])
    steps = Series("", line.points, is_step=True)
    assert [value_at(line, x) for x in (-1, 0, 5, 10, 15, 20, 30, 35, 40, 41)] == [
        None,
        10,
        15,
        20,
        None,
        None,
        5,
        6,
        7,
        None,
    ]
    assert [value_at(steps, x) for x in (0, 5, 10, 15, 25, 35, 40)] == [10, 10, 20, 20, None, 5, 7]


@given(st.lists(st.just(0.0) | st.floats(1e-3, 1e6), min_size=1, max_size=50))
def test_classes_hold_every_value_and_the_highest_is_the_last(values: list[float]) -> None:
    for bounds in (even_bounds(values), skewed_bounds(values)):
        assert bounds == sorted(set(bounds))
        assert len(bounds) <= 5
        classes = {value: class_of(value, bounds) for value in values}
        assert all((one == 0) == (value <= 0) for value, one in classes.items())
        assert max(classes.values()) == (5 if max(values) > 0 else 0)
        ordered = [classes[value] for value in sorted(values)]
        assert ordered == sorted(ordered)


def test_bounds_can_be_read() -> None:
    assert even_bounds([900]) == [200, 400, 600, 800, 900]
    assert skewed_bounds([5310, 1004, 612, 12, 3]) == [15, 60, 300, 1500, 5310]
    assert skewed_bounds([4, 4]) == [4]
    assert even_bounds([]) == skewed_bounds([0]) == []


def test_losses_are_told_only_where_they_can_be() -> None:
    steps = [FunnelStep("a", 100), FunnelStep("b", 60), FunnelStep("c", 60), FunnelStep("d", None), FunnelStep("e", 9)]
    assert [(one.people, one.share) if one else None for one in losses(steps)] == [(40, 0.4), (0, 0), None, None]
    assert losses([FunnelStep("a", 5), FunnelStep("b", 7)]) == [None], "more than before is no loss"
    assert losses([FunnelStep("a", 0), FunnelStep("b", 0)]) == [None]
    assert losses([]) == []


def test_shares_are_of_those_who_had_come_so_far() -> None:
    found = losses([FunnelStep("a", 200), FunnelStep("b", 100), FunnelStep("c", 75)])
    assert [one.share for one in found if one] == pytest.approx([0.5, 0.25])
