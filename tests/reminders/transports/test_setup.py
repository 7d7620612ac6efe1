"""Which providers are used: from the environment, and what is wrong is said at the start with its name."""

import base64
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from lms.checks import calendars_know_the_sender, messages_are_told_of, providers_take_the_credentials
from lms.environment import Environment
from lms.messages import messages
from reminders.enums import Channel
from reminders.transports import KINDS, all_transports, transport_for, transports_named
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.providers import as_json
from tests.reminders.transports.servers import closed_port, running

VAPID = base64.urlsafe_b64encode(b"v" * 32).decode().rstrip("=")
TWILIO = {
    "MESSAGES_SMS": "twilio",
    "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
    "TWILIO_AUTH_TOKEN": "5ec2e7",
    "TWILIO_SMS_FROM": "+15005550006",
}
META = {
    "MESSAGES_WHATSAPP": "meta",
    "META_PHONE_NUMBER_ID": "106540352242922",
    "META_TOKEN": "EAA5ec2e7",
    "META_APP_SECRET": "5ec2e7ab" * 4,
    "META_VERIFY_TOKEN": "5ec2e7",
}
PUSH = {"VAPID_PRIVATE_KEY": VAPID, "VAPID_SUBJECT": "mailto:office@example.org"}


def problems(values: dict[str, str], *, production: bool = True) -> list[str]:
    env = Environment(values)
    messages(env, production=production)
    return env.problems


