"""The tasks themselves, as Celery runs them: what they ring in turn is run to its end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.result import allow_join_result
from django.conf import settings as project
from django.utils.timezone import now as current
from django_redis import get_redis_connection

from accounts.models import User
from lms.celery import app
from reminders import tasks
from reminders.domain import campaigns, falling_back, revisions, running
from reminders.domain.outbox import CLAIM_LASTS, SENDING_LASTS
from reminders.domain.reconciling import FIRST_AFTER
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery
from tests.reminders.factories import DeliveryFactory, JourneyFactory, MessageTemplateFactory, scene
from tests.reminders.outbox.test_sending import due
from tests.reminders.sink import Sink, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
State = DeliveryState
MESSAGES = "reminders"


@pytest.fixture
def at_once() -> Iterator[list[str]]:
    """Whatever is rung runs there and then. The names of the tasks, as they began."""
    from celery.signals import task_prerun

    begun: list[str] = []

    def note(task: Any, **_: Any) -> None:
        begun.append(task.name)

    # By attribute: what `update` writes is hidden by an attribute that another test has set before.
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    get_redis_connection("default").delete("messages:places:email", "messages:places:sms")
    task_prerun.connect(note)
    with allow_join_result():
        yield begun
    task_prerun.disconnect(note)
    app.conf.task_always_eager = app.conf.task_eager_propagates = False


def due_today(*, doctors: int) -> None:
    due(doctors=doctors)
    Delivery.objects.update(due_at=current() - timedelta(minutes=1), expires_at=current() + timedelta(days=1))


def test_what_speaks_to_providers_has_a_queue_and_a_worker_of_its_own() -> None:
    """Sign-in mail has another one, and so has the bell that looks after the dead."""
    names = {name for name in app.tasks if name.startswith("reminders.")}
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in (*names, "accounts.tasks.send_sign_in")}
    assert queues.pop("accounts.tasks.send_sign_in") == queues.pop("reminders.drain") == "default"
    assert set(queues) >= {"reminders.plan", "reminders.send", "reminders.reconcile", "reminders.send_phone_code"}
    assert set(queues.values()) == {MESSAGES}
    scheduled = {entry["task"] for entry in project.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled >= {"reminders.plan", "reminders.drain", "reminders.reconcile", "reminders.tidy"}


def test_planned_rung_and_sent(at_once: list[str]) -> None:
    starts_at = current() + timedelta(minutes=60)
    found = scene(doctors=3, starts_at=starts_at, enrolled_at=current() - timedelta(days=9))
    revisions.notice_changes(now=current() - timedelta(days=1))
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-61)
    MessageTemplateFactory.create(template_set=found.policy.template_set, kind=Kind.HOUR_BEFORE)
    assert tasks.plan.delay().get() == 3
    assert at_once == ["reminders.plan", "reminders.drain", "reminders.send", "reminders.send"]
    assert {one.state for one in Delivery.objects.all()} == {State.SENT}
    assert set(taken().values()) == {1}
    assert tasks.plan.delay().get() == 0


def test_more_than_a_handful_goes_out_in_one_chain(at_once: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from reminders.domain import chains, sending

    def send_few(**values: Any) -> sending.Round:
        return sending.send_some(limit=3, **values)

    monkeypatch.setattr(chains, "send_some", send_few)
    due_today(doctors=7)
    tasks.drain.delay()
    assert at_once == ["reminders.drain", *["reminders.send"] * 4]
    assert taken() == {str(key): 1 for key in Delivery.objects.values_list("key", flat=True)}


def test_what_the_dead_had_in_hand_is_given_back_and_said(at_once: list[str], caplog: pytest.LogCaptureFixture) -> None:
    due_today(doctors=1)
    Delivery.objects.update(state=State.CLAIMED, claim="0" * 32, claimed_at=current() - CLAIM_LASTS)
    DeliveryFactory.create(
        state=State.SENDING, due_at=current() - SENDING_LASTS, claimed_at=current() - SENDING_LASTS, transport="sink"
    )
    tasks.drain.delay()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == [State.SENT, State.UNKNOWN]
    assert "reminders.recovered" in caplog.text


def test_nothing_is_rung_for_channels_that_have_nothing(at_once: list[str]) -> None:
    DeliveryFactory.create(channel=Channel.SMS, due_at=current() + timedelta(hours=1))
    tasks.drain.delay()
    assert at_once == ["reminders.drain"]


def test_a_burst_gets_several_chains_and_no_more_than_there_are_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 1)
    monkeypatch.setattr(running, "ROUNDS_A_SENDER", 2)
    made = DeliveryFactory.create_batch(5)
    assert list(running.channels_to_ring(now=made[0].due_at)) == [("email", 3)]
    DeliveryFactory.create_batch(9)
    assert list(running.channels_to_ring(now=made[0].due_at)) == [("email", running.MOST_SENDERS)]


def test_the_provider_is_asked_about_what_is_in_doubt(at_once: list[str], sink: Any) -> None:
    at = current() - 2 * FIRST_AFTER
    one = DeliveryFactory.create(state=State.UNKNOWN, due_at=at, claimed_at=at, transport="sink")
    sink.write_text(f'["{one.key}", "", ""]\n')
    tasks.reconcile.delay()
    one.refresh_from_db()
    assert one.state == State.SENT


@pytest.mark.parametrize(
    ("module", "part"),
    [(running, "notice_changes"), (running, "plan_fallbacks"), (running, "run_due")],
)
def test_a_part_of_the_planning_that_fails_holds_up_none_of_the_others(
    at_once: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, module: Any, part: str
) -> None:
    done: list[str] = []
    parts = {"notice_changes": revisions, "plan_fallbacks": falling_back, "run_due": campaigns}
    for name, home in parts.items():
        real = getattr(home, name)

        def play(name: str = name, real: Any = real, **values: Any) -> Any:
            if name == part:
                raise OSError(name)
            done.append(name)
            return real(**values)

        monkeypatch.setattr(module, name, play)
    due_today(doctors=1)
    assert tasks.plan.delay().get() == 0
    assert done == [name for name in parts if name != part]
    assert Delivery.objects.get().state == State.SENT
    assert "Traceback" in caplog.text or "OSError" in caplog.text


def test_a_provider_that_hangs_keeps_its_own_places_and_no_others(
    at_once: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While each of its senders waits, another bell ends at once, and another channel goes on."""
    due_today(doctors=1)
    by_phone = due(doctors=1, channel=Channel.SMS)
    User.objects.filter(pk=by_phone.doctors[0].pk).update(phone="+919876543210")
    Delivery.objects.update(due_at=current() - timedelta(minutes=1), expires_at=current() + timedelta(days=1))
    seen: list[str] = []
    real = Sink.send

    def hang(self: Sink, messages: Any) -> Any:
        seen.append(self.channel)
        if self.channel == Channel.EMAIL and seen.count(Channel.EMAIL) == 1:
            tasks.drain.delay()  # a bell while it waits
        return real(self, messages)

    monkeypatch.setattr(Sink, "send", hang)
    monkeypatch.setattr("reminders.domain.chains.MOST_SENDERS", 1)
    tasks.drain.delay()
    assert seen.count(Channel.EMAIL) == 1
    assert seen.count(Channel.SMS) == 1
