"""Ticks stand at round numbers, and their labels beside each other."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.rendering.data import Axis, ChartError, Scale
from analytics.rendering.scales import between, box_of, covering, fitting, matching
from core.templatetags.ui import clock


@pytest.mark.parametrize(
    ("low", "high", "scale", "expected"),
    [
        (0, 7960, Scale.WHOLE, [0, 2000, 4000, 6000, 8000]),
        (0, 1, Scale.DECIMAL, [0, 0.25, 0.5, 0.75, 1]),
        (0, 3, Scale.WHOLE, [0, 1, 2, 3]),
        (0, 0, Scale.WHOLE, [0, 1]),
        (1, 5, Scale.DECIMAL, [1, 2, 3, 4, 5]),
        (-3, 4, Scale.WHOLE, [-4, -2, 0, 2, 4]),
        (0, 3600, Scale.CLOCK, [0, 900, 1800, 2700, 3600]),
    ],
)
def test_axes_begin_and_end_at_round_numbers(low: float, high: float, scale: Scale, expected: list[float]) -> None:
    assert covering(low, high, scale, 4) == expected


@given(
    st.floats(-1e6, 1e6),
    st.just(0.0) | st.floats(0.01, 1e6),
    st.sampled_from([Scale.WHOLE, Scale.DECIMAL]),
    st.integers(3, 6),
)
def test_an_axis_covers_all_its_values(low: float, span: float, scale: Scale, most: int) -> None:
    ticks = covering(low, low + span, scale, most)
    hair = 1e-6 + span * 1e-8  # what is above a tick by less than one sees stands on it
    assert ticks[0] <= low + hair
    assert ticks[-1] >= low + span - hair
    assert len(ticks) <= most + 2
    second = matching(low, low + span, scale, len(ticks) - 1)
    assert len(second) == len(ticks), "both stand on the same lines"
    assert second[0] <= low + hair
    assert second[-1] >= low + span - hair


@given(st.floats(1, 200_000), st.integers(120, 1200))
def test_labels_of_ticks_stand_apart_and_inside_at_any_greater_width(high: float, room: int) -> None:
    ticks = fitting(0, high, Axis(clock, Scale.CLOCK), room, 16)
    assert ticks
    for width in (room, room * 1.3, room * 4):
        boxes = [box_of(tick, width) for tick in ticks]
        assert all(one[1] < other[0] for one, other in pairwise(boxes))
        assert boxes[0][0] >= -16
        assert boxes[-1][1] <= width + 16


def test_a_single_place_stands_in_the_middle() -> None:
    assert [(tick.share, tick.text) for tick in fitting(90, 90, Axis(clock, Scale.CLOCK), 200, 16)] == [(50, "1:30")]


def test_ticks_of_wall_time_are_full_hours_of_the_readers_zone() -> None:
    kolkata = 5.5 * 3600
    begin = datetime(2026, 11, 24, 13, 10, tzinfo=UTC).timestamp()

    def write(at: float) -> str:
        return datetime.fromtimestamp(at + kolkata, UTC).strftime("%H:%M")

    ticks = fitting(begin, begin + 4 * 3600, Axis(write, Scale.CLOCK, offset=kolkata), 220, 16)
    assert [tick.text for tick in ticks] == ["19:00", "20:00", "21:00", "22:00"]


def test_ticks_of_long_times_are_mondays_and_first_days_of_months() -> None:
    begin, end = datetime(2026, 1, 14, tzinfo=UTC).timestamp(), datetime(2026, 7, 20, tzinfo=UTC).timestamp()

    def shown(days: int) -> list[str]:
        return [
            datetime.fromtimestamp(at, UTC).strftime("%a %d %b") for at in between(begin, end, days * 86400, Scale.DAYS)
        ]

    assert {text[:3] for text in shown(7)} == {"Mon"}
    assert shown(56) == ["Sun 01 Mar", "Fri 01 May", "Wed 01 Jul"]
    assert shown(364 * 2) == []


def test_an_axis_without_end_is_refused() -> None:
    with pytest.raises(ChartError):
        fitting(-1.7e308, 1.7e308, Axis(str), 200, 16)
