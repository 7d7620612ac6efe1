"""One person, two phases: live and recorded seconds stay apart in the records and count together for the person."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from core.ranges import Ranges, from_spans, gaps, intersect, normalise, seconds, union
from courses.models import LessonCompletion
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import add_presenter
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import NOON, at, beat, make_device, make_enrolment, make_webinar, record_of, send
from webinars.domain.completion import coverage_digest, settle
from webinars.domain.posting import post_beats
from webinars.domain.queries import playback_state, watch_summary
from webinars.domain.registrations import register
from webinars.domain.restrictions import remove
from webinars.domain.timelines import timeline_of
from webinars.domain.watching import (
    CancelledError,
    ElsewhereError,
    NotBegunError,
    NotPlayableError,
    NotRegisteredError,
    RemovedError,
    WatchError,
    record_beats,
    start_play_session,
)
from webinars.enums import IngestKind, Phase, RecordingPolicy, Refusal
from webinars.models import PlaySession, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
thorough = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Ten minutes in three parts, with two interruptions of 20 and 40 seconds.
SPANS = [(0.0, 200.0, 0.0), (220.0, 420.0, 200.0), (460.0, 660.0, 400.0)]
LENGTH = 600


def watch(webinar: Webinar, user: User, *, after: float = 0, version: str = "") -> PlaySession:
    return start_play_session(
        webinar=webinar, user=user, device=make_device(user, now=at(after)), now=at(after), version=version
    )


def live_viewer() -> PlaySession:
    enrolment = make_enrolment()
    return watch(make_live(webinar=make_webinar(enrolment)), enrolment.user)


def test_a_live_session_counts_program_time_and_completes_nothing() -> None:
    session = live_viewer()
    assert (session.phase, session.epoch, session.media_seconds) == (Phase.LIVE, NOON, 86_400)
    assert send(session, (0, 30.4), after=31) == (None, 30, False)
    record = record_of(session)
    assert (record.phase, record.coverage, record.shown, record.carried) == (Phase.LIVE, ((0, 30),), None, None)
    state = playback_state(webinar=session.webinar, user=session.user)
    assert (state.phase, state.position, state.coverage, state.seen) == (Phase.LIVE, 30.4, ((0, 30),), 30)


def test_nobody_has_seen_more_of_a_broadcast_than_there_has_been() -> None:
    session = live_viewer()
    assert send(session, (60, 90), after=61).refusal is None  # 30 s for clocks that differ
    assert send(session, (80, 92), after=61) == (Refusal.OUTSIDE_MEDIA, None, None)
    assert send(session, after=61, position=92) == (Refusal.OUTSIDE_MEDIA, None, None)
    assert send(session, (80, 92), after=62).refusal is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"live_at": None, "starts_at": NOON + timedelta(days=1)}, NotBegunError, id="scheduled"),
        pytest.param({"live_at": None, "starts_at": NOON}, NotBegunError, id="doors open"),
        pytest.param({"live_at": None, "is_rehearsal": True}, NotBegunError, id="rehearsal"),
        pytest.param({"live_at": None, "cancelled_at": NOON}, CancelledError, id="cancelled"),
        pytest.param({"ended_at": NOON}, NotPlayableError, id="ended, no recording yet"),
    ],
)
def test_when_nothing_can_be_watched_it_says_why(changes: dict[str, Any], error: type[WatchError]) -> None:
    enrolment = make_enrolment()
    webinar = make_live(webinar=make_webinar(enrolment), **changes)
    with pytest.raises(error):
        watch(webinar, enrolment.user)
    assert not PlaySession.objects.exists()


def test_a_meeting_elsewhere_has_no_player() -> None:
    enrolment = make_enrolment()
    webinar = make_live(
        webinar=make_webinar(enrolment), ingest=IngestKind.EXTERNAL, external_url="https://meet.example.org/x"
    )
    webinar.broadcasts.all().delete()
    with pytest.raises(ElsewhereError):
        watch(webinar, enrolment.user)


def test_where_places_are_given_only_who_has_one_watches_live() -> None:
    enrolment = make_enrolment()
    webinar = make_live(webinar=make_webinar(enrolment), needs_registration=True, capacity=1)
    with pytest.raises(NotRegisteredError):
        watch(webinar, enrolment.user)
    register(webinar=webinar, user=enrolment.user, now=NOON)
    assert watch(webinar, enrolment.user).phase == Phase.LIVE
    presenter = EnrolmentFactory.create(programme=enrolment.programme, enrolled_at=NOON).user
    add_presenter(webinar, presenter)
    assert watch(webinar, presenter).phase == Phase.LIVE


def test_who_was_removed_neither_begins_nor_goes_on() -> None:
    session = live_viewer()
    send(session, (0, 10), after=10)
    moderator = RoleGrantFactory.create(programme=session.webinar.lesson.course.programme).user
    remove(webinar=session.webinar, user=session.user, actor=moderator, now=at(11))
    assert send(session, (10, 20), after=20) == (Refusal.SESSION_ENDED, None, None)
    with pytest.raises(RemovedError):
        watch(session.webinar, session.user, after=21)


def test_a_recording_opens_by_policy_and_earlier_for_staff() -> None:
    session = live_viewer()
    webinar = session.webinar
    Webinar.objects.filter(pk=webinar.pk).update(recording_policy=RecordingPolicy.ON_RELEASE)
    publish(webinar, spans=SPANS)
    with pytest.raises(NotPlayableError):
        watch(webinar, session.user, after=700)
    staff = RoleGrantFactory.create(programme=webinar.lesson.course.programme).user
    assert watch(webinar, staff, after=700).phase == Phase.ON_DEMAND


def test_the_recording_begins_where_the_live_stream_was_left_and_the_seconds_add_up() -> None:
    session = live_viewer()
    send(session, (0, 210), after=215)
    send(session, (220, 240.5), after=245)
    publish(session.webinar, spans=SPANS)
    state = playback_state(webinar=session.webinar, user=session.user)
    assert (state.phase, state.position, state.coverage) == (Phase.ON_DEMAND, 220.5, ((0, 221),))
    assert (state.seen, state.required, state.unseen) == (221, 540, 379)
    recorded = watch(session.webinar, session.user, after=700)
    assert (recorded.shown, recorded.carried, recorded.required_seconds) == (((0, 600),), ((0, 221),), 540)
    assert send(recorded, (220.5, 300), after=800) == (None, 300, False)
    assert record_of(recorded).coverage == ((221, 300),)
    assert record_of(session).coverage == ((0, 210), (220, 241))
    posted = post_beats(
        user_id=session.user_id, webinar_id=session.webinar_id, session=recorded.pk, raw_beats=[], now=at(801)
    )
    assert (posted.seen, posted.done) == (300, False)
    assert send(recorded, (300, 540), after=1100) == (None, 540, True)
    assert record_of(recorded).seen_seconds == 319
    settle(now=at(1110))
    evidence = LessonCompletion.objects.get().evidence
    assert (evidence["phase"], evidence["seen_seconds"]) == ("on_demand", 319)
    assert evidence["also"] == {
        "phase": "live",
        "seen_seconds": 231,
        "coverage_sha256": coverage_digest(((0, 210), (220, 241))),
    }


def test_a_gap_inside_the_stream_is_found_as_unseen() -> None:
    """Away from 100 to 130 and over the interruption: one part of the recording is missing."""
    session = live_viewer()
    send(session, (0, 100), (130, 200), after=215)
    send(session, (230, 660), after=665)
    publish(session.webinar, spans=SPANS)
    state = playback_state(webinar=session.webinar, user=session.user)
    assert state.coverage == ((0, 100), (130, 200), (210, 600))
    assert (state.unseen, state.next_unseen) == (40, (100, 130))


def test_who_watched_enough_live_is_complete_once_the_recording_is_there() -> None:
    session = live_viewer()
    send(session, (0, 420), (460, 605), after=665)
    assert settle(now=at(666)) == 0
    publish(session.webinar, spans=SPANS, at=at(700))
    assert settle(now=at(701)) == 1
    assert LessonCompletion.objects.get().user_id == session.user_id
    record = record_of(session)
    assert (record.reached_at, record.required_seconds, record.seen_seconds) == (at(701), 540, 565)
    assert settle(now=at(702)) == 0


def test_live_seconds_that_arrive_after_the_recording_complete_as_well() -> None:
    session = live_viewer()
    send(session, (0, 100), after=110)
    publish(session.webinar, spans=SPANS, at=at(700))
    assert settle(now=at(701)) == 0
    send(session, (100, 660), after=3600)
    assert settle(now=at(3630)) == 1


def test_a_later_cut_moves_the_place_and_what_was_watched_of_both_phases() -> None:
    session = live_viewer()
    send(session, (0, 50), after=60)
    publish(session.webinar, spans=SPANS)
    recorded = watch(session.webinar, session.user, after=700)
    send(recorded, (100, 150), after=800)
    before = record_of(recorded).coverage
    publish(session.webinar, spans=SPANS, cuts=((0, 20), (120, 140)))
    state = playback_state(webinar=session.webinar, user=session.user)
    assert (state.coverage, state.position) == (((0, 30), (80, 110)), 110.0)
    assert record_of(recorded).coverage == before == ((100, 150),)
    # The page that still plays the first version, and one with the second: both mean the same seconds.
    again = watch(session.webinar, session.user, after=900)
    assert (again.shown, again.media_seconds, again.required_seconds) == (((20, 120), (140, 600)), 560, 504)
    assert send(again, (80, 130), after=1000) == (None, 80, False)
    assert record_of(again).coverage == ((100, 170),)
    assert record_of(again).position_seconds == 170.0
    assert send(recorded, (170, 200), after=1050).refusal is None
    assert record_of(again).coverage == ((100, 200),)
    stale = watch(session.webinar, session.user, after=1100, version="v1")
    assert (stale.shown, stale.media_seconds) == (((0, 600),), 600)


def test_a_recording_replaced_by_hand_keeps_its_timeline() -> None:
    session = live_viewer()
    send(session, (0, 50), after=60)
    publish(session.webinar, spans=SPANS, cuts=((0, 20),))
    video = session.webinar.video
    assert video is not None
    video.published_source, video.published_version = "sources/by-hand.mp4", "v9"
    video.save()
    assert playback_state(webinar=session.webinar, user=session.user).coverage == ((0, 30),)


moments = st.integers(0, 660)
parts = st.lists(st.tuples(moments, moments).map(sorted).map(tuple), max_size=3)
cuts = st.lists(st.tuples(st.integers(0, 560), st.integers(1, 120)), max_size=3).map(
    lambda pairs: intersect([(start, start + length) for start, length in pairs], ((0, LENGTH - 20),))
)


def to_uncut(program: Ranges) -> Ranges:
    """By hand: what lies in an interruption is nowhere."""
    moved = []
    for start, end, offset in SPANS:
        for low, high in intersect(program, ((int(start), int(end)),)):
            moved.append((low - int(start) + int(offset), high - int(start) + int(offset)))
    return normalise(moved)


def numbered(shown: Ranges) -> dict[int, int]:
    """Second of the version → second of the uncut recording."""
    return dict(enumerate(second for start, end in shown for second in range(start, end)))


@thorough
@given(parts, st.lists(st.tuples(cuts, parts), min_size=1, max_size=3), st.booleans())
def test_two_phases_and_any_cuts_agree_with_counting_by_hand(
    live: Sequence[tuple[int, int]], editions: Sequence[tuple[Ranges, Sequence[tuple[int, int]]]], one_batch: bool
) -> None:
    session = live_viewer()
    send(session, *live, after=2000, position=0)
    seen_live = to_uncut(from_spans(live))
    watched: Ranges = ()
    sessions: list[PlaySession] = []
    for cut, spans in editions:
        publish(session.webinar, spans=SPANS, cuts=cut)
        shown = gaps(cut, until=LENGTH)
        length = seconds(shown)
        here = watch(session.webinar, session.user, after=2000)
        sessions.append(here)
        moved = numbered(shown)
        inside = [(min(start, length), min(end, length)) for start, end in spans]
        beats = [beat(here, span, number=n, position=0) for n, span in enumerate(inside)]
        batches = [beats] if one_batch else [[one] for one in beats]
        results = [result for batch in batches if batch for result in record_beats(batch, now=at(90_000))]
        watched = union(watched, [(moved[s], moved[s] + 1) for start, end in inside for s in range(start, end)])
        both = intersect(union(watched, seen_live), shown)
        assert {result.refusal for result in results} <= {None}
        if results:
            assert (results[-1].seen, record_of(here).coverage) == (seconds(both), watched)
            if seconds(both) >= here.required_seconds:
                assert results[-1].done
        summary = watch_summary(user=session.user, webinar_ids=[session.webinar_id])[session.webinar_id]
        back = {uncut: second for second, uncut in moved.items()}
        assert summary.coverage == normalise((back[s], back[s] + 1) for start, end in both for s in range(start, end))
        assert (summary.seen, summary.length) == (seconds(both), length)
    assert record_of(session).coverage == from_spans(live)


def test_the_timeline_while_it_is_live_comes_from_the_segments(django_assert_num_queries: object) -> None:
    webinar = make_live()
    broadcast = webinar.broadcasts.get()
    add_segments(broadcast, [(0.0, 30), (68.0, 20), (108.0, 5)])
    with django_assert_num_queries(2):  # type: ignore[operator]
        timeline = timeline_of(webinar.pk)
    assert [(piece.start, piece.end, piece.offset) for piece in timeline.pieces] == [
        (0.0, 60.0, 0.0),
        (68.0, 108.0, 60.0),
        (108.0, 118.0, 100.0),
    ]
    assert timeline.to_recording(64) == 60
    publish(webinar, spans=SPANS, cuts=((0, 50),))
    assert timeline_of(webinar.pk).to_recording(220) == 150


def test_a_jump_inside_a_publish_session_is_an_interruption() -> None:
    webinar = make_live()
    broadcast = webinar.broadcasts.get()
    add_segments(broadcast, [(0.0, 6)])
    for segment in broadcast.segments.filter(number__gte=3):
        segment.program_start += 9.0 + 0.02 * (segment.number - 3)
        segment.save()
    timeline = timeline_of(webinar.pk)
    assert [(piece.start, piece.offset) for piece in timeline.pieces] == [(0.0, 0.0), (15.0, 6.0)]


def test_many_webinars_that_were_live_are_still_one_query(django_assert_num_queries: object) -> None:
    session = live_viewer()
    send(session, (0, 50), after=60)
    webinars = [session.webinar, *(make_live() for _ in range(3))]
    for webinar in webinars:
        publish(webinar, spans=SPANS)
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = watch_summary(user=session.user, webinar_ids=[one.pk for one in webinars])
    assert [found[one.pk].seen for one in webinars] == [50, 0, 0, 0]
    assert found[session.webinar_id].live_seconds == 50


def test_records_of_the_two_phases_are_two_rows() -> None:
    session = live_viewer()
    send(session, (0, 50), after=60)
    publish(session.webinar, spans=SPANS)
    send(watch(session.webinar, session.user, after=700), (0, 10), after=710)
    assert set(WatchRecord.objects.values_list("phase", "seen_seconds")) == {("live", 50), ("on_demand", 10)}
