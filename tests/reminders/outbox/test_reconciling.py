"""Nobody knows whether it left: the provider is asked, and only its word changes anything."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from reminders.domain import reconciling
from reminders.domain.places import PLACES
from reminders.domain.reconciling import SECONDS, SETTLED_AFTER, Reconciled, reconcile
from reminders.enums import DeliveryState
from reminders.models import Delivery, PhoneCode
from reminders.transports.base import Accepted, Refused
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, DeliveryFactory
from tests.reminders.sink import Sink

pytestmark = pytest.mark.django_db
State = DeliveryState
MINUTE = timedelta(minutes=1)


def unknown(**values: Any) -> Delivery:
    given = {"state": State.UNKNOWN, "claimed_at": NOW, "transport": "sink", "expires_at": NOW + timedelta(hours=5)}
    made: Delivery = DeliveryFactory.create(**(given | values))
    return made


def test_the_provider_has_it_so_it_was_sent(sink: Path) -> None:
    one = unknown()
    sink.write_text(f'["{one.key}", "", ""]\n')
    assert reconcile(now=NOW + 2 * MINUTE) == Reconciled(sent=1)
    one.refresh_from_db()
    assert (one.state, one.provider_id) == (State.SENT, f"sink-{one.key}")


def test_the_provider_has_nothing_so_it_is_sent_when_nobody_can_be_sending_it_any_more(sink: Path) -> None:
    one = unknown()
    assert reconcile(now=NOW + SETTLED_AFTER / 2) == Reconciled(unknown=1)
    assert reconcile(now=NOW + SETTLED_AFTER) == Reconciled(planned=1)
    one.refresh_from_db()
    assert (one.state, one.due_at, one.ended_at) == (State.PLANNED, NOW + SETTLED_AFTER, None)


def test_it_is_too_late_to_send_it(sink: Path) -> None:
    one = unknown(expires_at=NOW + 20 * MINUTE)
    assert reconcile(now=NOW + SETTLED_AFTER) == Reconciled(failed=1)
    one.refresh_from_db()
    assert one.state == State.FAILED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(None, Reconciled(unknown=1)), (Refused("it bounced there"), Reconciled(failed=1))],
)
def test_no_answer_changes_nothing_and_a_refusal_is_one(
    sink: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, expected: Reconciled
) -> None:
    unknown()
    monkeypatch.setattr(Sink, "look_up", lambda *_args, **_values: answer)
    assert reconcile(now=NOW + timedelta(hours=1)) == expected


def test_a_message_of_another_delivery_is_not_taken_for_this_one(sink: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = DeliveryFactory.create(state=State.SENT, transport="sink", provider_id="SM1")
    one = unknown(user=known.user)
    monkeypatch.setattr(Sink, "look_up", lambda *_args, **_values: Accepted("SM1"))
    assert reconcile(now=NOW + timedelta(hours=1)) == Reconciled(unknown=1)
    one.refresh_from_db()
    assert (one.state, one.provider_id) == (State.UNKNOWN, "")


class TestByAddress:
    """The provider names the one message that went to the telephone at the time."""

    NUMBER, DIGEST = "+919876543210", b"d" * 32

    @pytest.fixture
    def one(self, sink: Path, monkeypatch: pytest.MonkeyPatch) -> Delivery:
        monkeypatch.setattr(Sink, "look_up", lambda *_args, **_values: Accepted("SM9", is_by_address=True))
        return unknown(user=UserFactory.create(phone=self.NUMBER), channel="sms", address_digest=self.DIGEST)

    def other(self, **values: Any) -> Delivery:
        return unknown(**({"channel": "sms", "address_digest": self.DIGEST, "ask_at": NOW + 9 * MINUTE} | values))

    def ask(self, one: Delivery) -> str:
        reconcile(now=NOW + 2 * MINUTE)
        one.refresh_from_db()
        return str(one.state)

    def test_it_is_this_one_where_nothing_else_went_there(self, one: Delivery) -> None:
        self.other(claimed_at=NOW - 6 * MINUTE)
        self.other(address_digest=b"e" * 32)
        self.other(state=State.SENT, provider_id="SM8")
        assert self.ask(one) == State.SENT

    @pytest.mark.parametrize("state", [State.UNKNOWN, State.SENDING])
    @pytest.mark.parametrize("minutes", [-5, 5])
    def test_another_in_doubt_may_be_the_one(self, one: Delivery, state: State, minutes: int) -> None:
        self.other(state=state, claimed_at=NOW + minutes * MINUTE)
        assert self.ask(one) == State.UNKNOWN

    @pytest.mark.parametrize(
        ("via", "minutes", "expected"),
        [("sms", -10, State.UNKNOWN), ("sms", 5, State.UNKNOWN), ("sms", -11, State.SENT), ("whatsapp", 0, State.SENT)],
    )
    def test_so_may_a_code(self, one: Delivery, via: str, minutes: int, expected: State) -> None:
        at = NOW + minutes * MINUTE
        PhoneCode.objects.create(user=one.user, number=self.NUMBER, via=via, asked_at=at, expires_at=at + 10 * MINUTE)
        assert self.ask(one) == expected


def test_who_cannot_be_asked_is_not_and_an_error_holds_up_no_other(sink: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = unknown(), unknown()
    sink.write_text(f'["{good.key}", "", ""]\n')
    look_up = Sink.look_up

    def ask(self: Sink, key: Any, *rest: Any) -> Any:
        if key == bad.key:
            raise OSError("no line")
        return look_up(self, key, *rest)

    monkeypatch.setattr(Sink, "look_up", ask)
    assert reconcile(now=NOW + 2 * MINUTE) == Reconciled(sent=1, unknown=1)
    monkeypatch.setattr(Sink, "can_look_up", False)
    assert reconcile(now=NOW + timedelta(hours=1)) == Reconciled()


def test_old_ones_and_those_of_another_provider_are_left(sink: Path) -> None:
    unknown(transport="smtp")
    unknown(claimed_at=NOW - timedelta(days=3))
    assert reconcile(now=NOW + 2 * MINUTE) == Reconciled()


def told(
    monkeypatch: pytest.MonkeyPatch, *known: Delivery, seconds: float = 0.0, clock: list[float] | None = None
) -> Counter[UUID]:
    """The provider answers for those that it knows, and takes its time. How often it was asked for which."""
    asked: Counter[UUID] = Counter()

    def look_up(_self: Sink, key: UUID, *_rest: Any) -> Any:
        asked[key] += 1
        if clock is not None:
            clock[0] += seconds
        return Accepted(f"sink-{key}") if key in {one.key for one in known} else None

    monkeypatch.setattr(Sink, "look_up", look_up)
    return asked


@pytest.fixture
def only_email(settings: Any) -> None:
    settings.MESSAGES = {**settings.MESSAGES, **dict.fromkeys(("MESSAGES_SMS", "MESSAGES_WHATSAPP"), "none")}
    settings.MESSAGES["MESSAGES_PUSH"] = "none"


@pytest.mark.usefixtures("sink", "only_email")
def test_those_nobody_can_answer_for_never_stand_before_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches of one, and with no time for a second one: each minute another is asked about."""
    clock = [0.0]
    silent, later = unknown(), unknown(claimed_at=NOW + timedelta(seconds=30))
    asked = told(monkeypatch, later, seconds=SECONDS, clock=clock)
    monkeypatch.setattr(reconciling, "BATCH", 1)
    for minute in (2, 3):
        reconcile(now=NOW + minute * MINUTE, clock=lambda: clock[0])
    later.refresh_from_db()
    assert later.state == State.SENT
    assert asked == {silent.key: 1, later.key: 1}


