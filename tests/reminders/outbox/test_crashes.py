"""Killed at each step, planned by two at once, Valkey emptied, a bell rung twice: none is sent twice, none is lost."""

import signal
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils.timezone import now as current

from reminders.domain.outbox import CLAIM_LASTS, SENDING_LASTS
from reminders.domain.planning import plan
from reminders.domain.reconciling import SETTLED_AFTER, reconcile
from reminders.domain.revisions import notice_changes
from reminders.domain.running import drain, recover
from reminders.domain.sending import send_some
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery
from reminders.transports import KINDS
from tests.forked import Forked, forked
from tests.meanwhile import somebody_waits
from tests.reminders.factories import NOW, JourneyFactory, scene
from tests.reminders.outbox.test_sending import due
from tests.reminders.sink import taken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sink"), pytest.mark.long]
State = DeliveryState
PATIENCE_SECONDS = 60.0
# Where it stands when it is killed: a statement at which it waits for this test.
STEPS = {
    "claiming": "NEW.state = 'claimed'",
    "about to hand over": "NEW.state = 'sending'",
    "accepted and not written down": "NEW.state = 'sent'",
}
GATE = 4712


def send_what_is_due() -> None:
    """A worker's process: it sends what is due at the moment of the tests, and ends."""
    KINDS[Channel.EMAIL]["sink"] = "tests.reminders.sink.Sink"
    while send_some(channel="email", clock=lambda: NOW).taken:
        pass


def worker() -> AbstractContextManager[Forked]:
    return forked(send_what_is_due, MESSAGES=settings.MESSAGES)


def kill_at(condition: str) -> None:
    """The row's update waits for a lock that this test holds, and the process dies there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER gate BEFORE UPDATE ON reminders_delivery FOR EACH ROW"
            f" WHEN ({condition}) EXECUTE FUNCTION wait_at_the_gate()"
        )
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_xact_lock({GATE})")
            with worker() as process:
                _wait_for_the_gate(process)
                process.kill()
                assert ended(process) == -signal.SIGKILL
                _end_what_waits()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION wait_at_the_gate() CASCADE")


def ended(process: Forked) -> int | None:
    process.join(PATIENCE_SECONDS)
    return process.exitcode


def _wait_for_the_gate(process: Forked) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        assert process.is_alive(), "it came to its end instead of waiting"
        if somebody_waits():
            return
        time.sleep(0.02)
    raise AssertionError("nothing waits at the gate")


def settle_everything() -> None:
    """What the schedulers do in the hour after: leases run out, providers are asked, the rest is sent."""
    for after in (CLAIM_LASTS, SENDING_LASTS, SETTLED_AFTER + SENDING_LASTS, timedelta(hours=1)):
        moment = NOW + after
        recover(now=moment)
        reconcile(now=moment)
        drain(clock=lambda at=moment: at)  # type: ignore[misc]


def _end_what_waits() -> None:
    """PostgreSQL does not notice that a client died while its statement waits: freed, it would still be carried out."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if not cursor.fetchall():
                return
        time.sleep(0.02)
    raise AssertionError("it waits still")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_each_ends_and_none_is_sent_twice(step: str) -> None:
    due(doctors=3)
    kill_at(STEPS[step])
    settle_everything()
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {State.SENT: 3}
    assert taken() == {str(key): 1 for key in Delivery.objects.values_list("key", flat=True)}


@pytest.mark.parametrize(("dies", "handed"), [("before", 0), ("after", 3)])
def test_killed_around_the_provider_itself(dies: str, handed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    due(doctors=3)
    with monkeypatch.context() as patch:
        patch.setenv("SINK_DIES", dies)
        with worker() as process:
            assert ended(process) == -signal.SIGKILL
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENDING}
    assert sum(taken().values()) == handed
    settle_everything()
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}
    assert set(taken().values()) == {1}


def test_two_workers_at_once_send_each_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    due(doctors=40)
    monkeypatch.setenv("SINK_PAUSE", "0.05")
    with worker() as one, worker() as other:
        assert (ended(one), ended(other)) == (0, 0)
    assert taken() == {str(key): 1 for key in Delivery.objects.values_list("key", flat=True)}
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {State.SENT: 40}


def test_two_schedulers_at_once_plan_each_message_once() -> None:
    found = scene(doctors=30, starts_at=NOW + timedelta(hours=1))
    notice_changes(now=NOW - timedelta(days=20))
    JourneyFactory.create(programme=found.programme, kind=Kind.HOUR_BEFORE, offset_minutes=-60)
    begin = threading.Barrier(3)
    ended: list[int] = []

    def work() -> None:
        try:
            begin.wait(PATIENCE_SECONDS)
            plan(now=NOW)
            ended.append(1)
        finally:
            connections.close_all()

    schedulers = [threading.Thread(target=work) for _ in range(3)]
    for scheduler in schedulers:
        scheduler.start()
    for scheduler in schedulers:
        scheduler.join(PATIENCE_SECONDS)
    assert len(ended) == 3
    assert Counter(Delivery.objects.values_list("user_id", flat=True)) == {one.pk: 1 for one in found.doctors}


def test_valkey_emptied_in_between_loses_nothing_and_repeats_nothing() -> None:
    """Rates and bells are all that it holds."""
    from django_redis import get_redis_connection

    due(doctors=6)
    assert send_some(channel="email", limit=3, clock=lambda: NOW).sent == 3
    get_redis_connection("default").flushdb()
    drain(clock=lambda: NOW)
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {State.SENT: 6}
    assert set(taken().values()) == {1}


def test_a_task_that_is_handed_out_again_finds_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late acknowledgement: a bell whose worker died rings once more."""
    from reminders import tasks

    rung: list[Any] = []
    monkeypatch.setattr(tasks.send, "apply_async", lambda given, **_: rung.append(given))
    due(doctors=2)
    Delivery.objects.update(due_at=current() - timedelta(minutes=1), expires_at=current() + timedelta(days=1))
    until = current().timestamp() + 30
    tasks.send.run("email", until, "a chain")
    tasks.send.run("email", until, "a chain")
    assert rung == [("email", until, "a chain")]
    assert set(taken().values()) == {1}


def test_one_after_the_other_all_hands_die_and_the_last_one_finishes(tmp_path: Path) -> None:
    """Five workers in turn, each killed somewhere else: nothing is handed over twice, and everything ends."""
    due(doctors=5)
    for step in STEPS.values():
        kill_at(step)
        recover(now=NOW + CLAIM_LASTS)  # what was sending stays in doubt until it is asked about
    settle_everything()
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}
    assert taken() == {str(key): 1 for key in Delivery.objects.values_list("key", flat=True)}
