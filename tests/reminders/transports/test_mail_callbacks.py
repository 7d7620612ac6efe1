"""What SES, SendGrid, Mailgun and AWS's SMS tell, signed as they document it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from pytest_django.fixtures import Settings

from reminders.enums import Channel, Outcome
from reminders.transports import transport_for
from reminders.transports.base import BadCallbackError, Callback, Told
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.servers import Answer, Request, Sink, running

NOW = datetime(2027, 1, 12, 12, 0, tzinfo=UTC)
KEY = UUID(int=7)
SUBSCRIPTION = {"Type": "SubscriptionConfirmation", "Token": "t"}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:rounds"
Read = Callable[..., list[Told]]


def read(channel: Channel, callback: Callback, now: datetime = NOW) -> list[Told]:
    transport = transport_for(channel)
    assert transport is not None
    return transport.read_callback(callback, now=now)


# SendGrid

SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def sendgrid(configure: Configure) -> None:
    public = SENDGRID_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    configure(
        MESSAGES_EMAIL="sendgrid", SENDGRID_API_KEY="SG.a.b", SENDGRID_WEBHOOK_KEY=base64.b64encode(public).decode()
    )


def from_sendgrid(events: Any, *, at: datetime = NOW, key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> Callback:
    body, stamp = json.dumps(events).encode(), str(int(at.timestamp()))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    return Callback("POST", "", headers, body)


def event(kind: str, **more: Any) -> dict[str, Any]:
    at = int((NOW - timedelta(seconds=9)).timestamp())
    return {
        "event": kind,
        "sg_event_id": f"e-{kind}",
        "email": "d@example.org",
        "timestamp": at,
        "delivery": str(KEY),
    } | more


@pytest.mark.usefixtures("sendgrid")
def test_sendgrid_tells_of_several_at_once() -> None:
    told = read(
        Channel.EMAIL, from_sendgrid([event("processed"), event("deferred"), event("delivered"), event("open")])
    )

    assert [(one.event_id, one.key, one.outcome) for one in told] == [
        ("e-processed", KEY, Outcome.ACCEPTED),
        ("e-delivered", KEY, Outcome.DELIVERED),
        ("e-open", KEY, Outcome.READ),
    ]
    assert {one.happened_at for one in told} == {NOW - timedelta(seconds=9)}


@pytest.mark.usefixtures("sendgrid")
@pytest.mark.parametrize(
    ("said", "outcome", "is_hard"),
    [
        (event("bounce", type="bounce", status="5.1.1"), Outcome.BOUNCED, True),
        (event("bounce", type="blocked", status="5.7.1"), Outcome.BOUNCED, False),
        (event("bounce", type="bounce", status="4.2.2"), Outcome.BOUNCED, False),
        (event("dropped", reason="Bounced Address"), Outcome.FAILED, False),
        (event("spamreport"), Outcome.COMPLAINED, False),
        (event("unsubscribe"), Outcome.STOPPED, False),
        (event("open", sg_machine_open=True), Outcome.DELIVERED, False),
        (event("open", sg_machine_open=False), Outcome.READ, False),
    ],
)
def test_sendgrids_kinds(said: dict[str, Any], outcome: Outcome, is_hard: bool) -> None:
    (told,) = read(Channel.EMAIL, from_sendgrid([said]))

    assert (told.outcome, told.is_hard, told.address) == (outcome, is_hard, "d@example.org")


@pytest.mark.usefixtures("sendgrid")
@pytest.mark.parametrize(
    "callback",
    [
        from_sendgrid([event("open")], key=ec.generate_private_key(ec.SECP256R1())),
        from_sendgrid([event("open")], at=NOW - timedelta(seconds=301)),
        from_sendgrid([event("open")], at=NOW + timedelta(seconds=301)),
        from_sendgrid({"event": "open"}),
        from_sendgrid([event("open", timestamp="soon")]),
        Callback("POST", "", {}, b"[]"),
        Callback("POST", "", from_sendgrid([event("open")]).headers, b"[]"),
    ],
)
def test_sec_27_what_sendgrid_did_not_say_is_refused(callback: Callback) -> None:
    with pytest.raises(BadCallbackError):
        read(Channel.EMAIL, callback)


# Mailgun


@pytest.fixture
def mailgun(configure: Configure) -> None:
    configure(
        MESSAGES_EMAIL="mailgun", MAILGUN_API_KEY="k", MAILGUN_DOMAIN="m.example.org", MAILGUN_SIGNING_KEY="signing"
    )


def from_mailgun(data: Any, *, at: datetime = NOW, secret: str = "signing", token: str = "t1") -> Callback:
    stamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    said = {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data}
    return Callback("POST", "", {}, json.dumps(said).encode())


def about(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "id": "x",
        "timestamp": (NOW - timedelta(seconds=9)).timestamp(),
        "recipient": "d@example.org",
        "user-variables": {"delivery": str(KEY)},
    } | more


@pytest.mark.usefixtures("mailgun")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (about("delivered"), (Outcome.DELIVERED, False)),
        (about("opened"), (Outcome.READ, False)),
        (about("complained"), (Outcome.COMPLAINED, False)),
        (about("opened", **{"client-info": {"bot": "apple"}}), (Outcome.DELIVERED, False)),
        (about("opened", **{"client-info": {"bot": ""}}), (Outcome.READ, False)),
        (
            about("failed", severity="permanent", reason="bounce", **{"delivery-status": {"code": 550}}),
            (Outcome.BOUNCED, True),
        ),
        (
            about("failed", severity="permanent", reason="bounce", **{"delivery-status": {"enhanced-code": "5.7.1"}}),
            (Outcome.BOUNCED, False),
        ),
        (about("failed", severity="permanent", reason="generic"), (Outcome.BOUNCED, False)),
        (about("failed", severity="temporary", reason="generic"), None),
        (about("stored"), None),
    ],
)
def test_mailguns_kinds(said: dict[str, Any], expected: tuple[Outcome, bool] | None) -> None:
    told = read(Channel.EMAIL, from_mailgun(said))

    assert [(one.outcome, one.is_hard) for one in told] == ([expected] if expected else [])
    assert {one.key for one in told} <= {KEY}


@pytest.mark.usefixtures("mailgun")
def test_a_message_that_went_alone_is_known_by_its_message_id() -> None:
    said = about(
        "delivered", **{"user-variables": {}, "message": {"headers": {"message-id": f"{KEY.hex}@m.example.org"}}}
    )

    assert [one.key for one in read(Channel.EMAIL, from_mailgun(said))] == [KEY]


@pytest.mark.usefixtures("mailgun")
def test_sec_27_with_mailguns_token_nothing_else_can_be_told() -> None:
    """Its signature covers no content: the token is what is told once."""
    (first,) = read(Channel.EMAIL, from_mailgun(about("delivered")))
    (forged,) = read(Channel.EMAIL, from_mailgun(about("complained")))

    assert first.event_id == forged.event_id == "t1"


@pytest.mark.usefixtures("mailgun")
@pytest.mark.parametrize(
    "callback",
    [
        from_mailgun(about("opened"), secret="another"),
        from_mailgun(about("opened"), at=NOW - timedelta(seconds=301)),
        from_mailgun(about("opened", timestamp="soon")),
        from_mailgun("no"),
        Callback("POST", "", {}, b"{}"),
        Callback("POST", "", {}, b"\xff"),
    ],
)
def test_sec_27_what_mailgun_did_not_say_is_refused(callback: Callback) -> None:
    with pytest.raises(BadCallbackError):
        read(Channel.EMAIL, callback)


# SNS: SES and SMS of AWS


class Amazon:
    """Signs notices, and serves the certificate and the address that confirms a subscription."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=365))
            .sign(self.key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.url = ""

    def respond(self, request: Request) -> Answer:
        return (200, {}, self.pem if request.path.endswith(".pem") else b"<ok/>")

    def notice(self, message: Any, *, at: datetime = NOW, version: str = "2", **changes: Any) -> Callback:
        said = {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": TOPIC,
            "Message": json.dumps(message),
            "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
            "SignatureVersion": version,
            "SigningCertURL": f"{self.url}/SimpleNotificationService-1.pem",
        } | changes
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
        algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        said.setdefault("Signature", base64.b64encode(signature).decode())
        return Callback("POST", "", {}, json.dumps(said).encode())


@pytest.fixture(scope="module")
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
def sns(amazon: Amazon, configure: Configure, settings: Settings) -> Iterator[Sink]:
    with running(amazon.respond) as sink:
        settings.AWS_ENDPOINT_URL = amazon.url = sink.url
        configure(MESSAGES_EMAIL="ses", MESSAGES_SMS="aws", AWS_SMS_ORIGINATION="pool-1", AWS_SNS_TOPICS=(TOPIC,))
        yield sink


def mail_event(kind: str, **about: Any) -> dict[str, Any]:
    headers = [{"name": "X-Metadata", "value": json.dumps({"delivery": str(KEY)})}]
    return {"eventType": kind, "mail": {"messageId": "0100", "headers": headers}, kind.lower(): about}


@pytest.mark.parametrize("version", ["1", "2"])
def test_ses_tells_of_a_message_by_our_key(sns: Sink, amazon: Amazon, version: str) -> None:
    said = mail_event("Delivery", timestamp="2027-01-12T11:59:51.000Z")

    (told,) = read(Channel.EMAIL, amazon.notice(said, version=version))

    assert (told.outcome, told.key, told.provider_id) == (Outcome.DELIVERED, KEY, "0100")
    assert told.happened_at == NOW - timedelta(seconds=9)


@pytest.mark.parametrize(
    ("said", "outcome", "is_hard"),
    [
        (
            mail_event("Bounce", bounceType="Permanent", bouncedRecipients=[{"emailAddress": "d@example.org"}]),
            Outcome.BOUNCED,
            True,
        ),
        (
            mail_event("Bounce", bounceType="Transient", bouncedRecipients=[{"emailAddress": "d@example.org"}]),
            Outcome.BOUNCED,
            False,
        ),
        (mail_event("Complaint", complainedRecipients=[{"emailAddress": "d@example.org"}]), Outcome.COMPLAINED, False),
    ],
)
def test_sess_kinds(sns: Sink, amazon: Amazon, said: dict[str, Any], outcome: Outcome, is_hard: bool) -> None:
    (told,) = read(Channel.EMAIL, amazon.notice(said))

    assert (told.outcome, told.is_hard, told.address) == (outcome, is_hard, "d@example.org")


@pytest.mark.parametrize(
    ("agent", "outcome"),
    [("Mozilla/5.0", Outcome.DELIVERED), ("Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0", Outcome.READ)],
)
def test_pictures_that_apple_loads_are_not_read_by_anybody(
    sns: Sink, amazon: Amazon, agent: str, outcome: Outcome
) -> None:
    (told,) = read(Channel.EMAIL, amazon.notice(mail_event("Open", userAgent=agent)))

    assert told.outcome == outcome


def text_event(kind: str) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventVersion": "1.0",
        "eventTimestamp": int(NOW.timestamp() * 1000) - 9_000,
        "messageId": "sms-1",
        "destinationPhoneNumber": "+919876543210",
        "context": {"delivery": str(KEY)},
    }


