"""From planned deliveries, by the product's own words, to what a provider gets."""

import email.policy
import json
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar
from pytest_django.fixtures import Settings

from accounts.models import User
from reminders.domain.builtin_words import built_in_set
from reminders.domain.composing import compose
from reminders.enums import Channel, Kind
from reminders.models import Delivery, MessagePolicy
from reminders.transports import transport_for
from reminders.transports.base import Accepted, Outgoing
from tests.reminders.factories import NOW, DeliveryFactory, Scene, ScheduleRevisionFactory, scene
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import mail_server, running
from tests.reminders.transports.test_mail_providers import (
    as_mailgun_sends,
    as_sendgrid_sends,
    mailgun_takes,
    sendgrid_takes,
)

pytestmark = pytest.mark.django_db
NAMES = ("Nair", "Öztürk & Söhne", "<b>O'Neil</b>", "van der Berg", "محمد", "-k1- %recipient.name% {{ doctor }}")


def ready(doctors: int) -> Scene:
    made = scene(doctors=doctors, starts_at=NOW + timedelta(days=1))
    MessagePolicy.objects.filter(pk=made.policy.pk).update(template_set=built_in_set(), reply_to="office@example.org")
    for number, doctor in enumerate(made.doctors):
        User.objects.filter(pk=doctor.pk).update(title="Dr", first_name="", last_name=NAMES[number % len(NAMES)])
    ScheduleRevisionFactory.create(webinar=made.webinar)
    return made


def worded(made: Scene, kind: Kind) -> list[Outgoing]:
    subject = f"webinar/{made.webinar.pk}"
    rows = [
        DeliveryFactory.create(programme=made.programme, kind=kind, user=doctor, subject=subject)
        for doctor in made.doctors
    ]
    beside = ("user", "programme__message_policy", "campaign", "template", "fallback_of")
    found = list(Delivery.objects.filter(pk__in=[one.pk for one in rows]).select_related(*beside).order_by("pk"))
    words = compose(found, now=NOW)
    messages = [words[one.pk] for one in found]
    assert all(isinstance(one, Outgoing) for one in messages)
    return [one for one in messages if isinstance(one, Outgoing)]


def send(messages: list[Outgoing]) -> None:
    transport = transport_for(Channel.EMAIL)
    assert transport is not None
    assert [type(one) for one in transport.send(messages)] == [Accepted] * len(messages)


def test_we_are_live_goes_in_one_call_and_everybody_has_a_link_of_their_own(configure: Configure) -> None:
    messages = worded(ready(5), Kind.LIVE)

    with running(sendgrid_takes) as sink:
        configure(MESSAGES_EMAIL="sendgrid", SENDGRID_API_KEY="SG.a.b", SENDGRID_API_URL=f"{sink.url}/v3")
        send(messages)

    (request,) = sink.requests
    content = json.loads(request.body)
    got = [as_sendgrid_sends(content, index) for index in range(5)]
    assert [(one["subject"], one["text"], one["html"]) for one in got] == [
        (one.subject, one.text, one.html) for one in messages
    ]
    assert len({one["html"] for one in got}) == 5
    whole = sum(len(one.html) + len(one.text) for one in messages)
    assert len(request.body) < whole / 2  # what they have in common is said once


def test_a_name_that_looks_like_a_place_goes_alone(configure: Configure) -> None:
    messages = worded(ready(6), Kind.LIVE)

    with running(mailgun_takes) as sink:
        configure(
            MESSAGES_EMAIL="mailgun",
            MAILGUN_API_KEY="k",
            MAILGUN_DOMAIN="m.example.org",
            MAILGUN_API_URL=f"{sink.url}/v3",
        )
        send(messages)

    many, alone = [request.form for request in sink.requests]
    assert [as_mailgun_sends(many, one.address)["text"] for one in messages[:5]] == [one.text for one in messages[:5]]
    assert (alone["text"], alone["html"]) == (messages[5].text, messages[5].html)


def test_without_such_a_name_mailgun_takes_them_in_one_call(configure: Configure) -> None:
    messages = worded(ready(5), Kind.LIVE)

    with running(mailgun_takes) as sink:
        configure(
            MESSAGES_EMAIL="mailgun",
            MAILGUN_API_KEY="k",
            MAILGUN_DOMAIN="m.example.org",
            MAILGUN_API_URL=f"{sink.url}/v3",
        )
        send(messages)

    (request,) = sink.requests
    assert [as_mailgun_sends(request.form, one.address)["html"] for one in messages] == [one.html for one in messages]


def test_an_invitation_arrives_by_smtp_with_its_calendar_file(configure: Configure, settings: Settings) -> None:
    messages = worded(ready(6), Kind.REGISTERED)

    with mail_server() as box:
        configure(MESSAGES_EMAIL="smtp", MESSAGES_FROM="Rounds <messages@learn.example.org>")
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        send(messages)

    assert [to for to, _ in box.messages] == [one.address for one in messages]
    for (to, raw), message in zip(box.messages, messages, strict=True):
        got: Any = message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(got, EmailMessage)
        assert (got["To"], got["Reply-To"]) == (to, "office@example.org")
        assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert str(got["List-Unsubscribe"]).startswith("<http")
        assert raw.isascii()
        files = [part for part in got.walk() if part.get_content_type() == "text/calendar"]
        assert [part.get_param("method") for part in files] == ["REQUEST", "REQUEST"]
        contents: list[Any] = [part.get_payload(decode=True) for part in files]
        calendars = [Calendar.from_ical(content) for content in contents]
        assert [str(one["method"]) for one in calendars] == ["REQUEST", "REQUEST"]
        assert f"mailto:{message.address}" in str(calendars[0].walk("VEVENT")[0]["attendee"]).lower()
