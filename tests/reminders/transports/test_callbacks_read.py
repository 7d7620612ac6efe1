"""What providers tell, signed as they document it: believed when it is theirs and recent, and nothing else is."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import jwt
import pytest
from twilio.request_validator import RequestValidator

from reminders.enums import Channel, Outcome
from reminders.transports.base import BadCallbackError, Callback, Challenged, Told
from tests.reminders.transports import providers
from tests.reminders.transports.conftest import Configure
from tests.reminders.transports.providers import NUMBER, Provider

NOW = datetime(2027, 1, 12, 12, 0, tzinfo=UTC)
KEY = UUID(int=7)
TWILIO_URL = f"https://learn.example.org/callbacks/twilio/?key={KEY}"
Read = Callable[..., list[Told]]


@pytest.fixture
def read(configure: Configure) -> Read:
    def read(provider: Provider, callback: Callback, now: datetime = NOW) -> list[Told]:
        configure(**provider.settings("http://127.0.0.1:9"))
        return provider.transport().read_callback(callback, now=now)

    return read


# Twilio


def from_twilio(form: dict[str, str], *, url: str = TWILIO_URL, token: str = providers.SECRET) -> Callback:
    """Signed by Twilio's own library."""
    signature = RequestValidator(token).compute_signature(url, form)
    headers = {"x-twilio-signature": str(signature), "content-type": "application/x-www-form-urlencoded"}
    return Callback("POST", url, headers, urlencode(form).encode())


DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER, "From": "+15005550006", "Note": "a+b c"}


def test_twilio_tells_of_a_message_by_our_key(read: Read) -> None:
    (told,) = read(providers.twilio(), from_twilio(DELIVERED))

    assert (told.event_id, told.provider_id, told.key) == ("SM1/delivered", "SM1", KEY)
    assert (told.outcome, told.address, told.is_hard) == (Outcome.DELIVERED, NUMBER, False)


@pytest.mark.parametrize(
    ("status", "code", "outcome", "is_hard"),
    [
        ("sent", "", Outcome.ACCEPTED, False),
        ("read", "", Outcome.READ, False),
        ("undelivered", "30003", Outcome.FAILED, False),
        ("undelivered", "30005", Outcome.FAILED, True),
        ("failed", "21610", Outcome.STOPPED, False),
    ],
)
def test_twilios_codes(read: Read, status: str, code: str, outcome: Outcome, is_hard: bool) -> None:
    (told,) = read(providers.twilio(), from_twilio(DELIVERED | {"MessageStatus": status, "ErrorCode": code}))

    assert (told.outcome, told.is_hard) == (outcome, is_hard)


@pytest.mark.parametrize(
    ("words", "outcomes"),
    [("STOP", [Outcome.STOPPED]), (" stop. ", [Outcome.STOPPED]), ("Start", [Outcome.STARTED]), ("Stop by at 9?", [])],
)
def test_a_person_answers_twilio(read: Read, words: str, outcomes: list[Outcome]) -> None:
    form = {"MessageSid": "SM2", "From": NUMBER, "To": "+15005550006", "Body": words}

    told = read(providers.twilio(), from_twilio(form))

    assert [(one.outcome, one.address, one.key) for one in told] == [(one, NUMBER, None) for one in outcomes]


@pytest.mark.parametrize(
    ("said", "kind", "outcomes"),
    [("Please no more", "STOP", [Outcome.STOPPED]), ("YES", "START", []), ("START", "START", [Outcome.STARTED])],
)
def test_what_twilio_makes_of_an_answer(read: Read, said: str, kind: str, outcomes: list[Outcome]) -> None:
    """STOP by words listed there is one; START must be said itself, because a yes may answer anything."""
    form = {"MessageSid": "SM2", "From": NUMBER, "To": "+15005550006", "Body": said, "OptOutType": kind}

    assert [one.outcome for one in read(providers.twilio(), from_twilio(form))] == outcomes


def test_twilios_two_channels_do_not_take_each_others_news(read: Read) -> None:
    form = {"MessageSid": "SM3", "From": f"whatsapp:{NUMBER}", "To": "whatsapp:+15005550007", "Body": "STOP"}

    of_sms = read(providers.twilio(), from_twilio(form))
    (of_whatsapp,) = read(providers.twilio(Channel.WHATSAPP), from_twilio(form))

    assert of_sms == []
    assert (of_whatsapp.outcome, of_whatsapp.address) == (Outcome.STOPPED, NUMBER)