@pytest.mark.parametrize(
    ("kind", "outcome", "is_hard"),
    [
        ("TEXT_SENT", Outcome.ACCEPTED, False),
        ("TEXT_DELIVERED", Outcome.DELIVERED, False),
        ("TEXT_INVALID", Outcome.FAILED, True),
        ("TEXT_CARRIER_BLOCKED", Outcome.FAILED, False),
        ("TEXT_UNKNOWN", Outcome.ACCEPTED, False),
    ],
)
def test_aws_tells_of_an_sms_by_our_key(sns: Sink, amazon: Amazon, kind: str, outcome: Outcome, is_hard: bool) -> None:
    (told,) = read(Channel.SMS, amazon.notice(text_event(kind)))

    assert (told.outcome, told.is_hard, told.key, told.provider_id) == (outcome, is_hard, KEY, "sms-1")
    assert (told.happened_at, told.address) == (NOW - timedelta(seconds=9), "+919876543210")


def test_a_person_answers_aws(sns: Sink, amazon: Amazon) -> None:
    said = {"originationNumber": "+919876543210", "messageBody": "STOP", "messageKeyword": "STOP"}

    (told,) = read(Channel.SMS, amazon.notice(said))

    assert (told.outcome, told.address) == (Outcome.STOPPED, "+919876543210")


