"""Messages and a person who leaves: what goes, what stays under a number, and what they take along."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from certification.domain.erasure import erase, look, write_own_data
from reminders.domain import consent, feeds
from reminders.domain.retention import KEPT, tidy
from reminders.enums import Channel, ConsentSource, DeliveryState, Outcome
from reminders.models import (
    CalendarFeed,
    ChannelChoice,
    ConsentRecord,
    Delivery,
    InboxItem,
    PhoneCode,
    ProviderEvent,
    PushSubscription,
    Suppression,
)
from reminders.tasks import tidy as bell
from tests.factories.accounts import UserFactory
from tests.reminders.factories import (
    NOW,
    DeliveryFactory,
    InboxItemFactory,
    PhoneCodeFactory,
    PushSubscriptionFactory,
    suppressed,
)

pytestmark = pytest.mark.django_db


def leave_traces(user: User) -> Delivery:
    """Of everything that messages know of people; returns one that was sent."""
    consent.choose(user_id=user.pk, choices={"sms": True}, source=ConsentSource.PROFILE, now=NOW)
    feeds.make_feed(user=user, now=NOW)
    PushSubscriptionFactory.create(user=user)
    InboxItemFactory.create(user=user)
    PhoneCodeFactory.create(user=user)
    for state in (DeliveryState.PLANNED, DeliveryState.CLAIMED):
        DeliveryFactory.create(user=user, state=state)
    sent: Delivery = DeliveryFactory.create(
        user=user,
        state=DeliveryState.SENT,
        transport="smtp",
        provider_id=f"<{user.pk}@mail>",
        address_digest=consent.address_digest(Channel.EMAIL, user.email),
        error="450 try later",
    )
    ProviderEvent.objects.create(
        transport="smtp", event_id=str(user.pk), delivery=sent, outcome=Outcome.DELIVERED, happened_at=NOW,
        received_at=NOW, details={"to": user.email},
    )  # fmt: skip
    return sent


def counts(user: User) -> dict[str, int]:
    models: tuple[Any, ...] = (InboxItem, PhoneCode, PushSubscription, CalendarFeed, ChannelChoice, ConsentRecord)
    found = {model.__name__: model.objects.filter(user=user).count() for model in models}
    return found | {"ProviderEvent": ProviderEvent.objects.filter(delivery__user=user).count()}


class TestErasing:
    def test_sec_39_what_leads_to_the_person_goes_and_nobody_elses(self) -> None:
        doctor, other = UserFactory.create(), UserFactory.create()
        sent, theirs = leave_traces(doctor), leave_traces(other)
        suppressed(Channel.EMAIL, doctor.email)

        erase(user=doctor, now=now())

        assert counts(doctor) == {
            "InboxItem": 0, "PhoneCode": 0, "PushSubscription": 0, "CalendarFeed": 0, "ChannelChoice": 0,
            "ConsentRecord": 1, "ProviderEvent": 0,
        }  # fmt: skip
        assert set(counts(other).values()) == {1}
        sent.refresh_from_db()
        assert (sent.state, sent.address_digest, sent.provider_id, sent.error) == ("sent", None, "", "")
        theirs.refresh_from_db()
        assert theirs.provider_id == f"<{other.pk}@mail>"
        assert Suppression.objects.count() == 1

    def test_what_was_to_be_sent_is_not_sent(self) -> None:
        doctor = UserFactory.create()
        leave_traces(doctor)
        erase(user=doctor, now=now())
        left = Delivery.objects.filter(user=doctor).exclude(state=DeliveryState.SENT)
        assert {(one.state, one.skip_reason, one.claim) for one in left} == {("skipped", "not_enrolled", None)}

    def test_before_it_is_said_what_goes_and_what_stays(self) -> None:
        doctor = UserFactory.create()
        leave_traces(doctor)
        seen = look(user=doctor, now=now())
        assert {name: number for name, number in seen.erased.items() if "message" in name or "brows" in name} == {
            "messages on the site": 1,
            "messages that were to be sent": 2,
            "browsers for notices": 1,
        }
        assert [one.what for one in seen.kept if "messages" in one.what] == ["answers about messages (1)"]


def test_sec_39_a_person_takes_their_messages_along_and_no_key() -> None:
    doctor, other = UserFactory.create(), UserFactory.create()
    leave_traces(doctor)
    leave_traces(other)
    suppressed(Channel.EMAIL, doctor.email)
    suppressed(Channel.EMAIL, other.email)
    suppressed(Channel.SMS, doctor.email)
    file = BytesIO()
    write_own_data(user=doctor, to=file, now=now(), actor=doctor)
    with zipfile.ZipFile(file) as archive:
        text = archive.read("messages.json").decode()
    found = json.loads(text)
    assert {name: len(rows) for name, rows in found.items()} == {
        "wanted": 1, "answers": 1, "messages": 4, "on_the_site": 1, "notices": 1, "calendar": 1, "told_by_providers": 1,
        "addresses_left_alone": 1,
        "codes_for_a_number": 1,
    }  # fmt: skip
    assert found["addresses_left_alone"][0] | {"since": ""} == {
        "channel": "email", "reason": "hard_bounce", "since": "", "lifted_at": None,
    }  # fmt: skip
    assert (found["told_by_providers"][0]["outcome"], found["told_by_providers"][0]["transport"]) == (
        "delivered",
        "smtp",
    )
    keys = (PushSubscription.objects.get(user=doctor).auth, "push.example.net", "token")
    assert [key for key in keys if key in text] == []


class TestRetention:
    def test_after_a_year_only_that_it_was_sent_is_known(self) -> None:
        doctor = UserFactory.create()
        sent = leave_traces(doctor)
        assert tidy(now=NOW + timedelta(days=3)) == 1  # the code for a number
        assert tidy(now=NOW + timedelta(days=100)) == 1  # what its provider told, after 90 days
        assert tidy(now=NOW + KEPT - timedelta(hours=1)) == 0
        assert tidy(now=NOW + KEPT + timedelta(hours=1)) == 2
        sent.refresh_from_db()
        assert (sent.state, sent.ended_at, sent.provider_id, sent.address_digest) == ("sent", NOW, "", None)
        assert InboxItem.objects.count() == 0
        assert tidy(now=NOW + KEPT + timedelta(hours=2)) == 0

    def test_what_is_still_to_be_sent_is_left_alone(self) -> None:
        DeliveryFactory.create(error="450 try later")
        assert tidy(now=NOW + 2 * KEPT) == 0

    def test_the_bell_of_every_day_does_it(self) -> None:
        old, young = (InboxItemFactory.create(made_at=now() - timedelta(days=days)) for days in (366, 364))
        bell()
        assert list(InboxItem.objects.all()) == [young]
        assert old.pk != young.pk

    def test_a_browser_that_ended_goes_after_a_month(self) -> None:
        gone = PushSubscriptionFactory.create(ended_at=NOW)
        there = PushSubscriptionFactory.create()
        assert tidy(now=NOW + timedelta(days=29)) == 0
        assert tidy(now=NOW + timedelta(days=31)) == 1
        assert list(PushSubscription.objects.all()) == [there]
        assert gone.pk != there.pk
