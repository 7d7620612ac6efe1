"""From the threshold to the completed lesson: by the sweep, once, with evidence, and not for everybody."""

import hashlib

import pytest

from courses.enums import EnrolmentStatus
from courses.models import LessonCompletion
from tests.webinars.watching import at, make_device, open_player, record_of, send
from webinars.domain import completion
from webinars.domain.completion import coverage_digest, settle
from webinars.domain.watching import start_play_session
from webinars.models import WatchRecord, Webinar
from webinars.tasks import settle_watch_records

pytestmark = pytest.mark.django_db


def test_the_beat_that_crosses_the_threshold_says_so_and_leaves_a_mark() -> None:
    session = open_player(seconds=100, percent=90)
    assert send(session, (0, 89), after=100) == (None, 89, False)
    assert record_of(session).reached_at is None
    assert send(session, (89, 90), after=110) == (None, 90, True)
    assert send(session, (90, 95), after=120) == (None, 95, True)
    assert record_of(session).reached_at == at(110)


def test_the_sweep_completes_the_lesson_with_evidence() -> None:
    session = open_player(seconds=100, percent=90)
    send(session, (0, 45), (50, 95), after=100)
    assert settle(now=at(130)) == 1
    done = LessonCompletion.objects.get()
    assert (done.user_id, done.lesson_id, done.completed_at) == (session.user_id, session.webinar.lesson_id, at(130))
    assert done.evidence == {
        "phase": "on_demand",
        "seen_seconds": 90,
        "required_seconds": 90,
        "reached_at": at(100).isoformat(),
        "coverage_sha256": hashlib.sha256(b"0-45,50-95").hexdigest(),
    }
    assert coverage_digest(record_of(session).coverage) == done.evidence["coverage_sha256"]


def test_settling_again_changes_nothing() -> None:
    session = open_player(seconds=100)
    send(session, (0, 100), after=100)
    assert (settle(now=at(130)), settle(now=at(140)), settle_watch_records()) == (1, 0, 0)
    send(session, (0, 100), after=150)
    assert settle(now=at(160)) == 0
    assert LessonCompletion.objects.get().completed_at == at(130)


def test_below_the_threshold_nothing_is_completed() -> None:
    session = open_player(seconds=100)
    send(session, (0, 89), after=100)
    assert settle(now=at(130)) == 0
    assert not LessonCompletion.objects.exists()


def test_a_suspended_doctor_is_completed_when_the_door_opens_again() -> None:
    session = open_player(seconds=100)
    send(session, (0, 100), after=100)
    assert session.enrolment is not None
    session.enrolment.status = EnrolmentStatus.SUSPENDED
    session.enrolment.save()
    assert settle(now=at(130)) == 0
    assert not LessonCompletion.objects.exists()
    session.enrolment.status = EnrolmentStatus.ACTIVE
    session.enrolment.save()
    assert settle(now=at(140)) == 1
    assert LessonCompletion.objects.count() == 1


def test_the_goal_of_a_running_session_does_not_move_with_the_settings() -> None:
    session = open_player(seconds=100, percent=50)
    Webinar.objects.update(completion_percent=100)
    assert send(session, (0, 50), after=100).done is True
    assert record_of(session).required_seconds == 50


def test_of_two_sessions_the_easier_goal_counts() -> None:
    session = open_player(seconds=100, percent=80)
    Webinar.objects.update(completion_percent=50)
    session.webinar.refresh_from_db()
    device = make_device(session.user)
    newer = start_play_session(webinar=session.webinar, user=session.user, device=device, now=at(1))
    assert (session.required_seconds, newer.required_seconds) == (80, 50)
    assert send(newer, (0, 50), after=100).done is True


def test_more_people_than_a_batch_are_all_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "BATCH", 2)
    for _ in range(5):
        send(open_player(seconds=10), (0, 10), after=10)
    assert settle(now=at(30)) == 5
    assert LessonCompletion.objects.count() == WatchRecord.objects.exclude(settled_at=None).count() == 5


@pytest.mark.django_db(transaction=True)
def test_crossing_rings_the_doorbell_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[int] = []
    monkeypatch.setattr(completion.doorbell, "ring", lambda: rings.append(1))
    session = open_player(seconds=100)
    send(session, (0, 50), after=100)
    assert rings == []
    send(session, (50, 100), after=110)
    send(session, (50, 100), after=120)
    assert rings == [1]