def test_a_subscription_is_confirmed_where_amazon_says(sns: Sink, amazon: Amazon) -> None:
    asked: dict[str, Any] = {
        "Type": "SubscriptionConfirmation",
        "Token": "t",
        "SubscribeURL": f"{sns.url}/?Action=ConfirmSubscription",
    }

    assert read(Channel.EMAIL, amazon.notice("x", **asked)) == []
    assert [one.path for one in sns.requests if "Confirm" in one.path] == ["/?Action=ConfirmSubscription"]


@pytest.mark.parametrize(
    "changes",
    [
        {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:others"},
        {"Signature": base64.b64encode(b"x" * 256).decode()},
        {"Signature": "no base64"},
        {"SignatureVersion": "3"},
        {"Type": "UnsubscribeConfirmation"},
        {"Type": 3},
        {"at": NOW - timedelta(hours=2)},
        {"Timestamp": "yesterday"},
        {"SigningCertURL": "https://evil.example.org/a.pem"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.evil.example.org/a.pem"},
        {"SigningCertURL": "http://sns.eu-central-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "https://x@sns.eu-central-1.amazonaws.com/a.pem"},
        {"SigningCertURL": "http://169.254.169.254/latest/meta-data/a.pem"},
    ],
)
def test_sec_26_what_amazon_did_not_say_is_refused_and_nothing_foreign_is_fetched(
    sns: Sink, amazon: Amazon, changes: dict[str, Any]
) -> None:
    with pytest.raises(BadCallbackError):
        read(Channel.EMAIL, amazon.notice(mail_event("Open"), **changes))


def test_sec_26_a_subscription_is_confirmed_nowhere_else(sns: Sink, amazon: Amazon) -> None:
    with running(amazon.respond) as other:
        asked: dict[str, Any] = {
            "Type": "SubscriptionConfirmation",
            "Token": "t",
            "SubscribeURL": f"{other.url}/?Action=Confirm",
        }
        with pytest.raises(BadCallbackError):
            read(Channel.EMAIL, amazon.notice("x", **asked))

        assert other.requests == []


def test_without_topics_nobody_is_listened_to(sns: Sink, amazon: Amazon, configure: Configure) -> None:
    configure(AWS_SNS_TOPICS=())

    with pytest.raises(BadCallbackError):
        read(Channel.EMAIL, amazon.notice(mail_event("Open")))