@pytest.mark.usefixtures("sink")
def test_more_than_one_batch_is_asked_about_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [unknown() for _ in range(5)]
    asked = told(monkeypatch, *rows)
    monkeypatch.setattr(reconciling, "BATCH", 2)
    assert reconcile(now=NOW + 2 * MINUTE) == Reconciled(sent=5)
    assert set(asked.values()) == {1}


@pytest.mark.usefixtures("sink")
def test_it_is_asked_about_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    one = unknown()
    asked = told(monkeypatch)
    times: list[int] = []
    for minute in range(1, 91):
        before = asked[one.key]
        reconcile(now=NOW + minute * MINUTE)
        if asked[one.key] > before:
            times.append(minute)
    pauses = [after - before for before, after in pairwise(times)]
    assert times[0] == 1
    assert pauses == sorted(pauses)
    assert 8 <= len(times) <= 12


@pytest.mark.usefixtures("sink", "only_email")
def test_a_provider_that_takes_its_time_is_left_until_the_next_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    for _ in range(10):
        unknown()
    asked = told(monkeypatch, seconds=15.0, clock=clock)
    assert reconcile(now=NOW + 2 * MINUTE, clock=lambda: clock[0]) == Reconciled(unknown=3)
    assert clock[0] <= SECONDS + 15
    assert set(asked.values()) == {1}


@pytest.mark.usefixtures("sink")
def test_one_asks_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = told(monkeypatch)
    unknown()
    assert PLACES.take("reconcile", "another", most=1)
    try:
        assert reconcile(now=NOW + 2 * MINUTE) == Reconciled()
        assert not asked
    finally:
        PLACES.free("reconcile", "another")
    assert reconcile(now=NOW + 2 * MINUTE) == Reconciled(unknown=1)
    assert PLACES.take("reconcile", "the next", most=1)
    PLACES.free("reconcile", "the next")
