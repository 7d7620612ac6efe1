"""What callbacks leave at a delivery: once, in whatever order, and never less than before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from reminders.domain import consent, told
from reminders.domain.told import take
from reminders.enums import Channel, ConsentSource, DeliveryState, Outcome, SuppressionReason
from reminders.models import ConsentRecord, Delivery, ProviderEvent, Suppression
from reminders.transports import Transport, transport_for
from reminders.transports.base import Told
from tests.factories.accounts import UserFactory
from tests.reminders.factories import NOW, DeliveryFactory
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
NUMBER = "+919876543210"


@pytest.fixture
def twilio(configure: Configure) -> Transport:
    provider = providers.twilio()
    configure(**provider.settings("http://127.0.0.1:9"))
    return provider.transport()


def delivery(state: DeliveryState = DeliveryState.SENT, **values: Any) -> Delivery:
    shown: dict[str, Any] = {"channel": Channel.SMS, "transport": "twilio", "provider_id": "SM1", "state": state}
    return DeliveryFactory.create(**(shown | values))


def say(outcome: Outcome, *, key: UUID | None = None, minute: int = 0, number: str = "", **values: Any) -> Told:
    at = NOW + timedelta(minutes=minute)
    return Told(number or f"SM1/{outcome}", values.pop("provider_id", "SM1"), key, outcome, at, **values)


def state_of(one: Delivery) -> tuple[Any, ...]:
    one.refresh_from_db()
    return one.state, one.delivered_at, one.bounced_at, one.read_at, one.followed_at


def at(minute: int) -> datetime:
    return NOW + timedelta(minutes=minute)


def test_what_is_told_twice_is_kept_once(twilio: Transport) -> None:
    one = delivery()

    numbers = [take(twilio, [say(Outcome.DELIVERED, key=one.key, minute=2)], now=LATER) for _ in range(3)]

    assert numbers == [1, 0, 0]
    assert state_of(one) == (DeliveryState.SENT, at(2), None, None, None)
    (event,) = ProviderEvent.objects.all()
    assert (event.delivery_id, event.outcome, event.happened_at) == (one.pk, Outcome.DELIVERED, at(2))


def test_the_order_does_not_matter(twilio: Transport) -> None:
    news = [
        say(Outcome.ACCEPTED, minute=1),
        say(Outcome.DELIVERED, minute=2),
        say(Outcome.READ, minute=3),
        say(Outcome.READ, minute=5, number="SM1/again"),
    ]
    ends = set()
    for order in permutations(news):
        one = delivery()
        for piece in order:
            take(twilio, [piece], now=LATER)
        ends.add(state_of(one))
        one.delete()
        ProviderEvent.objects.all().delete()

    assert ends == {(DeliveryState.SENT, at(2), None, at(3), None)}


def test_all_of_a_callback_at_once_is_the_same(twilio: Transport) -> None:
    one, other = delivery(), delivery(provider_id="SM2")
    news = [
        say(Outcome.CLICKED, minute=4),
        say(Outcome.DELIVERED, minute=2),
        say(Outcome.DELIVERED, minute=2),
        say(Outcome.DELIVERED, minute=3, provider_id="SM2", number="SM2/delivered"),
        say(Outcome.READ, provider_id="unknown", number="unknown/read"),
    ]

    assert take(twilio, news, now=LATER) == 4
    assert state_of(one) == (DeliveryState.SENT, at(2), None, at(4), at(4))
    assert state_of(other) == (DeliveryState.SENT, at(3), None, None, None)
    assert ProviderEvent.objects.filter(delivery=None).count() == 1


def test_a_time_in_the_future_is_now(twilio: Transport) -> None:
    one = delivery()

    take(twilio, [say(Outcome.READ, minute=600)], now=LATER)

    assert state_of(one) == (DeliveryState.SENT, LATER, None, LATER, None)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.DELIVERED, Outcome.READ, Outcome.BOUNCED])
@pytest.mark.parametrize(
    "state", [DeliveryState.UNKNOWN, DeliveryState.SENDING, DeliveryState.PLANNED, DeliveryState.CLAIMED]
)
def test_what_was_in_doubt_was_sent(twilio: Transport, state: DeliveryState, outcome: Outcome) -> None:
    """Also what was planned again: else it would go a second time."""
    one = delivery(state, provider_id="")

    take(twilio, [say(outcome, key=one.key, minute=1)], now=LATER)

    one.refresh_from_db()
    assert (one.state, one.provider_id, one.ended_at, one.claim) == (DeliveryState.SENT, "SM1", LATER, None)


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (DeliveryState.UNKNOWN, DeliveryState.FAILED),
        (DeliveryState.SENDING, DeliveryState.FAILED),
        (DeliveryState.SENT, DeliveryState.SENT),
        (DeliveryState.PLANNED, DeliveryState.PLANNED),
    ],
)
def test_a_failure_is_written_down(twilio: Transport, state: DeliveryState, becomes: DeliveryState) -> None:
    one = delivery(state, provider_id="")

    take(twilio, [say(Outcome.FAILED, key=one.key, details={"code": 30003})], now=LATER)

    one.refresh_from_db()
    assert (one.state, one.bounced_at, one.error) == (becomes, NOW, "failed: 30003")


def test_news_belong_to_the_transport_and_channel(twilio: Transport) -> None:
    others = [delivery(channel=Channel.WHATSAPP, provider_id="SM9"), delivery(transport="vonage", provider_id="SM1")]

    take(twilio, [say(Outcome.DELIVERED)], now=LATER)
    take(twilio, [say(Outcome.READ, key=others[0].key, provider_id="")], now=LATER)

    assert [state_of(one) for one in others] == [(DeliveryState.SENT, None, None, None, None)] * 2


def test_an_address_that_is_none_is_left_alone_the_one_of_then(twilio: Transport) -> None:
    """The person may have another number by now."""
    digest = consent.address_digest(Channel.SMS, "+4915112345678")
    one = delivery(address_digest=digest)

    take(twilio, [say(Outcome.FAILED, key=one.key, is_hard=True, address=NUMBER)], now=LATER)

    (row,) = Suppression.objects.all()
    assert (bytes(row.address_digest), row.reason, row.since) == (digest, SuppressionReason.HARD_BOUNCE, LATER)


def test_a_passing_failure_suppresses_nothing(twilio: Transport) -> None:
    one = delivery(address_digest=consent.address_digest(Channel.SMS, NUMBER))

    take(twilio, [say(Outcome.FAILED, key=one.key, address=NUMBER)], now=LATER)

    assert not Suppression.objects.exists()


def test_stop_and_start_are_heeded_once_each(twilio: Transport) -> None:
    person = UserFactory.create(phone=NUMBER)
    consent.choose(user_id=person.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=NOW)
    stop = say(Outcome.STOPPED, provider_id="", number="SM5", address=NUMBER)
    start = say(Outcome.STARTED, provider_id="", number="SM6", address=NUMBER)

    wanted = []
    for news in (stop, stop, start, stop):
        take(twilio, [news], now=LATER)
        wanted.append(consent.wanted([person.pk], Channel.SMS) == {person.pk})

    assert wanted == [False, False, True, True]
    records = ConsentRecord.objects.filter(user=person).order_by("pk").values_list("source", "is_on")
    assert list(records) == [
        (ConsentSource.PROFILE, True),
        (ConsentSource.STOP, False),
        (ConsentSource.START, True),
    ]


def test_a_complaint_ends_the_channel(configure: Configure) -> None:
    configure(MESSAGES_EMAIL="mailgun", MAILGUN_API_KEY="k", MAILGUN_DOMAIN="m.example.org")
    transport = transport_for(Channel.EMAIL)
    assert transport is not None
    person, other = UserFactory.create(email="a@example.org"), UserFactory.create(email="b@example.org")
    one = delivery(channel=Channel.EMAIL, transport="mailgun", user=person, provider_id="")

    take(transport, [say(Outcome.COMPLAINED, key=one.key, provider_id="", address="a@example.org")], now=LATER)

    assert consent.wanted([person.pk, other.pk], Channel.EMAIL) == {other.pk}
    assert [row.reason for row in Suppression.objects.all()] == [SuppressionReason.COMPLAINT]


@pytest.mark.parametrize("number", [1, 3])
def test_a_list_of_news_takes_as_many_queries_as_one(
    twilio: Transport, number: int, django_assert_num_queries: Any
) -> None:
    news = []
    for index in range(number):
        one = delivery(provider_id=f"SM{index}")
        news.append(say(Outcome.DELIVERED, key=one.key, provider_id=f"SM{index}", number=f"{index}"))

    with django_assert_num_queries(5):  # with the two of the savepoint
        take(twilio, news, now=LATER)


def test_old_news_are_forgotten(twilio: Transport) -> None:
    one = delivery()
    take(twilio, [say(Outcome.DELIVERED)], now=LATER)
    take(twilio, [say(Outcome.READ)], now=LATER + timedelta(days=60))

    assert told.forget_old(now=LATER + timedelta(days=91)) == 1
    assert list(ProviderEvent.objects.values_list("outcome", flat=True)) == [Outcome.READ]
    assert state_of(one)[1] == NOW


@pytest.mark.django_db(transaction=True)
def test_many_who_tell_the_same_at_once_are_one(twilio: Transport) -> None:
    """A provider that was not answered in time tells it again, while the first is still being written down."""
    person = UserFactory.create(phone=NUMBER)
    consent.choose(user_id=person.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=NOW)
    rows = [delivery(provider_id=f"SM{number}") for number in range(4)]
    news = [say(Outcome.READ, key=one.key, provider_id=one.provider_id, number=one.provider_id) for one in rows]
    news.append(say(Outcome.STOPPED, provider_id="", number="SM9", address=NUMBER))

    def tell(number: int) -> int:
        try:
            order = news[number % 5 :] + news[: number % 5]
            return take(twilio, order, now=LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(tell, range(16)))

    assert sum(numbers) == len(news)
    assert ProviderEvent.objects.count() == len(news)
    assert {state_of(one)[3] for one in rows} == {NOW}
    assert ConsentRecord.objects.filter(source=ConsentSource.STOP).count() == 1
