"""E-mail, then WhatsApp, then SMS: the next one for whom the one before did not reach, while it is of use."""

from datetime import timedelta
from typing import Any

import pytest

from reminders.domain import falling_back
from reminders.domain.falling_back import plan_fallbacks
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Delivery, Journey
from tests.reminders.factories import NOW, ChannelChoiceFactory, DeliveryFactory, JourneyFactory, Scene, scene
from tests.reminders.sink import Sink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sink")]
CHAIN = ["email", "whatsapp", "sms"]
State = DeliveryState
MINUTE = timedelta(minutes=1)


def first(state: str = State.SENT, *, urgent: bool = True, minutes: int | None = 5, **values: Any) -> Delivery:
    found = scene()
    JourneyFactory.create(
        programme=found.programme, kind=Kind.LIVE, channels=CHAIN, fallback_minutes=minutes, is_urgent=urgent
    )
    wants_all(found)
    made: Delivery = DeliveryFactory.create(
        programme=found.programme, user=found.doctors[0], kind=Kind.LIVE, subject=f"webinar/{found.webinar.pk}",
        slot="begin", state=state, is_urgent=urgent, **values,
    )  # fmt: skip
    return made


def told(**values: Any) -> None:
    """Another message, of which the provider said what became of it."""
    shown = {"channel": Channel.EMAIL, "transport": "sink", "ended_at": NOW, "delivered_at": NOW} | values
    DeliveryFactory.create(state=State.SENT, **shown)


def wants_all(found: Scene) -> None:
    for channel in (Channel.WHATSAPP, Channel.SMS):
        ChannelChoiceFactory.create(user=found.doctors[0], channel=channel)


def made() -> list[tuple[str, Any]]:
    rows = Delivery.objects.exclude(fallback_of=None).order_by("pk")
    return [(one.channel, one.due_at) for one in rows]


def test_an_urgent_message_that_nobody_opened_goes_by_the_next_channel_and_the_next() -> None:
    before = first(delivered_at=NOW)
    assert plan_fallbacks(now=NOW + 4 * MINUTE) == 0
    assert plan_fallbacks(now=NOW + 5 * MINUTE) == 1
    assert plan_fallbacks(now=NOW + 6 * MINUTE) == 0
    second = Delivery.objects.get(fallback_of=before)
    assert (second.channel, second.slot, second.is_urgent, second.expires_at) == (
        "whatsapp", before.slot, True, before.expires_at
    )  # fmt: skip
    Delivery.objects.filter(pk=second.pk).update(state=State.SENT, ended_at=NOW + 6 * MINUTE)
    assert plan_fallbacks(now=NOW + 11 * MINUTE) == 1
    assert made() == [("whatsapp", NOW + 5 * MINUTE), ("sms", NOW + 11 * MINUTE)]
    Delivery.objects.filter(channel="sms").update(state=State.SENT, ended_at=NOW + 12 * MINUTE)
    assert plan_fallbacks(now=NOW + 30 * MINUTE) == 0  # there is no fourth


@pytest.mark.parametrize(("topics", "planned"), [((), 0), (("arn:aws:sns:eu-central-1:123456789012:mail",), 1)])
def test_that_nobody_told_of_a_delivery_means_nothing_where_nobody_is_listened_to(
    topics: tuple[str, ...], planned: int, settings: Any
) -> None:
    """Else every calm message would go by all channels, one after the other."""
    first(urgent=False)
    told(transport="ses")
    settings.MESSAGES = {**settings.MESSAGES, "MESSAGES_EMAIL": "ses", "AWS_SNS_TOPICS": topics}
    assert plan_fallbacks(now=NOW + 5 * MINUTE) == planned


@pytest.mark.parametrize("mark", ["read_at", "followed_at"])
def test_who_opened_the_first_of_a_chain_gets_no_third(mark: str) -> None:
    before = first()
    plan_fallbacks(now=NOW + 5 * MINUTE)
    Delivery.objects.filter(fallback_of=before).update(state=State.SENT, ended_at=NOW + 6 * MINUTE)
    Delivery.objects.filter(pk=before.pk).update(**{mark: NOW + 7 * MINUTE})
    assert plan_fallbacks(now=NOW + 20 * MINUTE) == 0
    Delivery.objects.filter(pk=before.pk).update(**{mark: None})
    assert plan_fallbacks(now=NOW + 20 * MINUTE) == 1


def test_those_who_have_no_next_channel_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(falling_back, "BATCH", 2)
    found = scene(doctors=4)
    JourneyFactory.create(
        programme=found.programme, kind=Kind.LIVE, channels=["email", "sms"], fallback_minutes=5, is_urgent=True
    )
    for number, doctor in enumerate(found.doctors):
        DeliveryFactory.create(
            programme=found.programme, user=doctor, kind=Kind.LIVE, subject=f"webinar/{found.webinar.pk}",
            slot="begin", state=State.SENT, is_urgent=True, ended_at=NOW + timedelta(seconds=number),
        )  # fmt: skip
    ChannelChoiceFactory.create(user=found.doctors[3], channel=Channel.SMS)
    assert plan_fallbacks(now=NOW + 6 * MINUTE) == 1
    assert Delivery.objects.get(channel="sms").user == found.doctors[3]


def test_what_its_provider_refuses_for_longer_than_the_wait_is_left_to_the_next_channel() -> None:
    held_up = first(State.PLANNED, tries=3)
    Delivery.objects.filter(pk=held_up.pk).update(due_at=NOW + 31 * MINUTE)
    assert plan_fallbacks(now=NOW + 7 * MINUTE) == 1
    held_up.refresh_from_db()
    assert (held_up.state, held_up.ended_at) == (State.FAILED, NOW + 7 * MINUTE)
    assert made() == [("whatsapp", NOW + 7 * MINUTE)]


