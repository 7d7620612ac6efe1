"""Reading beats: every malformed one is refused by its own reason, and none reaches the database."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ranges import from_spans
from webinars.domain.beats import MAX_SPANS, BeatError, read_beat, read_number
from webinars.enums import Refusal


def read(raw: Any) -> str:
    return read_beat(raw, user_id=1, webinar_id=2, session="s").ranges


def test_spans_are_rounded_half_up_at_both_ends() -> None:
    assert read({"n": 0, "s": [[0, 30.4], [30.4, 60.5]], "p": 60.5}) == "{[0,30),[30,61)}"


def test_a_beat_without_spans_only_moves_the_position() -> None:
    assert read_beat({"n": 3, "s": [], "p": 12.5}, user_id=1, webinar_id=2, session="s")[3:] == (3, "{}", 12.5)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "beat",
        {},
        {"n": 1, "s": [[0, 5]]},
        {"n": 1, "p": 5},
        {"n": True, "s": [], "p": 5},
        {"n": -1, "s": [], "p": 5},
        {"n": 1.5, "s": [], "p": 5},
        {"n": 2**60, "s": [], "p": 5},
        {"n": "1", "s": [], "p": 5},
        {"n": 1, "s": {}, "p": 5},
        {"n": 1, "s": [[0]], "p": 5},
        {"n": 1, "s": [[0, 5, 6]], "p": 5},
        {"n": 1, "s": [["0", 5]], "p": 5},
        {"n": 1, "s": [[None, 5]], "p": 5},
        {"n": 1, "s": [[False, 5]], "p": 5},
        {"n": 1, "s": [[5, 0]], "p": 5},
        {"n": 1, "s": [[0, 1]] * (MAX_SPANS + 1), "p": 5},
        {"n": 1, "s": [], "p": "5"},
        {"n": 1, "s": [], "p": [5]},
        json.loads('{"n": 1, "s": [[0, NaN]], "p": 5}'),
        json.loads('{"n": 1, "s": [[NaN, 5]], "p": 5}'),
        json.loads('{"n": 1, "s": [[0, Infinity]], "p": 5}'),
        json.loads('{"n": 1, "s": [[-Infinity, 5]], "p": 5}'),
        json.loads('{"n": 1, "s": [], "p": NaN}'),
    ],
)
def test_what_cannot_be_read_is_malformed(raw: Any) -> None:
    with pytest.raises(BeatError) as refused:
        read(raw)
    assert refused.value.refusal is Refusal.MALFORMED


@pytest.mark.parametrize("spans", [[[-0.6, 5]], [[0, 1e12]], [[0, 10**400]]])
def test_what_no_recording_can_hold_is_outside_the_media(spans: Any) -> None:
    with pytest.raises(BeatError) as refused:
        read({"n": 1, "s": spans, "p": 0})
    assert refused.value.refusal is Refusal.OUTSIDE_MEDIA


@pytest.mark.parametrize("position", [-1, -0.001, 1e12, 10**400])
def test_a_position_outside_every_recording_is_refused(position: float) -> None:
    with pytest.raises(BeatError) as refused:
        read({"n": 1, "s": [], "p": position})
    assert refused.value.refusal is Refusal.OUTSIDE_MEDIA


@pytest.mark.parametrize(
    ("raw", "number"), [({"n": 7}, 7), ({"n": "7"}, None), ({}, None), ([], None), ({"n": -1}, None)]
)
def test_the_number_is_found_whatever_else_is_wrong(raw: Any, number: int | None) -> None:
    assert read_number(raw) == number


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3)
GARBAGE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("nspx"), inner), max_leaves=12
)


@settings(max_examples=100, deadline=None)
@given(GARBAGE)
def test_nothing_but_a_refusal_ever_comes_of_garbage(raw: Any) -> None:
    try:
        ranges = read(raw)
    except BeatError:
        return
    assert ranges.startswith("{")


@given(st.lists(st.tuples(st.floats(0, 9999), st.floats(0, 9999)).map(sorted), max_size=MAX_SPANS))
def test_the_database_gets_the_same_seconds_as_core_ranges(spans: list[list[float]]) -> None:
    written = read({"n": 1, "s": spans, "p": 0}).strip("{}")
    pairs = [tuple(map(int, part.strip("[)").split(","))) for part in written.replace("),[", ") [").split()]
    assert from_spans(pairs) == from_spans([(start, end) for start, end in spans])  # type: ignore[arg-type]
