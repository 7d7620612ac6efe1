"""Who may go on air, when a session ends, and what program time is. Without a stream: the rules alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import AuditEvent, User
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory, add_presenter
from webinars.domain.broadcast_sweep import sweep_webinars
from webinars.domain.broadcasts import (
    LEASE,
    RehearsalError,
    add_segment,
    current_broadcast,
    current_session,
    end_publish_session,
    open_publish_session,
    program_now,
    report_health,
    set_rehearsal,
    sweep_broadcasts,
    sweep_sessions,
)
from webinars.domain.schedule import cancel_webinar, end_webinar
from webinars.domain.stream_keys import StreamKeyError, digest_of, find_key, make_key, revoke_key
from webinars.domain.stream_notices import KEPT, note
from webinars.enums import IngestKind, StreamProblem
from webinars.ingest.studio import SessionOver, StreamRefused
from webinars.models import Broadcast, PublishSession, Segment, StreamKey, StreamNotice, Visit, Webinar

pytestmark = pytest.mark.django_db
RENDITIONS = {"240p5": (2.0, 20_000), "audio": (2.0, 9_000)}


@pytest.fixture
def at() -> datetime:
    return now().replace(microsecond=0)


@pytest.fixture
def presenter() -> User:
    return UserFactory.create()


@pytest.fixture
def webinar(presenter: User, at: datetime) -> Webinar:
    return LiveWebinarFactory.create(presenters=[presenter], starts_at=at + timedelta(minutes=5))


def key_of(webinar: Webinar, user: User, at: datetime) -> str:
    return make_key(webinar=webinar, presenter=user, now=at)[1]


def publish(raw: str, at: datetime) -> PublishSession:
    return open_publish_session(raw_key=raw, front="listen", now=at)


def refusal(raw: str, at: datetime) -> StreamProblem:
    with pytest.raises(StreamRefused) as refused:
        publish(raw, at)
    return refused.value.problem


def segment(session: PublishSession, program_at: datetime, seconds: float = 2.0) -> Segment:
    return add_segment(session=session, program_at=program_at, seconds=seconds, renditions=RENDITIONS, now=program_at)


def notices(webinar: Webinar) -> list[str]:
    return list(StreamNotice.objects.filter(webinar=webinar).order_by("pk").values_list("problem", flat=True))


class TestKeys:
    def test_a_key_is_kept_as_a_hash_only(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        key, raw = make_key(webinar=webinar, presenter=presenter, now=at)

        assert raw.startswith(f"{webinar.pk}-")
        assert len(raw.partition("-")[2]) == 32
        assert key.digest == digest_of(raw)
        assert raw not in repr(StreamKey.objects.values().get(pk=key.pk))
        assert raw not in repr(list(AuditEvent.objects.values()))
        assert find_key(raw) == key
        assert find_key(raw + "x") is None
        assert find_key("") is None

    def test_a_new_key_ends_the_old_one_and_its_stream(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        old = key_of(webinar, presenter, at)
        session = publish(old, at)
        new = key_of(webinar, presenter, at)

        assert find_key(old) is None
        assert find_key(new) is not None
        with pytest.raises(SessionOver) as over:
            report_health(session_id=session.pk, health={}, problems=[], now=at)
        assert over.value.because == StreamProblem.WRONG_KEY

    def test_a_withdrawn_key_ends_the_stream(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        raw = key_of(webinar, presenter, at)
        session = publish(raw, at)
        key = StreamKey.objects.get()
        revoke_key(key=key, actor=None, now=at)
        revoke_key(key=key, actor=None, now=at)

        with pytest.raises(SessionOver):
            segment(session, at)
        assert refusal(raw, at) == StreamProblem.WRONG_KEY
        assert AuditEvent.objects.filter(action="stream_key.revoked").count() == 1

    def test_only_who_presents_or_runs_it_gets_a_key(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        with pytest.raises(StreamKeyError):
            make_key(webinar=webinar, presenter=UserFactory.create(), now=at)
        raw = key_of(webinar, presenter, at)
        webinar.presenters.clear()

        assert refusal(raw, at) == StreamProblem.WRONG_KEY

    @pytest.mark.parametrize(
        "leave",
        [
            lambda webinar, presenter: presenter.role_grants.all().delete(),
            lambda webinar, presenter: webinar.presenters.clear(),
            lambda webinar, presenter: User.objects.filter(pk=presenter.pk).update(is_active=False),
        ],
        ids=["role taken back", "off the list", "account closed"],
    )
    def test_sec_19_whoever_presents_no_more_is_cut_off_and_stays_out(
        self, webinar: Webinar, presenter: User, at: datetime, leave: Callable[[Webinar, User], object]
    ) -> None:
        """Also with a place in the programme, by which they still come to its pages."""
        EnrolmentFactory.create(user=presenter, programme=webinar.lesson.course.programme)
        raw = key_of(webinar, presenter, at)
        session = publish(raw, at)
        segment(session, at)
        leave(webinar, presenter)

        for work in (
            lambda: segment(session, at + timedelta(seconds=2)),
            lambda: report_health(session_id=session.pk, health={}, problems=[], now=at),
        ):
            with pytest.raises(SessionOver) as over:
                work()
            assert over.value.because == StreamProblem.WRONG_KEY
        assert Segment.objects.count() == 1
        assert refusal(raw, at) == StreamProblem.WRONG_KEY
        with pytest.raises(StreamKeyError):
            make_key(webinar=webinar, presenter=User.objects.get(pk=presenter.pk), now=at)


class TestWhoMayPublish:
    def test_an_unknown_key_is_told_to_the_webinar_it_names(self, webinar: Webinar, at: datetime) -> None:
        other = LiveWebinarFactory.create()
        for raw in (f"{webinar.pk}-guess", "no-key", "999999999999999999999-x", "", f"{other.pk + 1000}-x"):
            assert refusal(raw, at) == StreamProblem.WRONG_KEY

        assert notices(webinar) == ["wrong_key"]
        assert StreamNotice.objects.count() == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"starts_at": timedelta(hours=2)},
            {"cancelled_at": timedelta()},
            {"ingest": IngestKind.IVS},
            {"live_at": timedelta(hours=-2), "ended_at": timedelta(hours=-1)},
        ],
    )
    def test_not_outside_its_time(
        self, change: dict[str, Any], webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        raw = key_of(webinar, presenter, at)
        for name, value in change.items():
            setattr(webinar, name, at + value if isinstance(value, timedelta) else value)
        webinar.save()

        assert refusal(raw, at) == StreamProblem.NOT_TIME_YET
        assert notices(webinar) == ["not_time_yet"]
        assert not Broadcast.objects.exists()

    def test_not_to_a_recorded_lecture(self, presenter: User, at: datetime) -> None:
        lecture = WebinarFactory.create()
        add_presenter(lecture, presenter)

        assert refusal(key_of(lecture, presenter, at), at) == StreamProblem.NOT_TIME_YET

    def test_a_rehearsal_may_be_at_any_time(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        Webinar.objects.filter(pk=webinar.pk).update(starts_at=at + timedelta(days=3), is_rehearsal=True)
        session = publish(key_of(webinar, presenter, at), at)
        segment(session, at)

        webinar.refresh_from_db()
        assert session.broadcast.is_rehearsal
        assert webinar.live_at is None
        assert program_now(webinar, at) is None

    def test_a_second_presenter_is_refused_or_takes_over(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        other = UserFactory.create()
        add_presenter(webinar, other)
        mine, theirs = key_of(webinar, presenter, at), key_of(webinar, other, at)
        first = publish(mine, at)

        assert refusal(theirs, at) == StreamProblem.ALREADY_LIVE
        Webinar.objects.filter(pk=webinar.pk).update(allows_takeover=True)
        second = publish(theirs, at)

        assert second.number == 2
        assert second.broadcast == first.broadcast
        with pytest.raises(SessionOver) as over:
            segment(first, at)
        assert over.value.because == StreamProblem.TAKEN_OVER
        assert notices(webinar) == ["already_live", "taken_over"]

    def test_two_programs_that_connect_again_do_not_throw_each_other_out_for_ever(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        other = UserFactory.create()
        add_presenter(webinar, other)
        Webinar.objects.filter(pk=webinar.pk).update(allows_takeover=True)
        mine, theirs = key_of(webinar, presenter, at), key_of(webinar, other, at)
        publish(mine, at)
        session = publish(theirs, at)
        PublishSession.objects.filter(pk=session.pk).update(lease_until=at + timedelta(hours=1))
        for number in range(15):
            later = at + timedelta(seconds=2 * 1.5**number)
            assert refusal(mine, later) == StreamProblem.ALREADY_LIVE

        assert publish(key_of(webinar, presenter, at), at + timedelta(minutes=15)).number == 3

    def test_one_comes_back_before_the_old_connection_is_known_to_be_dead(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        raw = key_of(webinar, presenter, at)
        first, second = publish(raw, at), publish(raw, at + timedelta(seconds=3))
        first.refresh_from_db()

        assert (first.ended_because, second.number) == ("interrupted", 2)
        assert current_session(webinar.pk) == second

    def test_a_dead_session_holds_nobody_up(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        other = UserFactory.create()
        add_presenter(webinar, other)
        publish(key_of(webinar, presenter, at), at)

        assert publish(key_of(webinar, other, at), at + LEASE + timedelta(seconds=1)).number == 2


class TestProgramTime:
    def test_the_first_segment_is_program_time_zero_and_goes_live(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        session = publish(key_of(webinar, presenter, at), at)
        assert program_now(webinar, at) is None
        first = segment(session, at + timedelta(seconds=1))
        second = segment(session, at + timedelta(seconds=3))

        webinar.refresh_from_db()
        broadcast = current_broadcast(webinar.pk)
        assert broadcast is not None
        assert broadcast.epoch == at + timedelta(seconds=1)
        assert [(one.number, one.program_start) for one in (first, second)] == [(0, 0.0), (1, 2.0)]
        assert webinar.live_at == at + timedelta(seconds=1)
        assert program_now(webinar, at) == 4.0

    def test_an_interruption_is_a_gap(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        raw = key_of(webinar, presenter, at)
        segment(publish(raw, at), at)
        later = segment(publish(raw, at), at + timedelta(seconds=10))

        assert (later.number, later.program_start) == (1, 10.0)

    def test_a_session_with_a_clock_behind_is_moved_behind_what_is_there(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        raw = key_of(webinar, presenter, at)
        first = publish(raw, at)
        for second in range(0, 20, 2):
            segment(first, at + timedelta(seconds=second))
        second_session = publish(raw, at)
        late = [segment(second_session, at + timedelta(seconds=second)) for second in (5, 7, 9)]

        assert [one.program_start for one in late] == [20.0, 22.0, 24.0]
        second_session.refresh_from_db()
        assert second_session.shift_seconds == 15.0

    def test_nothing_is_added_after_the_end(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        raw = key_of(webinar, presenter, at)
        session = publish(raw, at)
        segment(session, at)
        end_webinar(webinar_id=webinar.pk, actor=None, now=at + timedelta(seconds=5))

        with pytest.raises(SessionOver) as over:
            segment(session, at + timedelta(seconds=2))
        assert over.value.because == ""
        assert refusal(raw, at) == StreamProblem.NOT_TIME_YET


class TestEnds:
    def test_a_report_renews_the_lease_and_keeps_what_the_door_noted(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        session = publish(key_of(webinar, presenter, at), at)
        later = at + timedelta(seconds=2)
        problems = [(StreamProblem.NO_SOUND, "")]
        for _ in range(3):
            report_health(session_id=session.pk, health={"video_kbits": 900}, problems=problems, now=later)

        session.refresh_from_db()
        assert session.lease_until == later + LEASE
        assert session.reported_at == later
        assert session.health == {
            "front": "listen",
            "video_kbits": 900,
            "problems": [{"problem": "no_sound", "detail": ""}],
        }
        assert notices(webinar) == ["no_sound"]

    def test_the_sweep_ends_who_died_without_a_word(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        session = publish(key_of(webinar, presenter, at), at)

        assert sweep_sessions(now=at + LEASE) == 0
        assert sweep_sessions(now=at + LEASE + timedelta(seconds=1)) == 1
        session.refresh_from_db()
        assert session.ended_because == StreamProblem.INTERRUPTED
        assert notices(webinar) == ["interrupted"]
        assert current_broadcast(webinar.pk) == session.broadcast

    def test_a_webinar_that_nobody_ends_ends_by_itself(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        session = publish(key_of(webinar, presenter, at), at)
        segment(session, at)
        planned_end = at + timedelta(minutes=65)
        after = planned_end + timedelta(minutes=31)
        assert sweep_broadcasts(now=after) == 0
        end_publish_session(session_id=session.pk, now=planned_end)

        assert sweep_broadcasts(now=planned_end + timedelta(minutes=29)) == 0
        assert sweep_broadcasts(now=after) == 1
        webinar.refresh_from_db()
        assert webinar.ended_at == after
        assert current_broadcast(webinar.pk) is None

    def test_a_rehearsal_without_a_publisher_ends(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        set_rehearsal(webinar_id=webinar.pk, on=True, actor=None, now=at)
        session = publish(key_of(webinar, presenter, at), at)
        end_publish_session(session_id=session.pk, now=at)

        assert sweep_broadcasts(now=at + timedelta(minutes=9)) == 0
        assert sweep_broadcasts(now=at + timedelta(minutes=11)) == 1

    def test_switching_rehearsal_off_ends_it(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        set_rehearsal(webinar_id=webinar.pk, on=True, actor=presenter, now=at)
        raw = key_of(webinar, presenter, at)
        rehearsal = publish(raw, at)
        set_rehearsal(webinar_id=webinar.pk, on=False, actor=presenter, now=at)

        with pytest.raises(SessionOver):
            segment(rehearsal, at)
        real = publish(raw, at)
        assert not real.broadcast.is_rehearsal
        segment(real, at)
        with pytest.raises(RehearsalError):
            set_rehearsal(webinar_id=webinar.pk, on=True, actor=presenter, now=at)

    def test_a_rehearsal_after_an_empty_start_leaves_the_real_one_possible(
        self, webinar: Webinar, presenter: User, at: datetime
    ) -> None:
        raw = key_of(webinar, presenter, at)
        empty = publish(raw, at)
        set_rehearsal(webinar_id=webinar.pk, on=True, actor=None, now=at)
        rehearsal = publish(raw, at + timedelta(seconds=1))
        segment(rehearsal, at + timedelta(seconds=1))
        set_rehearsal(webinar_id=webinar.pk, on=False, actor=None, now=at + timedelta(seconds=5))
        real = publish(raw, at + timedelta(seconds=6))

        assert rehearsal.broadcast != empty.broadcast == real.broadcast
        assert segment(real, at + timedelta(seconds=7)).program_start == 0.0

    def test_a_cancelled_webinar_takes_nothing(self, webinar: Webinar, presenter: User, at: datetime) -> None:
        raw = key_of(webinar, presenter, at)
        session = publish(raw, at)
        cancel_webinar(webinar_id=webinar.pk, reason="", actor=None, now=at)

        with pytest.raises(SessionOver):
            report_health(session_id=session.pk, health={}, problems=[], now=at)
        assert refusal(raw, at) == StreamProblem.NOT_TIME_YET
        end_publish_session(session_id=session.pk, now=at)
        assert sweep_broadcasts(now=at + timedelta(minutes=11)) == 1
        assert current_broadcast(webinar.pk) is None


class TestMeetingsElsewhere:
    """Nobody ends them: they have no broadcast."""

    @pytest.fixture
    def meeting(self, at: datetime) -> Webinar:
        started = at - timedelta(minutes=100)
        return LiveWebinarFactory.create(
            ingest=IngestKind.EXTERNAL, external_url="https://meet.example/1", starts_at=started, live_at=started
        )

    def test_end_half_an_hour_after_their_time(self, meeting: Webinar, at: datetime) -> None:
        assert sweep_webinars(now=at - timedelta(minutes=11)) == 0
        assert sweep_webinars(now=at) == 1
        meeting.refresh_from_db()
        assert meeting.ended_at == at

    def test_go_on_while_somebody_is_there(self, meeting: Webinar, at: datetime) -> None:
        joined = at - timedelta(minutes=90)
        Visit.objects.create(webinar=meeting, user=UserFactory.create(), joined_at=joined, seen_at=at)

        assert sweep_webinars(now=at) == 0


def test_notices_are_said_once_a_minute_and_bounded(webinar: Webinar, at: datetime) -> None:
    for minute in range(KEPT + 20):
        for _ in range(3):
            note(webinar_id=webinar.pk, problem=StreamProblem.NO_SOUND, now=at + timedelta(minutes=2 * minute))

    assert StreamNotice.objects.filter(webinar=webinar).count() == KEPT
