"""WhatsApp by Meta's Cloud API: templates that were approved there, with values for their numbered places."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.translation import to_locale

from reminders.enums import Channel, Outcome
from reminders.transports.base import (
    Accepted,
    BadCallbackError,
    Callback,
    Outgoing,
    Refused,
    Result,
    Told,
    Uncertain,
)
from reminders.transports.calling import Answer, Caller, bearer, in_lanes, patience, problem_of, refusal
from reminders.transports.mail_parts import key_of
from reminders.transports.wishes import wish_in

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
FOR_NOW = {4, 80007, 130429, 131048, 131056, 131057, 133016, 368}
WRONG_CREDENTIALS = {0, 190, 10, 3}
NO_SUCH_NUMBER = {131026}
STOPPED = 131050
OUTCOMES = {
    "sent": Outcome.ACCEPTED,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.READ,
    "failed": Outcome.FAILED,
}
CREDENTIALS = "META_TOKEN, META_PHONE_NUMBER_ID"


class Meta:
    name = "meta"
    channel = Channel.WHATSAPP
    most = 100
    tells_delivery = True
    tells_read = True
    can_look_up = False

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.values = values
        self.rate = float(values["MESSAGES_WHATSAPP_RATE"])
        self.path = f"/{values['META_API_VERSION']}/{values['META_PHONE_NUMBER_ID']}"

    def _caller(self) -> Caller:
        return Caller(self.values["META_API_URL"], auth=bearer(self.values["META_TOKEN"]))

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        with self._caller() as caller:
            return in_lanes(messages, lambda message: self._send_one(caller, message))

    def _send_one(self, caller: Caller, message: Outgoing) -> Result:
        answer = caller.call("POST", f"{self.path}/messages", json=_body(message))
        if not answer.is_good:
            return _refused(answer)
        try:
            return Accepted(str(answer.body["messages"][0]["id"]))
        except (KeyError, IndexError, TypeError):
            return Uncertain("an answer without a number")

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> None:
        """Meta cannot be asked. It tells by itself, with the key: see `read_callback`."""

    def check(self) -> str:
        with self._caller() as caller:
            return problem_of(lambda: self._known(caller), credentials=CREDENTIALS)

    def _known(self, caller: Caller) -> Answer:
        """Meta answers 400 to a token that is none."""
        answer = caller.call("GET", self.path, params={"fields": "id"})
        is_wrong = answer.get("error", "code") in WRONG_CREDENTIALS
        return Answer(401, answer.headers, answer.body) if is_wrong else answer

    def answer(self, callback: Callback) -> str:
        asked = dict(callback.query)
        given = asked.get("hub.verify_token", "").encode()
        if not hmac.compare_digest(given, self.values["META_VERIFY_TOKEN"].encode()):
            raise BadCallbackError("wrong META_VERIFY_TOKEN")
        return asked.get("hub.challenge", "")[:100]

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        """Meta signs no time, and tells for days what was not taken: what comes twice is known by its number."""
        digest = hmac.new(self.values["META_APP_SECRET"].encode(), callback.body, hashlib.sha256).hexdigest()
        given = callback.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(f"sha256={digest}".encode(), given.encode()):
            raise BadCallbackError("wrong signature")
        try:
            return [told for value in _values(callback.json) for told in self._told(value)]
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as problem:
            raise BadCallbackError("not as Meta tells it") from problem

    def _told(self, value: dict[str, Any]) -> Iterator[Told]:
        if value.get("metadata", {}).get("phone_number_id") != self.values["META_PHONE_NUMBER_ID"]:
            return
        for status in value.get("statuses", ()):
            if outcome := OUTCOMES.get(status["status"]):
                yield _told_status(status, outcome)
        for message in value.get("messages", ()):
            text = message.get("text", {}).get("body") or message.get("button", {}).get("text") or ""
            if wish := wish_in(str(text)):
                at = datetime.fromtimestamp(int(message["timestamp"]), UTC)
                yield Told(str(message["id"]), "", None, wish, at, address=f"+{message['from']}")


def _told_status(status: dict[str, Any], outcome: Outcome) -> Told:
    errors = status.get("errors") or [{}]
    code = int(errors[0].get("code", 0))
    return Told(
        event_id=f"{status['id']}/{status['status']}"[:200],
        provider_id=str(status["id"]),
        key=key_of(status.get("biz_opaque_callback_data")),
        outcome=Outcome.STOPPED if code == STOPPED else outcome,
        happened_at=datetime.fromtimestamp(int(status["timestamp"]), UTC),
        is_hard=code in NO_SUCH_NUMBER,
        address=f"+{status['recipient_id']}" if status.get("recipient_id") else "",
        details={"code": code} if code else {},
    )


def _values(said: Any) -> Iterator[dict[str, Any]]:
    for entry in said["entry"]:
        for change in entry["changes"]:
            if change.get("field") == "messages":
                yield change["value"]


def _body(message: Outgoing) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    name, _, language = message.template.partition("/")  # "day_before/en_GB", where it was approved as that
    if message.places:
        places = [{"type": "text", "text": text} for text in message.places]
        components.append({"type": "body", "parameters": places})
    if message.url:
        parts = urlsplit(message.url)
        suffix = f"{parts.path}{f'?{parts.query}' if parts.query else ''}".lstrip("/")
        place = {"type": "text", "text": suffix}
        components.append({"type": "button", "sub_type": "url", "index": "0", "parameters": [place]})
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.address.removeprefix("+"),
        "type": "template",
        "template": {
            "name": name,
            "language": {"code": language or to_locale(message.language)},
            "components": components,
        },
        "biz_opaque_callback_data": str(message.key),
    }


def _refused(answer: Answer) -> Refused | Uncertain:
    """Meta answers nearly everything with 400: the code says what it was."""
    code = answer.get("error", "code")
    if isinstance(code, int) and code in WRONG_CREDENTIALS:
        why = f"credentials refused (code {code}): {CREDENTIALS}"
        return Refused(why, is_temporary=True, retry_after=300.0)
    if isinstance(code, int) and code in FOR_NOW and answer.status < 500:
        return Refused(
            f"too many messages (code {code})", is_temporary=True, retry_after=patience(answer.headers) or 60.0
        )
    if common := refusal(answer, credentials=CREDENTIALS):
        return common
    why = f"refused by Meta (HTTP {answer.status}, code {code if isinstance(code, int) else 'none'})"
    return Refused(why, is_hard=code in NO_SUCH_NUMBER, is_stopped=code == STOPPED)
