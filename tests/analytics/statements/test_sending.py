"""Statements get to a store that speaks xAPI: each once, whatever the store, the line or a worker does meanwhile."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain.statements import outbox
from analytics.domain.statements.making import make_all
from analytics.domain.statements.sending import FIRST_PAUSE, LONGEST_PAUSE, pause_seconds, send_due
from analytics.enums import StatementState
from analytics.models import Pseudonym, Statement, StatementFeed
from courses.enums import EnrolmentStatus
from courses.models import Enrolment
from tests.analytics.statements.store import HOME, record_store, settings_for
from tests.analytics.statements.world import LATER, doctor, everything, watched
from tests.reminders.transports.servers import Fault, closed_port, patience_for

pytestmark = pytest.mark.django_db(transaction=True)


def clock() -> Any:
    return LATER


def made(number: int) -> list[str]:
    """So many statements that wait, each of a person of their own, in their order."""
    for _ in range(number):
        watched()
    make_all(now=LATER)
    Statement.objects.filter(verb="paused").delete()
    return [str(one) for one in Statement.objects.order_by("due_at", "happened_at", "pk").values_list("pk", flat=True)]


def states() -> dict[str, str]:
    return {str(one.pk): one.state for one in Statement.objects.all()}


def test_everything_arrives_as_the_standard_wants_it() -> None:
    with record_store() as store:
        enrolment = everything()
        webinar = enrolment.user.play_sessions.get().webinar_id
        make_all(now=LATER)

        assert send_due(clock=clock).sent == 8

        assert store.problems == []
        said = store.said()
        assert sorted(verb for verb, _ in said) == sorted(Statement.objects.values_list("verb", flat=True))
        assert ("completed", f"webinars/{webinar}/recording") in said
        assert set(Statement.objects.values_list("state", flat=True)) == {StatementState.SENT}
        name = str(Pseudonym.objects.get().name)
        actors = {str(one["actor"]) for one in store.taken.values()}
        assert actors == {str({"objectType": "Agent", "account": {"homePage": HOME, "name": name}})}
        assert len({one["context"]["registration"] for one in store.taken.values()}) == 1
        assert send_due(clock=clock).sent == 0


def test_batches_are_as_large_as_said_and_no_larger() -> None:
    with record_store(XAPI_BATCH="2") as store:
        ids = made(5)

        assert send_due(clock=clock, most=4).sent == 4
        assert send_due(clock=clock).sent == 1

        assert [len(batch) for batch in store.tellings] == [2, 2, 1]
        assert sorted(store.taken) == sorted(ids)


def test_one_that_is_not_wanted_holds_up_no_other() -> None:
    with record_store() as store:
        ids = made(8)
        store.unwanted = {ids[5]}

        done = send_due(clock=clock)

        assert (done.sent, done.refused, done.problem) == (7, 1, "")
        assert sorted(store.taken) == sorted(set(ids) - store.unwanted)
        bad = Statement.objects.get(state=StatementState.REFUSED)
        assert (str(bad.pk), bad.error, bad.ended_at) == (ids[5], "HTTP 400: Statement rejected", LATER)
        assert len(store.tellings) <= 1 + 2 * 3


def test_another_content_under_a_known_id_is_refused_and_the_same_content_taken_again() -> None:
    with record_store() as store:
        ids = made(3)
        send_due(clock=clock)
        Statement.objects.update(state=StatementState.WAITING, ended_at=None)
        Statement.objects.filter(pk=ids[1]).update(happened_at=F("happened_at") + timedelta(seconds=1))

        done = send_due(clock=clock)

        assert (done.sent, done.refused) == (2, 1)
        assert Statement.objects.get(pk=ids[1]).error == "HTTP 409: Statement conflict"
        assert sorted(store.taken) == sorted(ids)


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.HANG_UP, Fault.ERROR])
def test_what_may_have_arrived_is_sent_again_and_is_there_once(fault: Fault) -> None:
    with record_store() as store:
        ids = made(3)
        assert store.sink is not None
        store.sink.faults = [fault]

        with override_settings(XAPI=settings.XAPI | {"XAPI_TIMEOUT": patience_for(fault)}):
            done = send_due(clock=clock)

        assert store.sink.has_taken(1)
        assert (done.sent, done.later) == (0, 3)
        assert done.problem
        assert sorted(store.taken) == sorted(ids), "taken, whatever was answered"
        feed = StatementFeed.objects.get()
        assert feed.paused_until is not None
        assert (feed.failures, feed.problem) == (1, done.problem)
        assert send_due(clock=clock).sent == 0, "left alone"
        later = LATER + timedelta(seconds=FIRST_PAUSE + 1)
        assert send_due(clock=lambda: later).sent == 3
        assert (StatementFeed.objects.get().failures, StatementFeed.objects.get().paused_until) == (0, None)
        assert (len(store.tellings), sorted(store.taken)) == (2, sorted(ids))


def test_the_stores_wish_for_patience_is_kept() -> None:
    with record_store() as store:
        made(2)
        assert store.sink is not None
        store.sink.faults = [(503, {"Retry-After": "900"}, b"")]

        send_due(clock=clock)

        due = list(Statement.objects.values_list("due_at", flat=True))
        paused = StatementFeed.objects.get().paused_until
        assert paused is not None
        assert all(timedelta(seconds=900) <= at - LATER <= timedelta(seconds=931) for at in [paused, *due])
        assert store.taken == {}


def test_wrong_credentials_are_named_and_nothing_is_lost() -> None:
    with record_store() as store:
        made(2)
        with override_settings(XAPI=settings.XAPI | {"XAPI_SECRET": "other"}):
            done = send_due(clock=clock)

        assert done.problem == "XAPI_KEY and XAPI_SECRET are refused (HTTP 401)"
        assert (done.later, store.taken) == (2, {})


def test_nobody_at_home_is_no_loss_and_is_given_up_after_many_tries() -> None:
    with override_settings(XAPI=settings_for(f"http://127.0.0.1:{closed_port()}/xapi")):
        ids = made(1)
        now = LATER
        for tries in range(1, outbox.MOST_TRIES + 1):
            done = send_due(clock=lambda: now)  # noqa: B023
            assert done.problem == "no answer (ConnectionError)"
            assert Statement.objects.get().attempts == tries
            now += timedelta(seconds=LONGEST_PAUSE)

        assert states() == {ids[0]: StatementState.GIVEN_UP}
        whole = sum(pause_seconds(tries, asked=None, chance=0.5) for tries in range(outbox.MOST_TRIES))
        assert timedelta(days=2.5) < timedelta(seconds=whole) < timedelta(days=3)


def test_one_over_which_the_store_falls_is_sent_alone_in_the_end() -> None:
    with record_store() as store:
        ids = made(4)
        store.broken = {ids[0]}
        now = LATER
        for _ in range(6):
            send_due(clock=lambda: now)  # noqa: B023
            now += timedelta(hours=1)

        assert sorted(store.taken) == sorted(ids[1:])
        assert StatementFeed.objects.get().failures == 0
        assert Statement.objects.get(pk=ids[0]).error == "HTTP 500"


@given(st.integers(0, 60), st.one_of(st.none(), st.floats(0, 90_000)), st.floats(0, 1))
def test_pauses_grow_to_an_end_and_are_never_shorter_than_asked(failures: int, asked: float | None, by: float) -> None:
    pause = pause_seconds(failures, asked=asked, chance=by)

    assert pause >= max(asked or 0, FIRST_PAUSE / 2)
    assert pause <= max(LONGEST_PAUSE, (asked or 0) + FIRST_PAUSE)


def test_two_workers_send_different_ones() -> None:
    with record_store(XAPI_BATCH="5") as store:
        ids = made(20)
        start = threading.Barrier(2)

        def work() -> None:
            start.wait(60)
            send_due(clock=clock)
            connection.close()

        both = [threading.Thread(target=work) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()

        assert sorted(one for batch in store.tellings for one in batch) == sorted(ids)
        assert set(states().values()) == {StatementState.SENT}


def test_a_worker_that_is_killed_in_the_middle_leaves_all_to_the_next() -> None:
    """Before the store answers the first handful, the worker dies: its claim runs out, and then they are sent again."""
    with record_store(XAPI_BATCH="2") as store:
        ids = made(4)
        assert store.sink is not None
        store.sink.faults = [Fault.STALL]
        env = os.environ | {
            "DATABASE_URL": _database_url(),
            "XAPI_URL": settings.XAPI["XAPI_URL"],
            "XAPI_KEY": settings.XAPI["XAPI_KEY"],
            "XAPI_SECRET": settings.XAPI["XAPI_SECRET"],
            "XAPI_HOME_PAGE": HOME,
            "XAPI_BATCH": "2",
        }
        worker = subprocess.Popen([sys.executable, "manage.py", "xapi", "send"], cwd=settings.BASE_DIR, env=env)
        try:
            while not store.tellings:
                assert worker.poll() is None
                store.sink.over.wait(0.05)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait(60)
        first = set(store.tellings[0])
        assert set(states().values()) == {StatementState.WAITING}

        assert send_due(clock=clock).sent == 2, "the others; those in hand are left to their claim"
        Statement.objects.filter(claim__isnull=False).update(claimed_at=LATER)
        later = LATER + outbox.CLAIM_LASTS
        assert send_due(clock=lambda: later).sent == 2

        assert sorted(store.taken) == sorted(ids)
        assert set(store.tellings[-1]) == first
        assert set(states().values()) == {StatementState.SENT}


def _database_url() -> str:
    given_ = connection.get_connection_params()
    return (
        f"postgresql://{given_.get('user', '')}:{given_.get('password', '') or ''}@/{given_['dbname']}"
        f"?host={given_.get('host', '')}&port={given_.get('port', '') or 5432}"
    )


def test_of_who_leaves_after_it_was_made_nothing_is_sent() -> None:
    with record_store() as store:
        mine, theirs = doctor(), doctor()
        watched(mine)
        watched(theirs)
        make_all(now=LATER)
        Enrolment.objects.filter(pk=mine.pk).update(status=EnrolmentStatus.WITHDRAWN)

        assert send_due(clock=clock).sent == 2

        assert sorted(store.taken) == sorted(
            str(one) for one in Statement.objects.filter(user=theirs.user).values_list("pk", flat=True)
        )
        assert set(Pseudonym.objects.values_list("user", flat=True)) == {theirs.user_id}


def test_somebody_has_one_name_in_the_store_for_ever() -> None:
    with record_store() as store:
        enrolment = doctor()
        watched(enrolment)
        make_all(now=LATER)
        send_due(clock=clock)
        watched(enrolment)
        make_all(now=LATER, whole=True)
        send_due(clock=clock)

        assert len(store.taken) == 4
        assert len({one["actor"]["account"]["name"] for one in store.taken.values()}) == 1
