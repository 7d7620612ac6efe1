"""How each HTTP provider is set up, what it says when it takes a message, and how it refuses."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from reminders.enums import Channel
from reminders.transports import Transport, transport_for
from reminders.transports.base import Outgoing
from tests.reminders.transports.servers import Answer, Request

SECRET = "5ec2e7" * 5 + "ab"
NUMBER = "+919876543210"


def as_json(status: int, content: Any, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(content).encode()


@dataclass
class Provider:
    """`taken` is what it has, by its own number; `values` are settings, `url` the one for its address."""

    name: str
    channel: Channel
    url: str
    values: dict[str, str]
    bad_number: Answer
    stopped: Answer
    slow: Answer
    taken: dict[str, Request] = field(default_factory=dict)

    def settings(self, url: str) -> dict[str, str]:
        return {f"MESSAGES_{self.channel.upper()}": self.name, self.url: url, **self.values}

    def respond(self, request: Request) -> Answer:
        raise NotImplementedError

    def transport(self) -> Transport:
        found = transport_for(self.channel)
        assert found is not None
        assert found.name == self.name
        return found


class TwilioServer(Provider):
    """POST and GET of /2010-04-01/Accounts/{sid}/Messages.json."""

    def respond(self, request: Request) -> Answer:
        if request.method == "GET":
            to = request.query["To"]
            listed = [
                {"sid": sid, "to": to, "date_created": "Tue, 12 Jan 2027 12:00:01 +0000"}
                for sid, sent in self.taken.items()
                if sent.form["To"] == to
            ]
            return as_json(200, {"messages": listed, "next_page_uri": None})
        sid = f"SM{uuid4().hex}"
        self.taken[sid] = request
        return as_json(201, {"sid": sid, "status": "queued"})


class VonageServer(Provider):
    """POST /v1/messages, GET /v2/reports/records."""

    def respond(self, request: Request) -> Answer:
        if request.method == "GET":
            ref = request.query["client_ref"]
            found = [
                {"message_id": number, "client_ref": ref}
                for number, sent in self.taken.items()
                if json.loads(sent.body)["client_ref"] == ref
            ]
            return as_json(200, {"records": found, "items_count": len(found)})
        number = str(uuid4())
        self.taken[number] = request
        return as_json(202, {"message_uuid": number})


class MetaServer(Provider):
    """POST /v23.0/{phone number id}/messages."""

    def respond(self, request: Request) -> Answer:
        number = f"wamid.{uuid4().hex}"
        self.taken[number] = request
        return as_json(200, {"messaging_product": "whatsapp", "messages": [{"id": number}]})


def twilio(channel: Channel = Channel.SMS) -> Provider:
    return TwilioServer(
        "twilio",
        channel,
        "TWILIO_API_URL",
        {
            "TWILIO_ACCOUNT_SID": f"AC{'0' * 32}",
            "TWILIO_AUTH_TOKEN": SECRET,
            "TWILIO_SMS_FROM": "+15005550006",
            "TWILIO_WHATSAPP_FROM": "+15005550007",
        },
        bad_number=as_json(400, {"code": 21211, "message": f"The 'To' number {NUMBER} is not valid", "status": 400}),
        stopped=as_json(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}),
        slow=as_json(429, {"code": 20429, "status": 429}, **{"Retry-After": "7"}),
    )


def vonage() -> Provider:
    return VonageServer(
        "vonage",
        Channel.SMS,
        "VONAGE_API_URL",
        {
            "VONAGE_API_KEY": "abcd1234",
            "VONAGE_API_SECRET": SECRET,
            "VONAGE_SIGNATURE_SECRET": f"signature-{SECRET}",
            "VONAGE_FROM": "Rounds",
        },
        bad_number=as_json(
            422,
            {
                "type": "https://developer.vonage.com/api-errors#invalid-params",
                "title": "Invalid params",
                "detail": f"{NUMBER} is none",
                "invalid_parameters": [{"name": "to", "reason": "Must be an E.164 number"}],
            },
        ),
        stopped=as_json(
            422,
            {"type": "https://developer.vonage.com/api-errors/messages#1370", "title": "Opted out", "instance": "x"},
        ),
        slow=as_json(429, {"title": "Throttled"}, **{"Retry-After": "7"}),
    )


def meta() -> Provider:
    return MetaServer(
        "meta",
        Channel.WHATSAPP,
        "META_API_URL",
        {
            "META_PHONE_NUMBER_ID": "106540352242922",
            "META_TOKEN": f"EAA{SECRET}",
            "META_APP_SECRET": SECRET,
            "META_VERIFY_TOKEN": "ask me",
        },
        bad_number=as_json(400, {"error": {"message": f"{NUMBER} is none", "code": 131026, "type": "OAuthException"}}),
        stopped=as_json(400, {"error": {"message": "User has stopped", "code": 131050, "type": "OAuthException"}}),
        slow=as_json(429, {"error": {"message": "slower", "code": 130429}}, **{"Retry-After": "7"}),
    )


ALL = {"twilio": twilio, "twilio-whatsapp": lambda: twilio(Channel.WHATSAPP), "vonage": vonage, "meta": meta}


def outgoing(number: int = 1, **values: Any) -> Outgoing:
    """One of several messages; the key says which."""
    shown: dict[str, Any] = {
        "key": UUID(int=number),
        "address": NUMBER,
        "text": "Dr Nair, we are live: https://learn.example.org/s/abc",
        "template": "we_are_live",
        "places": ("Dr Nair", "Ovarian reserve"),
        "url": "https://learn.example.org/s/abc?x=1",
    }
    return Outgoing(**(shown | values))
