"""Messages: what a programme sends, to whom, and what became of it.

`scene()` makes the usual start: a published programme that sends messages, a webinar in it and doctors with places.
Times are fixed (`NOW`), so that a test says what it means by adding to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import factory

from accounts.enums import SignInMethod
from accounts.models import Device, User
from courses.models import Enrolment, Programme
from reminders.domain.addresses import key
from reminders.domain.consent import address_digest
from reminders.domain.notices import endpoint_digest
from reminders.enums import Channel, DeliveryState, Kind, SkipReason, SuppressionReason
from reminders.models import (
    Campaign,
    ChannelChoice,
    Delivery,
    InboxItem,
    Journey,
    MessagePolicy,
    MessageTemplate,
    PhoneCode,
    PushSubscription,
    ScheduleRevision,
    Suppression,
    TemplateSet,
)
from reminders.models.delivery import ENDED, LEASED
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import LiveWebinarFactory
from webinars.models import Webinar

# A Tuesday; nowhere in the world do clocks change within three weeks of it but where a test says so.
NOW = datetime(2027, 1, 12, 12, 0, tzinfo=UTC)


class TemplateSetFactory(factory.django.DjangoModelFactory[TemplateSet]):
    class Meta:
        model = TemplateSet

    title = factory.Sequence(lambda n: f"Words {n}")


class MessageTemplateFactory(factory.django.DjangoModelFactory[MessageTemplate]):
    """Words of an e-mail; give `channel=…` for another way."""

    class Meta:
        model = MessageTemplate

    template_set = factory.SubFactory(TemplateSetFactory)
    kind = Kind.DAY_BEFORE
    channel = Channel.EMAIL
    language = "en"
    subject = factory.LazyAttribute(lambda one: "Tomorrow" if one.channel in {Channel.EMAIL, Channel.INBOX} else "")
    body = "Good day. Tomorrow is the day."
    button = factory.LazyAttribute(lambda one: "Open" if one.channel in {Channel.EMAIL, Channel.INBOX} else "")
    approved_name = factory.LazyAttribute(lambda one: "day_before" if one.channel == Channel.WHATSAPP else "")


class MessagePolicyFactory(factory.django.DjangoModelFactory[MessagePolicy]):
    """Messages are on, and no hour is quiet unless said otherwise: a test of something else must not wait for eight."""

    class Meta:
        model = MessagePolicy

    programme = factory.SubFactory(ProgrammeFactory)
    template_set = factory.SubFactory(TemplateSetFactory)
    is_on = True
    sender_name = "Fertility Office"
    quiet_from = quiet_until = time(0)
    most_a_day = 20
    most_a_week = 70


class JourneyFactory(factory.django.DjangoModelFactory[Journey]):
    class Meta:
        model = Journey

    programme = factory.SubFactory(ProgrammeFactory)
    kind = Kind.DAY_BEFORE
    offset_minutes = -24 * 60
    channels = factory.LazyFunction(lambda: [Channel.EMAIL.value])


class CampaignFactory(factory.django.DjangoModelFactory[Campaign]):
    """A draft to everybody of its programme, by e-mail, with words."""

    class Meta:
        model = Campaign

    programme = factory.SubFactory(ProgrammeFactory)
    title = factory.Sequence(lambda n: f"Campaign {n}")
    channels = factory.LazyFunction(lambda: [Channel.EMAIL.value])
    texts = factory.LazyFunction(lambda: {"en": {"email": {"subject": "Come back", "body": "There is news."}}})
    path = "/"
    made_at = NOW


class DeliveryFactory(factory.django.DjangoModelFactory[Delivery]):
    """Planned, due now and of use for an hour; `state=…` brings the columns along that such a row must have."""

    class Meta:
        model = Delivery

    programme = factory.SubFactory(ProgrammeFactory)
    user = factory.SubFactory(UserFactory)
    kind = Kind.DAY_BEFORE
    subject = factory.Sequence(lambda n: f"webinar/{1_000_000 + n}")
    channel = Channel.EMAIL
    due_at = NOW
    expires_at = factory.LazyAttribute(lambda one: one.due_at + timedelta(hours=1))
    state = DeliveryState.PLANNED
    skip_reason = factory.LazyAttribute(lambda one: SkipReason.DONE if one.state == DeliveryState.SKIPPED else "")
    claim = factory.LazyAttribute(lambda one: uuid4() if one.state in LEASED else None)
    claimed_at = factory.LazyAttribute(lambda one: one.due_at if one.state in LEASED else None)
    ended_at = factory.LazyAttribute(lambda one: one.due_at if one.state in ENDED else None)


class InboxItemFactory(factory.django.DjangoModelFactory[InboxItem]):
    """A message on the site, unread, for the person of its delivery."""

    class Meta:
        model = InboxItem

    delivery = factory.SubFactory(
        DeliveryFactory,
        channel=Channel.INBOX,
        state=DeliveryState.SENT,
        user=factory.SelfAttribute("..user"),
        due_at=factory.SelfAttribute("..made_at"),
    )
    user = factory.SubFactory(UserFactory)
    subject = factory.Sequence(lambda n: f"Message {n}")
    body = "Tomorrow is the day.\n\nWe begin at nine."
    button = "Open"
    path = "/"
    made_at = NOW


class ChannelChoiceFactory(factory.django.DjangoModelFactory[ChannelChoice]):
    """As if chosen; the domain (`consent.choose`) writes the history beside it."""

    class Meta:
        model = ChannelChoice

    user = factory.SubFactory(UserFactory)
    channel = Channel.SMS
    is_on = True
    changed_at = NOW


def signed_in_device(user: User) -> Device:
    made: Device = Device.objects.create(
        user=user, session_key=uuid4().hex, name="Firefox on Linux", method=SignInMethod.LINK, created_at=NOW,
        last_seen_at=NOW,
    )  # fmt: skip
    return made


class PushSubscriptionFactory(factory.django.DjangoModelFactory[PushSubscription]):
    class Meta:
        model = PushSubscription

    user = factory.SubFactory(UserFactory)
    endpoint = factory.Sequence(lambda n: f"https://push.example.net/{n}")
    endpoint_digest = factory.LazyAttribute(lambda one: endpoint_digest(one.endpoint))
    p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    auth = "BTBZMqHH6r4Tts7J_aSIgg"
    device = "Firefox on Linux"
    signed_in = factory.LazyAttribute(lambda one: signed_in_device(one.user))
    made_at = NOW


class ScheduleRevisionFactory(factory.django.DjangoModelFactory[ScheduleRevision]):
    """The date of its webinar, as announced the first time."""

    class Meta:
        model = ScheduleRevision

    webinar = factory.SubFactory(LiveWebinarFactory)
    number = 0
    title = factory.LazyAttribute(lambda one: one.webinar.lesson.title)
    starts_at = factory.LazyAttribute(lambda one: one.webinar.starts_at)
    minutes = factory.LazyAttribute(lambda one: one.webinar.planned_minutes)
    noticed_at = NOW


def suppressed(channel: Channel, address: str, *, reason: SuppressionReason = SuppressionReason.HARD_BOUNCE) -> Any:
    return Suppression.objects.create(
        channel=channel,
        address_digest=address_digest(channel, address),
        reason=reason,
        since=NOW,
        keyed_with=key().name,
    )


class PhoneCodeFactory(factory.django.DjangoModelFactory[PhoneCode]):
    """Asked for, for SMS, and not sent yet."""

    class Meta:
        model = PhoneCode

    user = factory.SubFactory(UserFactory)
    number = "+919876543210"
    via = Channel.SMS
    channels = factory.LazyFunction(lambda: [Channel.SMS.value])
    asked_at = NOW
    expires_at = factory.LazyAttribute(lambda one: one.asked_at + timedelta(minutes=10))


@dataclass(frozen=True)
class Scene:
    programme: Programme
    policy: MessagePolicy
    webinar: Webinar
    doctors: list[User]
    enrolments: list[Enrolment]


def scene(
    *,
    doctors: int = 1,
    zones: Sequence[str] = ("Asia/Kolkata",),
    starts_at: datetime = NOW + timedelta(days=1),
    enrolled_at: datetime = NOW - timedelta(days=30),
    **webinar: Any,
) -> Scene:
    """`zones` are given to the doctors in turn. No journey is on: a test switches on the one it is about."""
    programme = ProgrammeFactory.create()
    lesson = LessonFactory.create(course=CourseFactory.create(programme=programme))
    people = [
        UserFactory.create(timezone=zones[number % len(zones)], last_login=enrolled_at) for number in range(doctors)
    ]
    return Scene(
        programme=programme,
        policy=MessagePolicyFactory.create(programme=programme),
        webinar=LiveWebinarFactory.create(lesson=lesson, starts_at=starts_at, **webinar),
        doctors=people,
        enrolments=[
            EnrolmentFactory.create(user=person, programme=programme, enrolled_at=enrolled_at) for person in people
        ],
    )
