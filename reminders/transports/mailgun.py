"""E-mail by Mailgun. Its webhooks sign a time and a number used once, not what they say: so both are held to."""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

from reminders.enums import Outcome
from reminders.transports.anymail_based import METADATA, AnymailTransport, timeouts
from reminders.transports.base import Accepted, BadCallbackError, Callback, Refused, Told, Uncertain, require_recent
from reminders.transports.calling import Answer, Caller, CallError, problem_of
from reminders.transports.mail_parts import key_of, key_of_message_id, message_id

OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "delivered": Outcome.DELIVERED,
    "opened": Outcome.READ,
    "clicked": Outcome.CLICKED,
    "complained": Outcome.COMPLAINED,
    "unsubscribed": Outcome.STOPPED,
}
NO_MAILBOX = re.compile(r"5\.1\.\d|5\.2\.1")


class Mailgun(AnymailTransport):
    name = "mailgun"
    backend = "anymail.backends.mailgun.EmailBackend"
    credentials = "MAILGUN_API_KEY, MAILGUN_DOMAIN"
    most = 1_000
    taboo = re.compile(r"%recipient|\{\{")
    shares_ids: ClassVar[bool] = True
    can_look_up = True

    def options(self) -> dict[str, Any]:
        return {
            "api_key": self.values["MAILGUN_API_KEY"],
            "api_url": self.values["MAILGUN_API_URL"],
            "sender_domain": self.values["MAILGUN_DOMAIN"],
            "timeout": timeouts(),
        }

    def place(self, name: str) -> str:
        return f"%recipient.{name}%"

    def refused(self, answer: Answer) -> Refused | Uncertain:
        word = answer.get("message")
        is_address = answer.status == 400 and isinstance(word, str) and "'to' parameter" in word
        return Refused(f"refused by Mailgun (HTTP {answer.status})", is_hard=is_address)

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | None:
        """By the Message-ID, which only a message has that was sent alone. That it finds none proves nothing."""
        params = {"message-id": message_id(key).strip("<>"), "limit": "1"}
        try:
            answer = self._get(f"/{quote(self.values['MAILGUN_DOMAIN'])}/events", params)
        except CallError:
            return None
        return Accepted(message_id(key)) if answer.is_good and answer.get("items") else None

    def check(self) -> str:
        path = f"/{quote(self.values['MAILGUN_DOMAIN'])}/events"
        found = problem_of(lambda: self._get(path, {"limit": "1"}), credentials=self.credentials)
        return "MAILGUN_DOMAIN is not known to Mailgun at MAILGUN_API_URL" if found.endswith("HTTP 404") else found

    def _get(self, path: str, params: dict[str, str]) -> Answer:
        with Caller(self.values["MAILGUN_API_URL"], auth=("api", self.values["MAILGUN_API_KEY"])) as caller:
            return caller.call("GET", path, params=params)

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        said = callback.json
        signature = said.get("signature") if isinstance(said, dict) else None
        event = said.get("event-data") if isinstance(said, dict) else None
        if not isinstance(signature, dict) or not isinstance(event, dict):
            raise BadCallbackError("not as Mailgun tells it")
        stamp, token = str(signature.get("timestamp", "")), str(signature.get("token", ""))
        expected = hmac.new(self.values["MAILGUN_SIGNING_KEY"].encode(), (stamp + token).encode(), hashlib.sha256)
        if not hmac.compare_digest(expected.hexdigest().encode(), str(signature.get("signature", "")).encode()):
            raise BadCallbackError("wrong signature")
        try:
            require_recent(datetime.fromtimestamp(int(stamp), UTC), now)
            told = _told(token, event)
        except (ValueError, TypeError, OverflowError, AttributeError) as problem:
            raise BadCallbackError("not as Mailgun tells it") from problem
        return [told] if told else []


def _told(token: str, event: dict[str, Any]) -> Told | None:
    """The token is the event's number: with the same one nothing else can be told again."""
    kind = str(event.get("event"))
    is_hard = False
    status = event.get("delivery-status") or {}
    code = str(status.get("enhanced-code") or status.get("code") or "")
    if kind == "failed":
        if event.get("severity") != "permanent":
            return None
        outcome = Outcome.BOUNCED
        is_hard = event.get("reason") in {"bounce", "suppress-bounce"} and (
            not code.startswith("5.") or bool(NO_MAILBOX.match(code))
        )
    elif kind in OUTCOMES:
        outcome = OUTCOMES[kind]
        if outcome == Outcome.READ and (event.get("client-info") or {}).get("bot"):
            outcome = Outcome.DELIVERED  # a machine that loads pictures before anybody looks
    else:
        return None
    headers = (event.get("message") or {}).get("headers") or {}
    given = (event.get("user-variables") or {}).get(METADATA)
    return Told(
        event_id=token[:200],
        provider_id="",
        key=key_of(given) or key_of_message_id(str(headers.get("message-id", ""))),
        outcome=outcome,
        happened_at=datetime.fromtimestamp(float(event.get("timestamp", 0)), UTC),
        is_hard=is_hard,
        address=str(event.get("recipient", "")),
        details={"code": code[:20], "reason": str(event.get("reason", ""))[:40]},
    )