@pytest.mark.parametrize(("tries", "urgent", "minutes"), [(0, True, 31), (2, True, 4), (3, False, 31)])
def test_what_waits_for_its_own_time_or_a_moment_stays(tries: int, urgent: bool, minutes: int) -> None:
    one = first(State.PLANNED, tries=tries, urgent=urgent)
    Delivery.objects.filter(pk=one.pk).update(due_at=NOW + minutes * MINUTE)
    assert plan_fallbacks(now=NOW) == 0
    one.refresh_from_db()
    assert one.state == State.PLANNED


@pytest.mark.parametrize("mark", ["read_at", "followed_at"])
def test_opened_or_followed_is_reached(mark: str) -> None:
    one = first()
    Delivery.objects.filter(pk=one.pk).update(**{mark: NOW})
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == 0


def test_a_calm_message_is_reached_by_its_delivery() -> None:
    one = first(urgent=False)
    told()
    Delivery.objects.filter(pk=one.pk).update(delivered_at=NOW)
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == 0
    Delivery.objects.filter(pk=one.pk).update(delivered_at=None)
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == 1


def test_a_channel_that_tells_no_delivery_says_nothing_of_calm_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sink, "tells_delivery", False)
    first(urgent=False)
    told()
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == 0


@pytest.mark.parametrize(
    ("values", "planned"),
    [
        ({}, 1),
        ({"delivered_at": None, "bounced_at": NOW}, 1),
        ({"delivered_at": None}, 0),
        ({"transport": "another"}, 0),
        ({"channel": Channel.SMS}, 0),
        ({"ended_at": NOW - timedelta(days=8)}, 0),
    ],
)
def test_who_tells_nothing_at_all_says_nothing_of_one_message(values: dict[str, Any], planned: int) -> None:
    """Callbacks that nobody set up at the provider: else everything would go by every channel."""
    first(urgent=False)
    told(**values)
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == planned


@pytest.mark.parametrize(("state", "values"), [(State.FAILED, {}), (State.SENT, {"bounced_at": NOW})])
def test_what_failed_or_bounced_does_not_wait(state: str, values: dict[str, Any]) -> None:
    first(state, **values)
    assert plan_fallbacks(now=NOW) == 1
    assert made() == [("whatsapp", NOW)]


def test_without_a_wait_there_is_no_next_channel_for_what_left() -> None:
    first(State.FAILED, minutes=None)
    assert plan_fallbacks(now=NOW + 60 * MINUTE) == 0


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (SkipReason.SUPPRESSED, 1), (SkipReason.OPTED_OUT, 1), (SkipReason.NO_ADDRESS, 1), (SkipReason.NO_TEMPLATE, 1),
        (SkipReason.DONE, 0), (SkipReason.CANCELLED, 0), (SkipReason.MOVED, 0), (SkipReason.CAPPED, 0),
        (SkipReason.TOO_LATE, 0), (SkipReason.STOPPED, 0), (SkipReason.NOT_NEEDED, 0), (SkipReason.SWITCHED_OFF, 0),
        (SkipReason.GONE, 0), (SkipReason.NO_WAY, 1),
        (SkipReason.NOT_ENROLLED, 0),
    ],
)  # fmt: skip
def test_a_channel_that_cannot_be_used_gives_way_at_once(reason: SkipReason, expected: int) -> None:
    """Also where no wait is set: only the first that can be used is taken, and this one cannot."""
    first(State.SKIPPED, skip_reason=reason, minutes=None)
    assert plan_fallbacks(now=NOW) == expected


def test_what_nobody_knows_is_not_reached() -> None:
    first(State.UNKNOWN)
    assert plan_fallbacks(now=NOW + 5 * MINUTE) == 1


def test_not_after_it_is_of_use_and_not_where_the_doctor_wants_none() -> None:
    one = first()
    assert plan_fallbacks(now=one.expires_at) == 0
    ChannelChoiceFactory._meta.model.objects.filter(channel=Channel.WHATSAPP).update(is_on=False)
    assert plan_fallbacks(now=NOW + 5 * MINUTE) == 1
    assert made() == [("sms", NOW + 5 * MINUTE)]


def test_a_journey_that_was_switched_off_falls_back_no_more() -> None:
    first()
    Journey.objects.update(is_on=False)
    assert plan_fallbacks(now=NOW + 10 * MINUTE) == 0


def test_queries_do_not_grow_with_those_who_wait(django_assert_num_queries: Any) -> None:
    for doctors in (1, 3):
        Journey.objects.all().delete()
        found = scene(doctors=doctors)
        JourneyFactory.create(
            programme=found.programme, kind=Kind.LIVE, channels=["email", "sms"], fallback_minutes=5, is_urgent=True
        )
        for doctor in found.doctors:
            ChannelChoiceFactory.create(user=doctor, channel=Channel.SMS)
            DeliveryFactory.create(
                programme=found.programme, user=doctor, kind=Kind.LIVE, subject=f"webinar/{found.webinar.pk}",
                slot="begin", state=State.FAILED, is_urgent=True,
            )  # fmt: skip
        # Journeys, refused ones, who waits, what they want by two channels, the rows (with a savepoint) and their
        # number, campaigns.
        with django_assert_num_queries(10):
            assert plan_fallbacks(now=NOW + MINUTE) == doctors
