"""A round of the outbox to its end: what the provider says decides, and every message ends somewhere."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from accounts.models import User
from reminders.domain import consent
from reminders.domain.outbox import claim_due
from reminders.domain.running import drain
from reminders.domain.sending import BACKOFF, LONGEST_PAUSE, MOST_TRIES, Round, send_some
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import ConsentRecord, Delivery, InboxItem, PushSubscription, Suppression
from reminders.transports.base import Accepted, Refused
from tests.reminders.factories import (
    NOW,
    ChannelChoiceFactory,
    DeliveryFactory,
    JourneyFactory,
    MessageTemplateFactory,
    PushSubscriptionFactory,
    Scene,
    scene,
)
from tests.reminders.sink import FOR_GOOD, LOST, NO_SUCH, TEMPORARY, Sink, answer, forget_rates, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
State = DeliveryState


def due(*, doctors: int = 1, channel: str = Channel.EMAIL, expires_at: datetime = NOW + timedelta(days=2)) -> Scene:
    """A thank-you for a course that everybody has completed, with words for it."""
    from courses.models import CourseCompletion

    found = scene(doctors=doctors)
    course = found.webinar.lesson.course
    JourneyFactory.create(programme=found.programme, kind=Kind.COURSE_COMPLETED, offset_minutes=0, channels=[channel])
    MessageTemplateFactory.create(
        template_set=found.policy.template_set, kind=Kind.COURSE_COMPLETED, channel=channel,
        subject="Thank you" if channel in {Channel.EMAIL, Channel.INBOX, Channel.PUSH} else "", body="You did it.",
    )  # fmt: skip
    for doctor in found.doctors:
        CourseCompletion.objects.create(user=doctor, course=course, completed_at=NOW)
        ChannelChoiceFactory.create(user=doctor, channel=channel, is_on=True)
        DeliveryFactory.create(
            programme=found.programme, user=doctor, kind=Kind.COURSE_COMPLETED, subject=f"course/{course.pk}",
            channel=channel, expires_at=expires_at,
        )  # fmt: skip
    return found


def send(*, channel: str = Channel.EMAIL, now: datetime = NOW, limit: int = 200) -> Round:
    return send_some(channel=channel, limit=limit, clock=lambda: now)


def only() -> Delivery:
    found: Delivery = Delivery.objects.get()
    return found


def test_it_goes_out_once_and_stays_sent() -> None:
    due()
    assert send() == Round(taken=1, sent=1)
    assert send() == Round()
    one = only()
    assert taken() == {str(one.key): 1}
    assert (one.state, one.transport, one.provider_id, one.tries) == (State.SENT, "sink", f"sink-{one.key}", 1)
    assert one.ended_at == NOW
    assert one.template is not None
    assert one.address_digest is not None


def test_refused_for_a_while_comes_back_later_and_later_and_ends_at_last() -> None:
    found = due()
    answer(found.doctors[0].email, TEMPORARY)
    moment = NOW
    for wait in BACKOFF:
        assert send(now=moment).taken == 1
        one = only()
        assert (one.state, one.due_at, one.error) == (State.PLANNED, moment + wait, "come back later")
        assert send(now=moment + wait - timedelta(seconds=1)).taken == 0
        moment += wait
    assert send(now=moment).taken == 1
    assert (only().state, only().tries) == (State.FAILED, MOST_TRIES)
    assert not taken()


def test_what_would_be_too_late_is_not_tried_again() -> None:
    found = due(expires_at=NOW + timedelta(seconds=50))
    answer(found.doctors[0].email, TEMPORARY)
    send()
    assert only().state == State.FAILED


def test_a_provider_that_asks_for_a_rest_gets_it() -> None:
    found = due()
    answer(found.doctors[0].email, Refused("slow down", is_temporary=True, retry_after=600.0))
    send()
    assert only().due_at == NOW + timedelta(seconds=600)
    held_up = send(now=NOW + timedelta(hours=1))
    assert held_up.is_held_up  # for the provider, whoever's message it is
    assert 250 < held_up.wait <= LONGEST_PAUSE
    forget_rates()
    assert send(now=NOW + timedelta(hours=1)).taken == 1


def test_refused_for_good_has_failed_and_a_wrong_address_is_left_alone() -> None:
    found = due(doctors=2)
    answer(found.doctors[0].email, FOR_GOOD)
    answer(found.doctors[1].email, NO_SUCH)
    send()
    assert [one.state for one in Delivery.objects.all()] == [State.FAILED, State.FAILED]
    assert [(one.channel, one.reason) for one in Suppression.objects.all()] == [("email", "invalid")]
    Delivery.objects.filter(user=found.doctors[1]).update(state=State.PLANNED, ended_at=None)
    send()
    assert Delivery.objects.get(user=found.doctors[1]).skip_reason == SkipReason.SUPPRESSED


def test_sec_39_a_stop_that_the_provider_answers_with_is_one() -> None:
    found = due(doctors=2, channel=Channel.SMS)
    numbers = ["+919876543210", "+919876543211"]
    for doctor, number in zip(found.doctors, numbers, strict=True):
        User.objects.filter(pk=doctor.pk).update(phone=number)
    answer(numbers[0], Refused("they said STOP", is_stopped=True))
    send(channel=Channel.SMS)
    assert [one.state for one in Delivery.objects.order_by("pk")] == [State.FAILED, State.SENT]
    (row,) = Suppression.objects.all()
    assert (row.reason, bytes(row.address_digest)) == ("stop", consent.address_digest(Channel.SMS, numbers[0]))
    assert consent.wanted([one.pk for one in found.doctors], Channel.SMS) == {found.doctors[1].pk}
    assert [(one.user, one.is_on, one.source) for one in ConsentRecord.objects.all()] == [
        (found.doctors[0], False, "stop")
    ]


@pytest.mark.parametrize("result", [LOST, RuntimeError("a bug")])
def test_what_nobody_knows_is_never_sent_again(result: Any) -> None:
    found = due()
    answer(found.doctors[0].email, result)
    send()
    assert only().state == State.UNKNOWN
    assert send(now=NOW + timedelta(hours=1)).taken == 0


def test_one_bad_message_spoils_no_other() -> None:
    found = due(doctors=3)
    answer(found.doctors[1].email, LOST)
    send()
    assert [one.state for one in Delivery.objects.order_by("user_id")] == [State.SENT, State.UNKNOWN, State.SENT]


def test_an_answer_for_another_number_of_messages_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    due(doctors=3)
    monkeypatch.setattr(Sink, "send", lambda self, messages: [Accepted("1")])
    send()
    assert {one.state for one in Delivery.objects.all()} == {State.UNKNOWN}


def test_one_number_for_two_messages_undoes_neither() -> None:
    found = due(doctors=2)
    for doctor in found.doctors:
        answer(doctor.email, Accepted("the same"))
    send()
    assert [(one.state, one.provider_id) for one in Delivery.objects.all()] == [(State.SENT, "")] * 2


def test_dropped_after_the_claim_it_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the words and the hand-over somebody withdraws it: the last step before the provider finds out."""
    from django.db.models import Q

    from reminders.domain import composing, outbox, sending

    due()
    said = composing.compose

    def compose_and_drop(*args: Any, **values: Any) -> Any:
        found = said(*args, **values)
        outbox.drop(which=Q(), now=NOW)
        return found

    monkeypatch.setattr(sending, "compose", compose_and_drop)
    send()
    assert only().skip_reason == SkipReason.STOPPED
    assert not taken()


