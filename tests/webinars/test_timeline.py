"""The map between program time and recording time, by properties and by the cases of real broadcasts."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ranges import gaps, intersect, normalise, seconds
from webinars.domain.timeline import Timeline

# A broadcast: pieces of whole tenths with gaps, then cuts of its recording.
pieces = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 1200)), min_size=1, max_size=8)
cuts = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 900)), max_size=4)


def build(parts: list[tuple[int, int]], removed: list[tuple[int, int]]) -> Timeline:
    spans, program, recording = [], 0.0, 0.0
    for gap, length in parts:
        program += gap / 10
        spans.append((program, program + length / 10, recording))
        program += length / 10
        recording += length / 10
    return Timeline.from_spans(spans, cuts=[(start / 10, (start + length) / 10) for start, length in removed])


timelines = st.builds(build, pieces, cuts)


@given(timelines, st.lists(st.floats(-50, 2000), min_size=2, max_size=20))
def test_to_recording_never_goes_back(timeline: Timeline, points: list[float]) -> None:
    mapped = [timeline.to_recording(point) for point in sorted(points)]
    assert all(after >= before - 1e-6 for before, after in pairwise(mapped))
    assert all(-1e-6 <= point <= timeline.recording_seconds + 1e-6 for point in mapped)


@given(timelines, st.floats(0, 1))
def test_every_second_of_the_recording_comes_back_to_itself(timeline: Timeline, share: float) -> None:
    point = share * timeline.recording_seconds
    assert timeline.to_recording(timeline.to_program(point)) == pytest.approx(point, abs=1e-6)


@given(timelines)
def test_pieces_fill_the_recording_without_holes(timeline: Timeline) -> None:
    at = 0.0
    for piece in timeline.pieces:
        assert piece.offset == pytest.approx(at, abs=1e-6)
        assert piece.end > piece.start
        at = piece.offset_end


@given(timelines, st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000)).map(sorted), max_size=5))
def test_ranges_never_grow_by_more_than_rounding(timeline: Timeline, given_ranges: list[list[int]]) -> None:
    ranges = tuple((start, end) for start, end in given_ranges)
    mapped = timeline.ranges_to_recording(ranges)
    assert seconds(mapped) <= seconds(ranges) + len(timeline.pieces) * (len(ranges) + 1)
    assert all(0 <= start < end <= math.ceil(timeline.recording_seconds) for start, end in mapped)


@given(st.integers(0, 500), st.integers(1, 500))
def test_watching_all_of_the_broadcast_covers_all_of_the_recording(start: int, length: int) -> None:
    timeline = Timeline.from_spans([(float(start), float(start + length), 0.0)])
    assert timeline.ranges_to_recording(((start, start + length),)) == ((0, length),)
    assert timeline.ranges_to_program(((0, length),)) == ((start, start + length),)


# Whatever packagers' clocks do: parts that overlap, touch, lie within each other, or have no length.
wild = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 900)), min_size=1, max_size=8)


def build_wild(parts: list[tuple[int, int]], removed: list[tuple[int, int]]) -> Timeline:
    spans, recording = [], 0.0
    for start, length in sorted(parts):
        spans.append((start / 10, (start + length) / 10, recording))
        recording += length / 10
    return Timeline.from_spans(spans, cuts=[(start / 10, (start + length) / 10) for start, length in removed])


@given(wild, cuts, st.lists(st.floats(-50, 2000), min_size=2, max_size=20), st.floats(0.01, 0.99))
def test_wild_clocks_still_give_a_map_that_never_goes_back(
    parts: list[tuple[int, int]], removed: list[tuple[int, int]], points: list[float], share: float
) -> None:
    timeline = build_wild(parts, removed)
    for before, after in pairwise(timeline.pieces):
        assert before.end <= after.start + 1e-6
        assert before.offset_end <= after.offset + 1e-6
    mapped = [timeline.to_recording(point) for point in sorted(points)]
    assert all(after >= before - 1e-6 for before, after in pairwise(mapped))
    for piece in timeline.pieces:
        if piece.end - piece.start < 1e-6:  # the remainder of a subtraction
            continue
        there = timeline.to_recording(piece.start + share * (piece.end - piece.start))
        assert piece.offset - 1e-6 <= there <= piece.offset_end + 1e-6
        assert timeline.to_recording(timeline.to_program(there)) == pytest.approx(there, abs=1e-6)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_cuts_at_the_very_edges_of_a_piece(first: int, second: int, third: int) -> None:
    a, b, c = float(first), float(first + second), float(first + second + third)
    spans = [(0.0, a, 0.0), (a + 7, b + 7, a), (b + 20, c + 20, b)]
    timeline = Timeline.from_spans(spans, cuts=[(a, b)])
    assert timeline.to_recording(a) == timeline.to_recording(a + 7) == timeline.to_recording(b + 20) == a
    assert timeline.recording_seconds == first + third
    assert Timeline.from_spans(spans, cuts=[(a, a)]) == Timeline.from_spans(spans)
    assert Timeline.from_spans(spans, cuts=[(0, a), (b, c + 99)]).ranges_to_recording(((0, 5000),)) == ((0, second),)
    assert Timeline.from_spans(spans, cuts=[(0, c)]).pieces == ()


@given(cuts, st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)).map(sorted), max_size=5))
def test_whole_seconds_come_back_from_a_cut_recording_exactly(
    removed: list[tuple[int, int]], given_ranges: list[list[int]]
) -> None:
    whole = [(start // 10, (start + length) // 10) for start, length in removed]
    timeline = Timeline.from_spans([(0.0, 400.0, 0.0)], cuts=whole)
    ranges = normalise((start, end) for start, end in given_ranges)
    kept = intersect(gaps(normalise(whole), until=400), ranges)
    assert timeline.ranges_to_program(timeline.ranges_to_recording(ranges)) == kept
    assert seconds(timeline.ranges_to_recording(ranges)) == seconds(kept)


def test_an_interruption_is_skipped() -> None:
    timeline = Timeline.from_spans([(0, 60, 0), (68, 120, 60)])
    assert timeline.to_recording(30) == 30
    assert timeline.to_recording(64) == 60  # in the gap: where the next part begins
    assert timeline.to_recording(70) == 62
    assert timeline.to_recording(500) == 112
    assert timeline.ranges_to_recording(((50, 80),)) == ((50, 72),)


def test_a_trimmed_head_a_cut_pause_and_a_trimmed_tail() -> None:
    timeline = Timeline.from_spans([(0, 100, 0)], cuts=[(0, 10), (40, 50), (90, 100)])
    assert timeline.to_recording(5) == 0
    assert timeline.to_recording(20) == 10
    assert timeline.to_recording(45) == 30
    assert timeline.to_recording(50) == 30
    assert timeline.to_recording(95) == timeline.recording_seconds == 70
    assert timeline.ranges_to_recording(((0, 100),)) == ((0, 70),)
    assert timeline.ranges_to_program(((0, 70),)) == ((10, 40), (50, 90))


def test_overlapping_program_times_belong_to_the_earlier_part() -> None:
    timeline = Timeline.from_spans([(0, 60, 0), (55, 100, 60)])
    assert timeline.to_recording(57) == 57
    assert timeline.to_recording(60) == 65  # its segment begins at 60 with program time 55
    assert timeline.to_program(59) == 59
    assert timeline.to_program(63) == 60  # those five seconds are in the recording, but have no time of their own
    assert timeline.recording_seconds == 105


def test_everything_cut_away_or_never_broadcast_maps_nowhere() -> None:
    for timeline in (Timeline(), Timeline.from_spans([(0, 10, 0)], cuts=[(0, 10)]), Timeline.from_spans([(5, 5, 0)])):
        assert timeline.pieces == ()
        assert timeline.to_recording(7) == 0
        assert timeline.to_program(7) == 0
        assert timeline.ranges_to_recording(((0, 10),)) == ()


def test_editing_a_cut_remaps_the_same_coverage() -> None:
    spans = [(0.0, 100.0, 0.0)]
    live = ((0, 50),)
    assert Timeline.from_spans(spans).ranges_to_recording(live) == ((0, 50),)
    assert Timeline.from_spans(spans, cuts=[(0, 20)]).ranges_to_recording(live) == ((0, 30),)
