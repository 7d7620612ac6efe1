"""Crediting beats: what is refused and why, what is clipped, what survives a bad neighbour."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now

from accounts.domain.devices import end_device
from accounts.enums import DeviceEnd
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus
from tests.factories.courses import RoleGrantFactory
from tests.webinars.watching import (
    at,
    beat,
    coverage_of,
    make_device,
    make_enrolment,
    make_webinar,
    open_player,
    record_of,
    send,
)
from webinars.domain.beats import Beat
from webinars.domain.crediting import statement
from webinars.domain.watching import record_beats, start_play_session
from webinars.enums import Refusal
from webinars.models import PlaySession, WatchRecord

pytestmark = pytest.mark.django_db


def test_a_beat_is_credited_and_says_how_much_is_seen() -> None:
    session = open_player()
    assert send(session, (0, 30.4), after=31) == (None, 30, False)
    assert send(session, (30.4, 60), after=60) == (None, 60, False)
    record = record_of(session)
    assert (record.coverage, record.position_seconds, record.first_beat_at, record.last_beat_at) == (
        ((0, 60),),
        60.0,
        at(31),
        at(60),
    )
    assert record.clock == ((at(0), at(60)),)
    assert record.excess == ()


def test_it_is_known_when_the_newest_second_came() -> None:
    session = open_player()
    for spans, after, expected in (((0, 10), 10, 10), ((2, 8), 20, 10), ((8, 11), 30, 30), ((0, 11), 900, 30)):
        send(session, spans, after=after)
        assert (record_of(session).grew_at, record_of(session).last_beat_at) == (at(expected), at(after))


def test_seeking_credits_nothing_but_moves_the_position() -> None:
    session = open_player()
    send(session, (0, 10), after=10)
    assert send(session, after=12, position=400.25) == (None, 10, False)
    assert (coverage_of(session), record_of(session).position_seconds) == (((0, 10),), 400.25)


def test_the_last_position_received_wins() -> None:
    session = open_player()
    record_beats([beat(session, (0, 20)), beat(session, (5, 10), number=2)], now=at(30))
    assert record_of(session).position_seconds == 10


def test_sec_30_posting_faster_than_time_credits_what_time_allows() -> None:
    session = open_player()
    assert send(session, (0, 600), after=10) == (Refusal.TOO_FAST, 30, False)
    assert (coverage_of(session), record_of(session).excess) == (((0, 30),), ((30, 600),))
    assert send(session, (0, 600), after=20) == (Refusal.TOO_FAST, 50, False)
    assert coverage_of(session) == ((0, 50),)


def test_sec_30_replaying_a_beat_credits_nothing_more() -> None:
    session = open_player()
    for after in (30, 31, 600):
        send(session, (0, 20), after=after)
    assert coverage_of(session) == ((0, 20),)


def test_sec_30_an_open_player_earns_by_its_own_time_not_by_the_number_of_sessions() -> None:
    """Ten sessions opened at once are still one minute."""
    first = open_player()
    sessions = [
        first,
        *(start_play_session(webinar=first.webinar, user=first.user, device=first.device, now=at(0)) for _ in range(9)),
    ]
    for index, session in enumerate(sessions):
        send(session, (index * 60, index * 60 + 60), after=60)
    assert record_of(first).seen_seconds == 130


def test_sec_30_an_ended_session_earns_nothing() -> None:
    session = open_player()
    PlaySession.objects.update(ended_at=at(5))
    assert send(session, (0, 5), after=6) == (Refusal.SESSION_ENDED, None, None)
    assert not WatchRecord.objects.exists()


def test_sec_30_the_sessions_of_an_ended_device_earn_nothing() -> None:
    session = open_player()
    end_device(device=session.device, reason=DeviceEnd.REPLACED, now=now())
    assert send(session, (0, 5), after=6) == (Refusal.SESSION_ENDED, None, None)
    assert not WatchRecord.objects.exists()


@pytest.mark.parametrize("status", [EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN, EnrolmentStatus.INVITED])
def test_without_an_open_enrolment_nothing_is_credited(status: EnrolmentStatus) -> None:
    session = open_player()
    assert session.enrolment is not None
    session.enrolment.status = status
    session.enrolment.save()
    assert send(session, (0, 5), after=6) == (Refusal.NOT_ENROLLED, None, None)
    assert not WatchRecord.objects.exists()


def test_the_statement_knows_the_open_states_of_an_enrolment() -> None:
    """It names them itself: a query that asks Python for a constant cannot be written once."""
    named = re.search(r"e\.status NOT IN \(([^)]*)\)", statement(2.0, 10))
    assert named is not None
    assert set(re.findall(r"'(\w+)'", named[1])) == {status.value for status in OPEN_ENROLMENTS}


def test_a_completed_enrolment_still_counts() -> None:
    session = open_player()
    assert session.enrolment is not None
    session.enrolment.status, session.enrolment.completed_at = EnrolmentStatus.COMPLETED, at(0)
    session.enrolment.save()
    assert send(session, (0, 5), after=6).refusal is None


def test_unknown_and_foreign_sessions_are_the_same() -> None:
    mine, foreign = open_player(), open_player()
    other_webinar = open_player(enrolment=mine.enrolment)
    stolen = beat(mine, (0, 5))._replace(session=str(foreign.pk))
    misplaced = beat(mine, (0, 5))._replace(session=str(other_webinar.pk))
    unknown = beat(mine, (0, 5))._replace(session=str(uuid4()))
    results = record_beats([stolen, misplaced, unknown], now=at(10))
    assert [result.refusal for result in results] == [Refusal.UNKNOWN_SESSION] * 3
    assert not WatchRecord.objects.exists()


def test_outside_the_media_is_refused_and_its_last_moments_are_clipped() -> None:
    session = open_player(seconds=100.4)
    assert send(session, (90, 102.9), after=60) == (None, 10, False)
    assert coverage_of(session) == ((90, 100),)
    assert send(session, (0, 200), after=90) == (Refusal.OUTSIDE_MEDIA, None, None)
    assert send(session, after=90, position=180) == (Refusal.OUTSIDE_MEDIA, None, None)
    assert record_of(session).position_seconds == 100


def test_one_bad_beat_does_not_sink_the_others() -> None:
    good, other = open_player(), open_player()
    beats = [
        beat(good, (0, 5)),
        beat(good, (0, 9999), position=0),
        beat(other, (0, 7)),
        beat(good, (5, 9), number=2)._replace(session=str(uuid4())),
    ]
    results = record_beats(beats, now=at(20))
    assert [result.refusal for result in results] == [None, Refusal.OUTSIDE_MEDIA, None, Refusal.UNKNOWN_SESSION]
    assert (coverage_of(good), coverage_of(other)) == (((0, 5),), ((0, 7),))


def test_a_beat_that_postgresql_cannot_take_does_not_sink_the_others() -> None:
    good = open_player()
    poison = Beat(good.user_id, good.webinar_id, str(good.pk), 2, "{[not a range", 0.0)
    results = record_beats([beat(good, (0, 5)), poison, beat(good, (5, 9), number=3)], now=at(20))
    assert [result.refusal for result in results] == [None, Refusal.MALFORMED, None]
    assert coverage_of(good) == ((0, 9),)


def test_a_clock_that_runs_behind_another_replica_is_no_error() -> None:
    session = open_player()
    assert send(session, (0, 5), after=-30) == (None, 5, False)
    assert send(session, (0, 60), after=-30).refusal is Refusal.TOO_FAST
    assert record_of(session).seen_seconds == 10


def test_an_empty_batch_is_no_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert record_beats([], now=at(0)) == []


def test_a_batch_is_one_statement_whatever_its_size(django_assert_num_queries: object) -> None:
    sessions = [open_player() for _ in range(5)]
    with django_assert_num_queries(3):  # type: ignore[operator]  # savepoint, statement, release
        record_beats([beat(session, (0, 5)) for session in sessions for _ in range(20)], now=at(60))
    assert WatchRecord.objects.count() == 5


def test_phases_and_people_are_kept_apart() -> None:
    enrolments = [make_enrolment(), make_enrolment()]
    webinar = make_webinar(enrolments[0])
    enrolments[1].programme = enrolments[0].programme
    enrolments[1].save()
    one, two = (open_player(enrolment=enrolment, webinar=webinar) for enrolment in enrolments)
    record_beats([beat(one, (0, 5)), beat(two, (5, 10))], now=at(30))
    assert (coverage_of(one), coverage_of(two)) == (((0, 5),), ((5, 10),))


def test_a_preview_by_staff_is_recorded_without_an_enrolment() -> None:
    grant = RoleGrantFactory.create()
    webinar = make_webinar(make_enrolment())
    webinar.lesson.course.programme = grant.programme
    webinar.lesson.course.save()
    session = start_play_session(webinar=webinar, user=grant.user, device=make_device(grant.user), now=at(0))
    assert session.enrolment is None
    assert send(session, (0, 5), after=timedelta(seconds=9).total_seconds()).refusal is None
