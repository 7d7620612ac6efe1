"""What callbacks leave at a delivery: once, in whatever order, and never less than before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from certification.domain.erasure import erase
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
    assert state_of(one) == (DeliveryState.SENT, at(2), None, None, None)
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


def test_a_link_that_somebody_followed_on_the_way_was_not_followed_by_the_doctor(twilio: Transport) -> None:
    """Filters of mail open every link; `followed_at` is what the page of the link knows."""
    one = delivery()

    take(twilio, [say(Outcome.CLICKED, minute=3)], now=LATER)

    assert state_of(one) == (DeliveryState.SENT, at(3), None, None, None)
    assert [event.outcome for event in ProviderEvent.objects.all()] == [Outcome.CLICKED]


@pytest.mark.parametrize(("seconds", "is_read"), [(3, False), (9, False), (10, True), (600, True)])
def test_pictures_loaded_at_once_were_loaded_by_a_machine(configure: Configure, seconds: int, is_read: bool) -> None:
    transport = mailgun(configure)
    one = delivery(channel=Channel.EMAIL, transport="mailgun", provider_id="", claimed_at=NOW)
    happened_at = NOW + timedelta(seconds=seconds)

    take(transport, [Told("e1", "", one.key, Outcome.READ, happened_at)], now=LATER)

    assert state_of(one)[1:4] == (happened_at, None, happened_at if is_read else None)


def test_a_number_that_was_guessed_gives_way_to_the_key(twilio: Transport) -> None:
    """Two to one person within minutes, and one of them taken: asked for the other, Twilio named the one it had."""
    taken = delivery(DeliveryState.UNKNOWN, provider_id="")
    guessed = delivery(DeliveryState.SENT, provider_id="SM7")

    told = [say(Outcome.DELIVERED, key=taken.key, provider_id="SM7", minute=2)]
    assert take(twilio, told, now=LATER) == 1

    taken.refresh_from_db()
    guessed.refresh_from_db()
    assert (taken.state, taken.provider_id, taken.delivered_at) == (DeliveryState.SENT, "SM7", at(2))
    assert (guessed.state, guessed.provider_id, guessed.delivered_at) == (DeliveryState.UNKNOWN, "", None)
    assert guessed.ended_at == LATER


def test_what_is_known_to_have_arrived_loses_only_the_wrong_number(twilio: Transport) -> None:
    taken = delivery(DeliveryState.SENDING, provider_id="")
    other = delivery(DeliveryState.SENT, provider_id="SM7", delivered_at=at(1))

    take(twilio, [say(Outcome.FAILED, key=taken.key, provider_id="SM7", minute=2)], now=LATER)

    taken.refresh_from_db()
    other.refresh_from_db()
    assert (taken.state, taken.provider_id) == (DeliveryState.FAILED, "SM7")
    assert (other.state, other.provider_id, other.delivered_at) == (DeliveryState.SENT, "", at(1))


def test_of_who_was_erased_nothing_is_written_back(twilio: Transport) -> None:
    person = UserFactory.create(phone=NUMBER)
    one = delivery(user=person, provider_id="", address_digest=consent.address_digest(Channel.SMS, NUMBER))
    other = delivery(provider_id="SM2")
    erase(user=person, now=now())
    news = [
        say(Outcome.FAILED, key=one.key, details={"code": 30003}),
        say(Outcome.DELIVERED, key=other.key, provider_id="SM2", number="SM2/delivered"),
    ]

    assert take(twilio, news, now=LATER) == 2

    one.refresh_from_db()
    assert (one.provider_id, one.error, one.bounced_at, one.address_digest) == ("", "", None, None)
    assert list(ProviderEvent.objects.exclude(delivery=None).values_list("delivery", flat=True)) == [other.pk]


def test_people_are_locked_in_one_order_whatever_the_order_of_news(configure: Configure) -> None:
    """Two callbacks with the same complainers in other orders would else wait for each other."""
    transport = mailgun(configure)
    addresses = [f"{letter}@example.org" for letter in "dbca"]
    for address in addresses:
        UserFactory.create(email=address)
    news = [
        Told(f"e{number}", "", None, Outcome.COMPLAINED, NOW, address=address)
        for number, address in enumerate(addresses)
    ]

    with CaptureQueriesContext(connection) as queries:
        take(transport, news, now=LATER)

    locking = [one["sql"] for one in queries if "FOR NO KEY UPDATE" in one["sql"] and "@example.org" in one["sql"]]
    assert [next(a for a in addresses if a in sql) for sql in locking] == sorted(addresses)


ORDERS = {
    "as said": ["stop", "start"],
    "the other way round": ["start", "stop"],
}


def wishes(**minutes: int) -> dict[str, Told]:
    outcomes = {"stop": Outcome.STOPPED, "start": Outcome.STARTED}
    return {
        name: say(outcomes[name.rstrip("2")], provider_id="", number=name, address=NUMBER, minute=minute)
        for name, minute in minutes.items()
    }


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_sec_39_a_start_that_comes_late_undoes_no_stop_said_after_it(twilio: Transport, order: list[str]) -> None:
    person = sms_person()
    said = wishes(start=0, stop=5)

    for name in order:
        take(twilio, [said[name]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == set()
    assert standing() == [(SuppressionReason.STOP, at(5))]


def test_sec_39_a_stop_that_comes_late_undoes_no_yes_said_after_it(twilio: Transport) -> None:
    """STOP, STOP again, START; the second STOP is told last."""
    person = sms_person()
    said = wishes(stop=0, stop2=3, start=5)

    for name in ("stop", "start", "stop2"):
        take(twilio, [said[name]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == {person.pk}
    assert standing() == []


def test_sec_39_a_box_ticked_after_a_stop_holds_however_late_the_stop_is_told(twilio: Transport) -> None:
    person = sms_person()
    consent.choose(user_id=person.pk, choices={Channel.SMS: False}, source=ConsentSource.PROFILE, now=at(1))
    consent.choose(user_id=person.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=at(9))

    take(twilio, [wishes(stop=5)["stop"]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == {person.pk}
    assert standing() == []


def test_sec_39_a_stop_said_again_is_as_young_as_its_last_word(twilio: Transport) -> None:
    person = sms_person()
    said = wishes(stop=0, stop2=5, start=3)

    for name in ("stop", "stop2", "start"):
        take(twilio, [said[name]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == set()
    assert standing() == [(SuppressionReason.STOP, at(5))]


def test_sec_39_who_never_wanted_it_does_not_by_stop_and_start(twilio: Transport) -> None:
    """A number may be somebody else's than the person's who has it in their profile."""
    person = UserFactory.create(phone=NUMBER)
    said = wishes(stop=0, start=5)

    for name in ("stop", "start"):
        take(twilio, [said[name]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == set()
    assert standing() == []  # the number itself is free again
    assert not ConsentRecord.objects.exists()


def test_all_wishes_of_one_callback_count_by_their_time(twilio: Transport) -> None:
    person = sms_person()
    said = wishes(stop=5, start=8)

    take(twilio, [said["start"], said["stop"]], now=LATER)

    assert consent.wanted([person.pk], Channel.SMS) == {person.pk}


def sms_person() -> User:
    person: User = UserFactory.create(phone=NUMBER)
    consent.choose(
        user_id=person.pk, choices={Channel.SMS: True}, source=ConsentSource.PROFILE, now=NOW - timedelta(days=1)
    )
    return person


def standing() -> list[tuple[str, datetime]]:
    return list(Suppression.objects.filter(lifted_at=None).values_list("reason", "since"))


def mailgun(configure: Configure) -> Transport:
    configure(MESSAGES_EMAIL="mailgun", MAILGUN_API_KEY="k", MAILGUN_DOMAIN="m.example.org")
    transport = transport_for(Channel.EMAIL)
    assert transport is not None
    return transport


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
    transport = mailgun(configure)
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
