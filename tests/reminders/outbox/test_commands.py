"""What an operator may do by hand."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from reminders.domain.revisions import notice_changes
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery
from tests.reminders.factories import NOW, DeliveryFactory, JourneyFactory, scene
from tests.reminders.outbox.test_sending import due
from tests.reminders.sink import taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
State = DeliveryState


def say(*words: str) -> str:
    told = StringIO()
    call_command(*words, stdout=told)
    return told.getvalue()


def test_a_rehearsal_shows_and_writes_nothing() -> None:
    found = scene(doctors=2, starts_at=NOW + timedelta(hours=1))
    notice_changes(now=NOW - timedelta(days=20))
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-60)
    told = say("sendreminders", "--dry-run", "--at", "2027-01-12T12:00")
    assert "2  An hour before · email" in told
    assert f"person {found.doctors[0].pk}  email" in told
    assert say("sendreminders", "--dry-run", "--at", "2027-01-12T17:29+05:30") == told
    assert "Nothing" in say("sendreminders", "--dry-run", "--at", "2027-01-12T09:00")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "words", [("--at", "2027-01-12T09:00"), ("--dry-run", "--at", "soon"), ("--dry-run", "--at", "2027-13-01")]
)
def test_another_time_is_for_rehearsals_and_has_to_be_one(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        say("sendreminders", *words)


def test_it_plans_and_sends_at_once() -> None:
    """By the real clock: the course was completed a moment ago, and nothing is planned yet."""
    from courses.models import CourseCompletion

    due(doctors=2)
    Delivery.objects.all().delete()
    CourseCompletion.objects.update(completed_at=now() - timedelta(minutes=1))
    assert "2 planned, 2 sent, 0 not sent" in say("sendreminders")
    assert set(taken().values()) == {1}


def test_the_status_counts_by_channel_and_says_when_something_is_late(capsys: Any) -> None:
    at = now()
    for state in (State.SENT, State.FAILED, State.UNKNOWN, State.SKIPPED):
        DeliveryFactory.create(state=state, due_at=at - timedelta(hours=1), expires_at=at + timedelta(hours=1))
    DeliveryFactory.create(state=State.SENT, due_at=at - timedelta(hours=30))
    DeliveryFactory.create(due_at=at - timedelta(seconds=30))
    DeliveryFactory.create(due_at=at + timedelta(minutes=5))
    DeliveryFactory.create(due_at=at, state=State.CLAIMED)
    line = say("outbox", "status").splitlines()[1].split()
    assert 30 <= int(line.pop(4)) < 90
    assert line == ["email", "1", "1", "1", "s", "1", "1", "1", "1"]
    assert "empty" in say("outbox", "status", "--channel", "sms")
    DeliveryFactory.create(due_at=at - timedelta(minutes=3), channel=Channel.SMS)
    with pytest.raises(SystemExit) as ended:
        say("outbox", "status")
    assert ended.value.code == 1


def test_dropping_and_trying_again_want_to_know_what() -> None:
    for what in ("drop", "retry"):
        with pytest.raises(CommandError):
            say("outbox", what)


def test_only_what_was_named_is_dropped() -> None:
    mine, other = DeliveryFactory.create(), DeliveryFactory.create()
    assert "1 withdrawn" in say("outbox", "drop", "--programme", mine.programme.slug)
    assert list(Delivery.objects.filter(state=State.PLANNED)) == [other]
    assert "1 withdrawn" in say("outbox", "drop", "--all")


def test_only_what_was_named_is_tried_again() -> None:
    later = now() + timedelta(hours=5)
    failed, unknown, sms = (
        DeliveryFactory.create(state=state, channel=channel, due_at=now(), expires_at=later)
        for state, channel in ((State.FAILED, "email"), (State.UNKNOWN, "email"), (State.FAILED, "sms"))
    )
    assert "1 planned again" in say("outbox", "retry", "--channel", "email")
    assert "1 planned again" in say("outbox", "retry", "--id", str(unknown.pk), "--with-unknown")
    assert set(Delivery.objects.filter(state=State.PLANNED)) == {failed, unknown}
    sms.refresh_from_db()
    assert sms.state == State.FAILED