@pytest.mark.parametrize(
    "callback",
    [
        from_twilio(DELIVERED, token="another" * 5),
        from_twilio(DELIVERED, url=TWILIO_URL.replace("learn", "evil")),
        Callback("POST", TWILIO_URL, {}, urlencode(DELIVERED).encode()),
        Callback("POST", TWILIO_URL, {"x-twilio-signature": "é"}, urlencode(DELIVERED).encode()),
        Callback("POST", TWILIO_URL, from_twilio(DELIVERED).headers, urlencode(DELIVERED | {"To": "+1"}).encode()),
        Callback("POST", f"{TWILIO_URL}0", from_twilio(DELIVERED).headers, urlencode(DELIVERED).encode()),
        from_twilio({"SmsStatus": "sent"}),
        Callback("POST", TWILIO_URL, from_twilio(DELIVERED).headers, b"\xff\xfe"),
    ],
)
def test_sec_27_what_twilio_did_not_say_is_refused(read: Read, callback: Callback) -> None:
    callback = Callback(
        callback.method, TWILIO_URL if "evil" in callback.url else callback.url, callback.headers, callback.body
    )

    with pytest.raises(BadCallbackError):
        read(providers.twilio(), callback)


# Vonage


def from_vonage(
    content: Any, *, at: datetime = NOW, secret: str = f"signature-{providers.SECRET}", **claims: Any
) -> Callback:
    body = json.dumps(content).encode()
    said = {
        "iat": int(at.timestamp()),
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": "abcd1234",
    }
    token = jwt.encode(said | claims, secret, algorithm="HS256")
    return Callback("POST", "https://learn.example.org/callbacks/vonage/", {"authorization": f"Bearer {token}"}, body)


STATUS = {
    "message_uuid": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    "to": NUMBER.removeprefix("+"),
    "from": "Rounds",
    "timestamp": "2027-01-12T11:59:58Z",
    "channel": "sms",
    "status": "delivered",
    "client_ref": str(KEY),
}


def test_vonage_tells_of_a_message_by_our_key(read: Read) -> None:
    (told,) = read(providers.vonage(), from_vonage(STATUS))

    assert (told.provider_id, told.key, told.address) == (STATUS["message_uuid"], KEY, NUMBER)
    assert (told.outcome, told.happened_at) == (Outcome.DELIVERED, NOW - timedelta(seconds=2))


@pytest.mark.parametrize(
    ("status", "error", "outcome", "is_hard"),
    [
        ("submitted", None, Outcome.ACCEPTED, False),
        ("rejected", "1330", Outcome.FAILED, True),
        ("undeliverable", "1300", Outcome.FAILED, False),
    ],
)
def test_vonages_codes(read: Read, status: str, error: str | None, outcome: Outcome, is_hard: bool) -> None:
    problem = {"error": {"type": f"https://developer.vonage.com/api-errors/messages#{error}"}} if error else {}

    (told,) = read(providers.vonage(), from_vonage(STATUS | {"status": status} | problem))

    assert (told.outcome, told.is_hard) == (outcome, is_hard)


def test_a_person_answers_vonage(read: Read) -> None:
    said = {"message_uuid": "x", "from": NUMBER.removeprefix("+"), "to": "1", "text": "Stop", "channel": "sms"}

    (told,) = read(providers.vonage(), from_vonage(said))

    assert (told.outcome, told.address) == (Outcome.STOPPED, NUMBER)


@pytest.mark.parametrize(
    "callback",
    [
        from_vonage(STATUS, secret="another secret of more than enough length"),
        from_vonage(STATUS, at=NOW - timedelta(seconds=301)),
        from_vonage(STATUS, at=NOW + timedelta(seconds=301)),
        from_vonage(STATUS, payload_hash=hashlib.sha256(b"else").hexdigest()),
        from_vonage(STATUS, api_key="other"),
        from_vonage(STATUS, iat="soon"),
        from_vonage([]),
        Callback("POST", "", {}, json.dumps(STATUS).encode()),
        Callback("POST", "", {"authorization": "Bearer e30.e30."}, b"{}"),
        Callback("POST", "", {**from_vonage(STATUS).headers}, json.dumps(STATUS | {"to": "1"}).encode()),
    ],
)
def test_sec_27_what_vonage_did_not_say_is_refused(read: Read, callback: Callback) -> None:
    with pytest.raises(BadCallbackError):
        read(providers.vonage(), callback)


def test_sec_27_a_token_without_a_signature_is_none(read: Read) -> None:
    claims = {"iat": int(NOW.timestamp()), "payload_hash": hashlib.sha256(b"{}").hexdigest(), "api_key": "abcd1234"}
    token = jwt.encode(claims, "", algorithm="none")

    with pytest.raises(BadCallbackError):
        read(providers.vonage(), Callback("POST", "", {"authorization": f"Bearer {token}"}, b"{}"))


