"""Nobody knows whether it left: the provider is asked, and only its word changes anything."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reminders.domain.reconciling import SETTLED_AFTER, Reconciled, reconcile
from reminders.enums import DeliveryState
from reminders.models import Delivery
from reminders.transports.base import Accepted, Refused
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
    assert reconcile(now=NOW + SETTLED_AFTER - MINUTE) == Reconciled(unknown=1)
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
