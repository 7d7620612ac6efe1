"""What stands in a form, as each channel would show it to one doctor. Nothing is written and nothing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from core.languages import spoken
from courses.models import Programme
from reminders.domain import consent
from reminders.domain.composing import RIGHT_TO_LEFT, words_of
from reminders.domain.examples import example
from reminders.domain.links import lets_in
from reminders.domain.sponsors import supporters_of
from reminders.domain.templates import EMPTY, FIELDS, library
from reminders.domain.values import Values
from reminders.enums import Channel, Kind
from reminders.models import Campaign, MessageTemplate, TemplateSet
from reminders.rendering.frame import Frame
from reminders.rendering.prices import cents_of, of_many
from reminders.rendering.words import Parts, render
from reminders.transports import takes_answers

INVENTED_EMAIL, INVENTED_NUMBER = "meera.nair@example.org", "+919876543210"


@dataclass(frozen=True, slots=True)
class Place:
    """Which words of a set."""

    template_set: TemplateSet
    kind: str
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class Shown:
    """`words` is none where the set has none for this channel. `cents`: of one SMS, to `number`."""

    channel: Channel
    is_edited: bool
    words: MessageTemplate | None = None
    parts: Parts | None = None
    cents: Decimal | None = None
    number: str = ""

    @property
    def thousand(self) -> Decimal | None:
        """US dollars."""
        return of_many(self.cents) if self.cents is not None else None

    @property
    def places(self) -> list[tuple[int, str, str]]:
        """(number, placeholder, what it becomes), as WhatsApp counts them."""
        if self.parts is None or self.words is None:
            return []
        pairs = zip(self.words.approved_places, self.parts.places, strict=True)
        return [(number, str(name), said) for number, (name, said) in enumerate(pairs, 1)]


def shown_to(
    place: Place, values: Mapping[str, Any], *, doctor: User | None, programme: Programme | None, now: datetime
) -> list[Shown]:
    """The words that are edited first, then the saved ones of the other channels. `values` have passed the check."""
    said = example(place.kind, user=doctor, programme=programme, now=now)
    saved = library([place.template_set.pk], kinds=[place.kind])
    edited = MessageTemplate(
        template_set=place.template_set,
        kind=place.kind,
        channel=place.channel,
        language=place.language,
        **{name: values.get(name) or EMPTY[name] for name in FIELDS[place.channel]},
    )
    found = []
    for channel in sorted(Channel, key=lambda one: one != place.channel):
        is_edited = channel == place.channel
        words = edited if is_edited else saved.find(place.template_set.pk, place.kind, channel, place.language)
        found.append(_shown(channel, words, said, doctor, programme, is_edited=is_edited, language=place.language))
    return found


def campaign_shown_to(campaign: Campaign, *, doctor: User | None, now: datetime) -> list[Shown]:
    """By every way it goes, in the doctor's language; of an invented one in the site's first. `campaign` may be no row
    yet."""
    said = example(Kind.CAMPAIGN, user=doctor, programme=campaign.programme if doctor else None, now=now)
    said = replace(said, path=campaign.path or said.path)
    language = spoken(doctor.language if doctor else settings.LANGUAGE_CODE)
    found = []
    for channel in (Channel(one) for one in campaign.channels):
        words = words_of(campaign, channel=channel, language=language)
        found.append(_shown(channel, words, said, doctor, campaign.programme, is_edited=False, language=language))
    return found


def _shown(
    channel: Channel,
    words: MessageTemplate | None,
    said: Values,
    doctor: User | None,
    programme: Programme | None,
    *,
    is_edited: bool,
    language: str,
) -> Shown:
    if words is None:
        return Shown(channel, is_edited)
    parts = render(channel, words, said.placeholders, _frame(channel, said, doctor, programme, language))
    if parts.segments is None:
        return Shown(channel, is_edited, words, parts)
    number = (consent.address_of(doctor, Channel.SMS) if doctor else "") or INVENTED_NUMBER
    cents = cents_of(number, parts=parts.segments.parts)
    return Shown(channel, is_edited, words, parts, cents, number)


def _frame(channel: Channel, said: Values, doctor: User | None, programme: Programme | None, language: str) -> Frame:
    """With links as long as real ones, and as good as none: nobody comes in by them."""
    policy = getattr(programme, "message_policy", None)
    title = programme.title if programme else said.placeholders["programme.title"]
    is_signed_in = lets_in(channel, is_proved=doctor is None or doctor.phone_proved_at is not None)
    end = "/u/s1000000-" + "x" * 22 + "/" if channel == Channel.EMAIL or not takes_answers(channel) else ""
    code = spoken(language)
    return Frame(
        site_name=settings.SITE_NAME,
        sender_name=(policy.sender_name if policy else "") or title,
        programme_title=title,
        url=settings.SITE_URL + (reverse("message_link", args=["1000000-" + "x" * 24]) if is_signed_in else said.path),
        is_personal=is_signed_in,
        address=(doctor.email if doctor else INVENTED_EMAIL) if channel == Channel.EMAIL else "",
        unsubscribe_url=settings.SITE_URL + end if end else "",
        preferences_url=settings.SITE_URL + reverse("reminders:preferences"),
        supporters=supporters_of(policy, channel),
        language=code,
        is_rtl=code.partition("-")[0] in RIGHT_TO_LEFT,
    )
