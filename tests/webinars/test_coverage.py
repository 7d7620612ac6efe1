"""The promises of the watch engine, by properties, on the real database."""

import math
from datetime import datetime

import pytest
from django.conf import settings as product
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ranges import Ranges, from_spans, intersect, seconds, union
from tests.webinars.watching import at, beat, coverage_of, make_device, open_player, record_of, send
from webinars.domain.beats import Beat
from webinars.domain.watching import record_beats, start_play_session
from webinars.models import PlaySession

pytestmark = pytest.mark.django_db
LENGTH = 600
# Every example makes its own doctor and lecture, so that examples do not see each other's rows.
thorough = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

moments = st.floats(0, LENGTH).map(lambda value: round(value, 2))
spans = st.tuples(moments, moments).map(lambda pair: (min(pair), max(pair)))
beats_of_spans = st.lists(st.lists(spans, max_size=4), min_size=1, max_size=8)


def in_batches(beats: list[Beat], sizes: list[int], now: datetime) -> None:
    rest = beats
    for size in sizes:
        record_beats(rest[:size], now=now)
        rest = rest[size:]
    record_beats(rest, now=now)


@thorough
@given(
    beats_of_spans,
    st.lists(st.integers(0, 7), max_size=10),
    st.lists(st.integers(1, 4), max_size=5),
    st.randoms(use_true_random=False),
)
def test_order_repetition_overlap_and_batching_do_not_matter(
    given_beats: list[list[tuple[float, float]]], again: list[int], sizes: list[int], random: object
) -> None:
    session = open_player(seconds=LENGTH)
    beats = [beat(session, *parts, number=n, position=0) for n, parts in enumerate(given_beats)]
    repeated = beats + [beats[index % len(beats)] for index in again]
    random.shuffle(repeated)  # type: ignore[attr-defined]
    in_batches(repeated, sizes, now=at(36_000))
    expected = union(*(from_spans(parts) for parts in given_beats))
    assert coverage_of(session) == expected
    assert record_of(session).seen_seconds == seconds(expected)


@thorough
@given(
    st.lists(st.floats(0, 120), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 60), st.lists(spans, max_size=3)), min_size=1, max_size=8),
)
def test_credit_never_exceeds_the_servers_clock(
    starts: list[float], script: list[tuple[int, float, list[tuple[float, float]]]]
) -> None:
    """Whatever is claimed, from however many players: seconds credited ≤ time with a player open × 2 + 10."""
    first = open_player(seconds=LENGTH)
    sessions = [first, *(another_player(first, start) for start in starts[1:])]
    claimed: Ranges = ()
    clock: Ranges = ()
    before: Ranges = ()
    time = 120.0
    for which, pause, parts in script:
        session = sessions[which % len(sessions)]
        time += pause
        send(session, *parts, after=time, position=0)
        claimed = union(claimed, from_spans(parts))
        clock = union(clock, milliseconds(session, time))
        record = record_of(session)
        allowed = math.floor(seconds(clock) / 1000 * product.MAX_PLAYBACK_RATE + product.CREDIT_SLACK_SECONDS)
        assert record.seen_seconds == seconds(record.coverage) <= allowed
        assert intersect(record.coverage, claimed) == record.coverage
        assert intersect(record.coverage, before) == before
        assert union(record.coverage, record.excess) == claimed  # what is not credited is kept
        before = record.coverage


def milliseconds(session: PlaySession, until: float) -> Ranges:
    return ((round((session.started_at - at(0)).total_seconds() * 1000), math.ceil(until * 1000)),)


def another_player(session: PlaySession, start: float) -> PlaySession:
    """The same doctor on another device."""
    return start_play_session(
        webinar=session.webinar, user=session.user, device=make_device(session.user, now=at(start)), now=at(start)
    )


@thorough
@given(st.lists(st.floats(0.1, 40), min_size=1, max_size=8), st.floats(0.5, 2.0), st.data())
def test_an_honest_player_gets_every_second(pauses: list[float], rate: float, data: st.DataObject) -> None:
    """A player at any rate up to 2, some beats held back for a while: nothing is refused, nothing is missing."""
    session = open_player(seconds=LENGTH)
    time, position, waiting = 0.0, 0.0, []
    for number, pause in enumerate(pauses):
        time += pause
        end = min(position + pause * rate, LENGTH)
        waiting.append(beat(session, (position, end), number=number))
        position = end
        if data.draw(st.booleans()):
            assert {result.refusal for result in record_beats(waiting[::-1], now=at(time))} == {None}
            waiting = []
    record_beats(waiting, now=at(time))
    assert coverage_of(session) == from_spans([(0, position)])


@thorough
@given(st.integers(30_000, 250_000).map(lambda milliseconds: milliseconds / 1000), st.booleans())
def test_two_devices_at_once_never_double(length: float, together: bool) -> None:
    """Two players side by side, one from the start and one from the middle, each at double speed the whole time."""
    first = open_player(seconds=LENGTH)
    second = another_player(first, 0)
    one, two = beat(first, (0, min(length * 2, LENGTH / 2))), beat(second, (300, min(300 + length * 2, LENGTH)))
    if together:
        record_beats([one, two], now=at(length))
    else:
        record_beats([one], now=at(length))
        record_beats([two], now=at(length))
    assert record_of(first).seen_seconds <= math.floor(length * 2 + 10)


def test_the_same_part_on_two_devices_counts_once() -> None:
    first = open_player()
    second = another_player(first, 0)
    send(first, (0, 60), after=60)
    send(second, (30, 90), after=90)
    assert coverage_of(first) == ((0, 90),)