def without(values: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize("values", [{}, TWILIO, META, PUSH, TWILIO | META | PUSH])
def test_what_is_complete_is_taken(values: dict[str, str]) -> None:
    assert problems(values) == []


@pytest.mark.parametrize(
    ("values", "name"),
    [(values, name) for values in (TWILIO, META) for name in values if not name.startswith("MESSAGES_")]
    + [({"MESSAGES_PUSH": "webpush"} | PUSH, name) for name in PUSH]
    + [
        (
            {"MESSAGES_EMAIL": "sendgrid", "SENDGRID_WEBHOOK_KEY": base64.b64encode(b"k" * 91).decode()},
            "SENDGRID_API_KEY",
        )
    ]
    + [
        (
            {"MESSAGES_EMAIL": "mailgun", "MAILGUN_API_KEY": "k", "MAILGUN_DOMAIN": "m.example.org"},
            "MAILGUN_SIGNING_KEY",
        )
    ]
    + [({"MESSAGES_SMS": "aws"}, "AWS_SMS_ORIGINATION")],
)
def test_sec_36_what_is_missing_is_named(values: dict[str, str], name: str) -> None:
    found = problems(without(values, name))

    assert [one.partition(" is missing")[0] for one in found] == [name]


@pytest.mark.parametrize(
    ("values", "name", "wrong"),
    [
        (TWILIO, "TWILIO_ACCOUNT_SID", "SK5ec2e7"),
        (TWILIO, "TWILIO_SMS_FROM", "0049 5ec2e7 and more"),
        (TWILIO, "TWILIO_API_URL", "http://api.5ec2e7.example.org"),
        (META, "META_APP_SECRET", "5ec2e7"),
        (META, "META_PHONE_NUMBER_ID", "+5ec2e7"),
        (PUSH, "VAPID_PRIVATE_KEY", "5ec2e7"),
        (PUSH, "VAPID_SUBJECT", "5ec2e7"),
        ({}, "SENDGRID_WEBHOOK_KEY", "5ec2e7"),
        ({}, "AWS_SNS_TOPICS", "arn:aws:sqs:x"),
        ({}, "PUSH_SERVICES", "http://push.example.org"),
        ({}, "MESSAGES_SMS", "pigeon"),
        ({}, "MESSAGES_FROM", "Rounds 5ec2e7"),
        ({}, "MESSAGES_EMAIL", "folder"),
        ({}, "MESSAGES_EMAIL_RATE", "many"),
    ],
)
def test_sec_36_what_cannot_be_right_is_named_and_not_quoted(values: dict[str, str], name: str, wrong: str) -> None:
    (found,) = problems(values | {name: wrong})

    assert found.startswith(name)
    assert "5ec2e7" not in found


def test_in_development_everything_goes_into_the_folder() -> None:
    found = messages(Environment({}), production=False)

    assert {found[f"MESSAGES_{channel.upper()}"] for channel in KINDS} == {"folder"}


def test_in_production_nothing_but_mail_goes_without_being_set_up() -> None:
    found = messages(Environment({}), production=True)

    assert {channel: found[f"MESSAGES_{channel.upper()}"] for channel in KINDS} == {
        Channel.EMAIL: "smtp",
        Channel.SMS: "none",
        Channel.WHATSAPP: "none",
        Channel.PUSH: "none",
    }


@pytest.mark.parametrize(("channel", "kind"), [(channel, kind) for channel, kinds in KINDS.items() for kind in kinds])
def test_every_kind_can_be_made(configure: Configure, channel: Channel, kind: str) -> None:
    configure(**{f"MESSAGES_{channel.upper()}": kind})

    found = transport_for(channel)

    assert found is not None
    assert (found.name, found.channel) == (kind, channel)
    assert found.most >= 1
    assert found.rate > 0


def test_the_site_itself_has_no_transport_and_none_is_none(configure: Configure) -> None:
    configure(MESSAGES_SMS="none")

    assert transport_for(Channel.INBOX) is None
    assert transport_for(Channel.SMS) is None
    assert [one.channel for one in all_transports()] == [Channel.EMAIL, Channel.WHATSAPP, Channel.PUSH]


def test_one_is_made_once_and_anew_for_other_settings(configure: Configure) -> None:
    first, second = transport_for(Channel.EMAIL), transport_for(Channel.EMAIL)
    configure(MESSAGES_EMAIL_RATE=7)
    third = transport_for(Channel.EMAIL)

    assert first is second
    assert third is not None
    assert (third is first, third.rate) == (False, 7.0)


def test_a_provider_of_two_channels_is_asked_for_both(configure: Configure) -> None:
    configure(**providers.twilio().settings("http://x"), MESSAGES_WHATSAPP="twilio")

    assert [one.channel for one in transports_named("twilio")] == [Channel.SMS, Channel.WHATSAPP]
    assert transports_named("vonage") == []


@pytest.mark.parametrize(
    ("answer", "number"), [(as_json(200, {}), None), (as_json(401, {}), "lms.E003"), (as_json(500, {}), "lms.W003")]
)
def test_sec_36_before_a_release_the_providers_are_asked(configure: Configure, answer: Any, number: str | None) -> None:
    with running(lambda _request: answer) as sink:
        configure(**providers.twilio().settings(sink.url))
        found = [one for one in providers_take_the_credentials() if "twilio" in one.msg]

    assert [one.id for one in found] == ([number] if number else [])
    assert all(providers.SECRET not in one.msg for one in found)
    if number == "lms.E003":
        assert "TWILIO_AUTH_TOKEN" in found[0].msg


def test_a_provider_that_is_away_stops_no_release(configure: Configure, settings: Settings) -> None:
    configure(**providers.twilio().settings(f"http://127.0.0.1:{closed_port()}"))

    assert [one.id for one in providers_take_the_credentials()] == ["lms.W003"]


TOPIC = "arn:aws:sns:eu-central-1:123456789012:messages"


@pytest.mark.parametrize(("channel", "kind"), [(Channel.EMAIL, "ses"), (Channel.SMS, "aws")])
@pytest.mark.parametrize("topics", [(), (TOPIC,)])
def test_what_amazon_tells_counts_only_where_it_is_listened_to(
    configure: Configure, channel: Channel, kind: str, topics: tuple[str, ...]
) -> None:
    """Else nothing would ever be delivered, and every message would go by the next channel as well."""
    configure(**{f"MESSAGES_{channel.upper()}": kind}, AWS_SNS_TOPICS=topics)

    found = transport_for(channel)

    assert found is not None
    assert found.tells_delivery == bool(topics)
    assert found.tells_read == (bool(topics) and kind == "ses")
    warnings = messages_are_told_of()
    assert [one.id for one in warnings] == ([] if topics else ["lms.W004"])
    assert all(f"MESSAGES_{channel.upper()}={kind}" in one.msg and "AWS_SNS_TOPICS" in one.msg for one in warnings)


def test_who_does_not_send_by_amazon_needs_no_topics(configure: Configure) -> None:
    configure(MESSAGES_EMAIL="smtp", MESSAGES_SMS="twilio", AWS_SNS_TOPICS=())

    assert messages_are_told_of() == []


@pytest.mark.parametrize(
    ("sender", "is_warned"),
    [
        ("", False),
        ("Rounds <webinars@learn.example.org>", False),
        ("Webinars@Learn.example.org", False),
        ("Rounds <messages@learn.example.org>", True),
    ],
)
def test_that_calendars_have_another_sender_is_said_at_the_start(
    configure: Configure, settings: Settings, sender: str, is_warned: bool
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Our webinars <webinars@learn.example.org>"
    configure(MESSAGES_FROM=sender, MESSAGES_EMAIL="smtp")
    found = [one.id for one in calendars_know_the_sender()]
    configure(MESSAGES_FROM=sender, MESSAGES_EMAIL="none")

    assert found == (["lms.W005"] if is_warned else [])
    assert calendars_know_the_sender() == []