def test_what_cannot_be_worded_is_tried_again_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from reminders.domain import composing, sending

    found = due(doctors=3)
    said, bad = composing.compose, found.doctors[1].pk

    def compose_most(deliveries: Any, *, now: datetime) -> Any:
        if any(one.user_id == bad for one in deliveries):
            raise ValueError("a name that breaks it")
        return said(deliveries, now=now)

    monkeypatch.setattr(sending, "compose", compose_most)
    send()
    assert [one.state for one in Delivery.objects.order_by("user_id")] == [State.SENT, State.PLANNED, State.SENT]
    stuck = Delivery.objects.get(user=bad)
    assert (stuck.due_at, stuck.tries) == (NOW + BACKOFF[0], 1)
    assert "ValueError" in stuck.error
    assert "breaks" not in stuck.error  # what a person's name did is for the log alone
    Delivery.objects.filter(pk=stuck.pk).update(tries=MOST_TRIES - 1)
    send(now=NOW + BACKOFF[0])
    stuck.refresh_from_db()
    assert stuck.state == State.FAILED


def test_a_programme_whose_check_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be the oldest in every round. Nothing of it is lost: it is tried again, a few times."""
    from reminders.domain import checking
    from reminders.domain.planning import statement

    bad, good = due(doctors=2), due(doctors=2)
    asked = statement.still_wanted

    def ask_most(*args: Any, programme_id: int, **values: Any) -> Any:
        if programme_id == bad.programme.pk:
            raise ProgrammingError("a column that is not there")
        return asked(*args, programme_id=programme_id, **values)

    monkeypatch.setattr(checking, "still_wanted", ask_most)
    assert send() == Round(taken=4, sent=2)
    assert set(taken()) == {str(one.key) for one in Delivery.objects.filter(programme=good.programme)}
    stuck = Delivery.objects.filter(programme=bad.programme)
    assert [(one.state, one.due_at, one.tries, one.error) for one in stuck] == [
        (State.PLANNED, NOW + BACKOFF[0], 1, "could not be checked: ProgrammingError")
    ] * 2
    monkeypatch.setattr(checking, "still_wanted", asked)
    assert send(now=NOW + BACKOFF[0]).sent == 2


def test_one_message_whose_check_fails_spoils_none_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    from reminders.domain import checking
    from reminders.domain.planning import statement

    found = due(doctors=3)
    asked, bad = statement.still_wanted, found.doctors[1].pk

    def ask_most(*args: Any, user_ids: list[int], **values: Any) -> Any:
        if bad in user_ids:
            raise ValueError("what is stored of this one makes no sense")
        return asked(*args, user_ids=user_ids, **values)

    monkeypatch.setattr(checking, "still_wanted", ask_most)
    send()
    assert [one.state for one in Delivery.objects.order_by("user_id")] == [State.SENT, State.PLANNED, State.SENT]


def test_without_words_it_is_skipped() -> None:
    from reminders.models import MessageTemplate

    due()
    MessageTemplate.objects.filter(kind=Kind.COURSE_COMPLETED).delete()
    send()
    assert only().skip_reason == SkipReason.NO_TEMPLATE


def test_by_a_channel_that_this_site_has_not_nothing_waits_for_ever(settings: Any) -> None:
    due(channel=Channel.SMS)
    settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_SMS": "none"}
    send(channel=Channel.SMS)
    assert only().skip_reason == SkipReason.NO_WAY


def test_messages_on_the_site_are_there_with_their_mark() -> None:
    found = due(doctors=2, channel=Channel.INBOX)
    assert send(channel=Channel.INBOX) == Round(taken=2, sent=2)
    assert [(one.user_id, one.subject) for one in InboxItem.objects.order_by("user_id")] == [
        (doctor.pk, "Thank you") for doctor in found.doctors
    ]
    assert {(one.state, one.delivered_at, one.transport) for one in Delivery.objects.all()} == {
        (State.SENT, NOW, "inbox")
    }
    assert not taken()


def test_a_claim_that_was_lost_puts_nothing_on_the_site() -> None:
    from reminders.domain import outbox
    from reminders.domain.outbox import Leaving

    due(channel=Channel.INBOX)
    claimed = claim_due(channel=Channel.INBOX, now=NOW)
    outbox.recover(now=NOW + timedelta(minutes=2))
    with transaction.atomic():
        rows = [Leaving(only().pk, None, None, None)]
        assert outbox.mark_in_inbox(claim=claimed.claim, leaving=rows, now=NOW) == set()


def test_browsers_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the address says: of browsers it is a list."""
    found = due(channel=Channel.PUSH)
    gone = PushSubscriptionFactory.create(user=found.doctors[0])
    kept = PushSubscriptionFactory.create(user=found.doctors[0])
    monkeypatch.setattr(Sink, "send", lambda self, messages: [Accepted("push-1", gone=(gone.endpoint,))])
    send(channel=Channel.PUSH)
    assert only().state == State.SENT
    assert list(PushSubscription.objects.filter(ended_at=None)) == [kept]


def test_a_limit_of_the_provider_holds_the_rest_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in ten seconds: the next must not be due while this machine sends the first."""
    monkeypatch.setattr(Sink, "rate", 0.1)
    forget_rates()
    due(doctors=3)
    first = send()
    assert first.taken == 1
    held_up = send()
    assert held_up == Round(is_held_up=True)
    assert 0 < held_up.wait <= 10
    assert Delivery.objects.filter(state=State.PLANNED).count() == 2


def test_all_channels_are_drained_to_the_end() -> None:
    forget_rates()
    due(doctors=5)
    due(doctors=2, channel=Channel.INBOX)
    drained = drain(clock=lambda: NOW)
    assert (drained.taken, drained.sent, drained.is_held_up) == (7, 7, False)


def test_the_file_of_the_sink_is_the_tests_own(sink: Path) -> None:
    """Nothing of another test is in it."""
    assert not sink.exists()


def test_queries_of_a_round_do_not_grow_with_it() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    numbers = []
    for doctors in (1, 3):
        due(doctors=doctors)
        with CaptureQueriesContext(connection) as seen:
            assert send().sent == doctors
        numbers.append(len(seen))
        Delivery.objects.all().delete()
    assert numbers[0] == numbers[1]
