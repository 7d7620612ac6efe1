"""Rows change hands by conditional statements: given once, kept while the claim holds, never sent without it."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models import Q

from accounts.models import User
from reminders.domain import outbox
from reminders.domain.erasure import erase
from reminders.domain.outbox import CLAIM_LASTS, SENDING_LASTS, Ending, Leaving
from reminders.enums import Channel, DeliveryState, SkipReason
from reminders.models import Delivery
from tests.reminders.factories import NOW, DeliveryFactory

State = DeliveryState
PATIENCE_SECONDS = 60.0


def leaving(deliveries: list[Delivery]) -> list[Leaving]:
    return [Leaving(one.pk, b"d" * 32, None, None) for one in deliveries]


@pytest.mark.django_db
def test_the_most_urgent_first_then_the_oldest() -> None:
    later = DeliveryFactory.create(due_at=NOW)
    earlier = DeliveryFactory.create(due_at=NOW - timedelta(minutes=5))
    urgent = DeliveryFactory.create(due_at=NOW, is_urgent=True)
    DeliveryFactory.create(due_at=NOW + timedelta(seconds=1))
    DeliveryFactory.create(due_at=NOW, channel=Channel.SMS)
    DeliveryFactory.create(due_at=NOW, state=State.SENT)
    first = outbox.claim_due(channel=Channel.EMAIL, limit=2, now=NOW)
    second = outbox.claim_due(channel=Channel.EMAIL, limit=2, now=NOW)
    third = outbox.claim_due(channel=Channel.EMAIL, limit=2, now=NOW)
    assert [one.pk for one in first.deliveries] == [urgent.pk, earlier.pk]
    assert [one.pk for one in second.deliveries] == [later.pk]
    assert third.deliveries == []
    assert {one.claim for one in first.deliveries} == {first.claim}
    assert first.claim != second.claim


@pytest.mark.django_db
def test_what_a_dead_worker_had_claimed_goes_to_another_one() -> None:
    one = DeliveryFactory.create()
    first = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    assert outbox.recover(now=NOW + CLAIM_LASTS - timedelta(seconds=1)) == outbox.Recovered(0, 0)
    assert outbox.recover(now=NOW + CLAIM_LASTS) == outbox.Recovered(given_back=1, unknown=0)
    second = outbox.claim_due(channel=Channel.EMAIL, now=NOW + CLAIM_LASTS)
    assert [row.pk for row in second.deliveries] == [one.pk]
    # The first was only slow: whatever it does now changes nothing, and it may hand nothing over.
    assert outbox.begin_sending(claim=first.claim, leaving=leaving([one]), transport="sink", now=NOW) == set()
    assert outbox.skip(claim=first.claim, reasons={one.pk: SkipReason.DONE}, now=NOW) == 0
    assert outbox.give_back(claim=first.claim, due={one.pk: None}, now=NOW) == 0
    assert outbox.begin_sending(claim=second.claim, leaving=leaving([one]), transport="sink", now=NOW) == {one.pk}


@pytest.mark.django_db
def test_what_a_dead_worker_was_handing_over_is_not_known() -> None:
    one = DeliveryFactory.create()
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    outbox.begin_sending(claim=claimed.claim, leaving=leaving([one]), transport="sink", now=NOW)
    outbox.recover(now=NOW + CLAIM_LASTS)
    one.refresh_from_db()
    assert one.state == State.SENDING
    assert outbox.recover(now=NOW + SENDING_LASTS) == outbox.Recovered(given_back=0, unknown=1)
    one.refresh_from_db()
    assert (one.state, one.transport, one.ended_at) == (State.UNKNOWN, "sink", NOW + SENDING_LASTS)
    assert outbox.claim_due(channel=Channel.EMAIL, now=NOW + timedelta(hours=1)).deliveries == []


def handed_over(*deliveries: Delivery) -> UUID:
    """To a provider that takes its time: until a sweep has thought the worker dead."""
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    outbox.begin_sending(claim=claimed.claim, leaving=leaving([*deliveries]), transport="sink", now=NOW)
    outbox.recover(now=NOW + SENDING_LASTS)
    return claimed.claim


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
def test_a_late_answer_is_believed_whatever_it_is() -> None:
    """Of the very worker that was handing over: what was refused for a while has not left, and goes out later."""
    yes, later, no = DeliveryFactory.create_batch(3)
    claim = handed_over(yes, later, no)
    assert states() == [State.UNKNOWN] * 3
    at = NOW + timedelta(minutes=6)
    endings = [
        Ending(yes.pk, State.SENT, provider_id="7"),
        Ending(later.pk, State.PLANNED, why="later", due_at=NOW + timedelta(minutes=10)),
        Ending(no.pk, State.FAILED, why="not this one"),
    ]
    assert outbox.settle(claim=claim, endings=endings, now=at) == {yes.pk, later.pk, no.pk}
    assert states() == [State.SENT, State.PLANNED, State.FAILED]
    later.refresh_from_db()
    assert (later.ended_at, later.lost_claim, later.tries) == (None, None, 1)
    assert outbox.claim_due(channel=Channel.EMAIL, now=NOW + timedelta(minutes=10)).deliveries == [later]


@pytest.mark.django_db
def test_a_late_no_of_an_earlier_hand_over_says_nothing_about_the_last_one() -> None:
    one = DeliveryFactory.create()
    first = handed_over(one)
    Delivery.objects.update(state=State.PLANNED, ended_at=None)  # the provider said that it has nothing
    second = handed_over(one)
    assert first != second
    refused = [Ending(one.pk, State.PLANNED, why="later", due_at=NOW + timedelta(hours=1))]
    assert outbox.settle(claim=first, endings=refused, now=NOW + timedelta(minutes=9)) == set()
    assert states() == [State.UNKNOWN]
    assert outbox.settle(claim=first, endings=[Ending(one.pk, State.SENT)], now=NOW) == {one.pk}


@pytest.mark.django_db
def test_nothing_new_is_kept_of_who_was_erased_meanwhile() -> None:
    one, other = DeliveryFactory.create_batch(2)
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    outbox.begin_sending(claim=claimed.claim, leaving=leaving([one, other]), transport="sink", now=NOW)
    User.objects.filter(pk=one.user_id).update(is_active=False)
    erase(user=one.user, now=NOW)
    endings = [Ending(row.pk, State.SENT, provider_id=f"n{row.pk}") for row in (one, other)]
    outbox.settle(claim=claimed.claim, endings=endings, now=NOW)
    found = {row.pk: (row.state, row.provider_id, row.address_digest) for row in Delivery.objects.all()}
    assert found[one.pk] == (State.SENT, "", None)
    assert found[other.pk][:2] == (State.SENT, f"n{other.pk}")


@pytest.mark.django_db
def test_another_workers_messages_are_not_settled() -> None:
    one = DeliveryFactory.create()
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    outbox.begin_sending(claim=claimed.claim, leaving=leaving([one]), transport="sink", now=NOW)
    other = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    assert outbox.settle(claim=other.claim, endings=[Ending(one.pk, State.SENT)], now=NOW) == set()


@pytest.mark.django_db
def test_dropped_while_a_worker_has_it_in_hand() -> None:
    one, gone = DeliveryFactory.create_batch(2)
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    outbox.begin_sending(claim=claimed.claim, leaving=leaving([gone]), transport="sink", now=NOW)
    assert outbox.drop(which=Q(), now=NOW) == 1
    assert outbox.begin_sending(claim=claimed.claim, leaving=leaving([one]), transport="sink", now=NOW) == set()
    one.refresh_from_db()
    assert (one.state, one.skip_reason, one.claim) == (State.SKIPPED, SkipReason.STOPPED, None)


@pytest.mark.django_db
def test_once_more_is_for_what_failed_and_is_of_use() -> None:
    failed = DeliveryFactory.create(state=State.FAILED, tries=5)
    unknown = DeliveryFactory.create(state=State.UNKNOWN)
    DeliveryFactory.create(state=State.FAILED, due_at=NOW - timedelta(hours=3))  # of no use any more
    DeliveryFactory.create(state=State.SENT)
    assert outbox.retry(which=Q(), now=NOW) == 1
    failed.refresh_from_db()
    assert (failed.state, failed.tries, failed.due_at, failed.ended_at) == (State.PLANNED, 0, NOW, None)
    assert outbox.retry(which=Q(pk=unknown.pk), with_unknown=True, now=NOW) == 1


@pytest.mark.django_db
def test_once_more_is_not_for_what_the_next_channel_carries() -> None:
    """But for that which could not be used either."""
    left, waits, useless = DeliveryFactory.create_batch(3, state=State.FAILED)
    for before, state in ((left, State.SENT), (waits, State.PLANNED), (useless, State.SKIPPED)):
        DeliveryFactory.create(
            fallback_of=before, user=before.user, subject=before.subject, channel=Channel.SMS, state=state
        )
    assert outbox.retry(which=Q(channel=Channel.EMAIL), now=NOW) == 1
    useless.refresh_from_db()
    assert useless.state == State.PLANNED


@pytest.mark.django_db(transaction=True)
def test_what_leaves_is_committed_before_it_leaves() -> None:
    one = DeliveryFactory.create()
    claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        outbox.begin_sending(claim=claimed.claim, leaving=leaving([one]), transport="sink", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_share_the_rows_and_wait_for_none() -> None:
    DeliveryFactory.create_batch(60)
    found: list[list[int]] = []
    begin = threading.Barrier(4)

    def work() -> None:
        try:
            begin.wait(PATIENCE_SECONDS)
            while rows := outbox.claim_due(channel=Channel.EMAIL, limit=7, now=NOW).deliveries:
                found.append([one.pk for one in rows])
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE_SECONDS)
    claimed = [pk for rows in found for pk in rows]
    assert len(claimed) == len(set(claimed)) == 60
    assert max(len(rows) for rows in found) <= 7


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_looked_at_is_passed_over() -> None:
    """Another connection holds the older row: the claim takes the other one and does not wait."""
    held, free = (DeliveryFactory.create(due_at=NOW - timedelta(minutes=number)) for number in (2, 1))
    has_it, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Delivery.objects.select_for_update().filter(pk=held.pk))
                has_it.set()
                go_on.wait(PATIENCE_SECONDS)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert has_it.wait(PATIENCE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '30s'")
        try:
            claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
        finally:
            cursor.execute("RESET statement_timeout")  # the connection serves later tests as well
            go_on.set()
    holder.join(PATIENCE_SECONDS)
    assert [one.pk for one in claimed.deliveries] == [free.pk]


@pytest.mark.django_db(transaction=True)
def test_given_back_and_begun_in_the_same_moment_only_one_happens() -> None:
    """The sweep thinks the worker is dead while it is about to send: the row's lock decides, and the loser sees it."""
    for _ in range(5):
        one = DeliveryFactory.create()
        claimed = outbox.claim_due(channel=Channel.EMAIL, now=NOW)
        begin = threading.Barrier(2)
        mine: set[int] = set()

        def send(claim: UUID = claimed.claim, row: Delivery = one, at: Any = begin, mine: set[int] = mine) -> None:
            try:
                at.wait(PATIENCE_SECONDS)
                mine |= outbox.begin_sending(
                    claim=claim, leaving=leaving([row]), transport="sink", now=NOW + CLAIM_LASTS
                )
            finally:
                connections.close_all()

        worker = threading.Thread(target=send)
        worker.start()
        begin.wait(PATIENCE_SECONDS)
        recovered = outbox.recover(now=NOW + CLAIM_LASTS)
        worker.join(PATIENCE_SECONDS)
        one.refresh_from_db()
        if mine:
            assert (recovered.given_back, one.state) == (0, State.SENDING)
        else:
            assert (recovered.given_back, one.state) == (1, State.PLANNED)
        Delivery.objects.all().delete()