# Meta


def from_meta(value: Any, *, secret: str = providers.SECRET, field: str = "messages") -> Callback:
    content = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}],
    }
    body = json.dumps(content).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Callback(
        "POST", "https://learn.example.org/callbacks/meta/", {"x-hub-signature-256": f"sha256={digest}"}, body
    )


METADATA = {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}


def status(word: str, *codes: int) -> dict[str, Any]:
    return {
        "id": "wamid.1",
        "status": word,
        "timestamp": str(int(NOW.timestamp())),
        "recipient_id": NUMBER.removeprefix("+"),
        "biz_opaque_callback_data": str(KEY),
        "errors": [{"code": code} for code in codes],
    }


def test_meta_tells_of_several_messages_at_once(read: Read) -> None:
    told = read(
        providers.meta(),
        from_meta(
            {"metadata": METADATA, "statuses": [status("sent"), status("delivered"), status("read"), status("x")]}
        ),
    )

    assert [(one.event_id, one.key, one.outcome) for one in told] == [
        ("wamid.1/sent", KEY, Outcome.ACCEPTED),
        ("wamid.1/delivered", KEY, Outcome.DELIVERED),
        ("wamid.1/read", KEY, Outcome.READ),
    ]
    assert {(one.address, one.happened_at) for one in told} == {(NUMBER, NOW)}


@pytest.mark.parametrize(
    ("code", "outcome", "is_hard"),
    [(131026, Outcome.FAILED, True), (131049, Outcome.FAILED, False), (131050, Outcome.STOPPED, False)],
)
def test_metas_codes(read: Read, code: int, outcome: Outcome, is_hard: bool) -> None:
    (told,) = read(providers.meta(), from_meta({"metadata": METADATA, "statuses": [status("failed", code)]}))

    assert (told.outcome, told.is_hard, told.details) == (outcome, is_hard, {"code": code})


@pytest.mark.parametrize("said", [{"text": {"body": "STOP"}}, {"button": {"text": "Stop", "payload": "x"}}])
def test_a_person_answers_meta(read: Read, said: dict[str, Any]) -> None:
    message = {"from": NUMBER.removeprefix("+"), "id": "wamid.2", "timestamp": str(int(NOW.timestamp())), **said}

    (told,) = read(providers.meta(), from_meta({"metadata": METADATA, "messages": [message]}))

    assert (told.outcome, told.address) == (Outcome.STOPPED, NUMBER)


def test_news_of_another_number_of_the_same_account_are_not_ours(read: Read) -> None:
    other = {"metadata": {"phone_number_id": "1"}, "statuses": [status("delivered")]}

    assert read(providers.meta(), from_meta(other)) == []
    assert read(providers.meta(), from_meta({"metadata": METADATA, "statuses": [status("read")]}, field="other")) == []


@pytest.mark.parametrize(
    "callback",
    [
        from_meta({"metadata": METADATA, "statuses": [status("read")]}, secret="another"),
        Callback("POST", "", {}, from_meta({}).body),
        Callback("POST", "", from_meta({}).headers, from_meta({"metadata": METADATA}).body),
        from_meta({"metadata": METADATA, "statuses": [{"id": "wamid.1"}]}),
        from_meta({"metadata": METADATA, "statuses": [status("read") | {"timestamp": "soon"}]}),
        from_meta([]),
    ],
)
def test_sec_27_what_meta_did_not_say_is_refused(read: Read, callback: Callback) -> None:
    with pytest.raises(BadCallbackError):
        read(providers.meta(), callback)


def test_meta_is_answered_when_it_asks_whether_the_address_is_ours(configure: Configure) -> None:
    provider = providers.meta()
    configure(**provider.settings("http://127.0.0.1:9"))
    transport = provider.transport()
    assert isinstance(transport, Challenged)
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "ask me"}

    assert transport.answer(Callback("GET", f"https://x/?{urlencode(asked)}", {}, b"")) == "1158201444"
    with pytest.raises(BadCallbackError):
        transport.answer(Callback("GET", f"https://x/?{urlencode(asked | {'hub.verify_token': 'x'})}", {}, b""))


def test_signatures_are_the_documented_ones() -> None:
    """Twilio's library and the one line of its documentation agree, so the tests above mean what they say."""
    signed = TWILIO_URL + "".join(f"{name}{value}" for name, value in sorted(DELIVERED.items()))
    digest = hmac.new(providers.SECRET.encode(), signed.encode(), hashlib.sha1).digest()

    assert base64.b64encode(digest).decode() == from_twilio(DELIVERED).headers["x-twilio-signature"]
