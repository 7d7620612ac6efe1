"""E-mail by SendGrid (Twilio). Its event webhook is signed; the key stands on the page where that is switched on."""

import base64
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from reminders.enums import Outcome
from reminders.transports.anymail_based import METADATA, AnymailTransport, timeouts
from reminders.transports.base import Accepted, BadCallbackError, Callback, Refused, Told, Uncertain, require_recent
from reminders.transports.calling import Answer, Caller, CallError, bearer, problem_of
from reminders.transports.mail_parts import key_of

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
OUTCOMES = {
    "processed": Outcome.ACCEPTED,
    "delivered": Outcome.DELIVERED,
    "bounce": Outcome.BOUNCED,
    "dropped": Outcome.FAILED,
    "open": Outcome.READ,
    "click": Outcome.CLICKED,
    "spamreport": Outcome.COMPLAINED,
    "unsubscribe": Outcome.STOPPED,
    "group_unsubscribe": Outcome.STOPPED,
}


class SendGrid(AnymailTransport):
    name = "sendgrid"
    backend = "anymail.backends.sendgrid.EmailBackend"
    credentials = "SENDGRID_API_KEY"
    most = 1_000
    most_bytes = 9_000  # of 10,000 that substitutions of one person may have
    taboo = re.compile(r"-k\d+-")
    can_look_up = True

    def options(self) -> dict[str, Any]:
        return {
            "api_key": self.values["SENDGRID_API_KEY"],
            "api_url": self.values["SENDGRID_API_URL"],
            "merge_field_format": "-{}-",
            "generate_message_id": False,
            "timeout": timeouts(),
        }

    def place(self, name: str) -> str:
        return f"-{name}-"

    def refused(self, answer: Answer) -> Refused | Uncertain:
        return Refused(f"refused by SendGrid (HTTP {answer.status})", is_temporary=answer.status == 413)

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | None:
        """By its activity feed, which is an extra of the account: without it, and for minutes, it knows nothing."""
        query = f"(unique_args['{METADATA}']=\"{key}\")"
        try:
            answer = self._get("/messages", {"limit": "1", "query": query})
        except CallError:
            return None
        found = answer.get("messages") if answer.is_good else None
        return Accepted() if found else None

    def check(self) -> str:
        return problem_of(lambda: self._get("/scopes", {}), credentials=self.credentials)

    def _get(self, path: str, params: dict[str, str]) -> Answer:
        with Caller(self.values["SENDGRID_API_URL"], auth=bearer(self.values["SENDGRID_API_KEY"])) as caller:
            return caller.call("GET", path, params=params)

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        self._require_signature(callback, now)
        if not isinstance(callback.json, list):
            raise BadCallbackError("no list of events")
        try:
            return [told for event in callback.json if isinstance(event, dict) and (told := _told(event))]
        except (ValueError, TypeError, OverflowError) as problem:
            raise BadCallbackError("not as SendGrid tells it") from problem

    def _require_signature(self, callback: Callback, now: datetime) -> None:
        stamp = callback.headers.get(TIMESTAMP, "")
        try:
            key = load_der_public_key(base64.b64decode(self.values["SENDGRID_WEBHOOK_KEY"], validate=True))
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise BadCallbackError("SENDGRID_WEBHOOK_KEY is no key of SendGrid's")
            signature = base64.b64decode(callback.headers.get(SIGNATURE, ""), validate=True)
            key.verify(signature, stamp.encode() + callback.body, ec.ECDSA(hashes.SHA256()))
            require_recent(datetime.fromtimestamp(int(stamp), UTC), now)
        except (ValueError, OverflowError, InvalidSignature) as problem:
            raise BadCallbackError("wrong signature") from problem


def _told(event: dict[str, Any]) -> Told | None:
    outcome = OUTCOMES.get(str(event.get("event")))
    if not outcome or not event.get("sg_event_id"):
        return None
    if outcome == Outcome.READ and event.get("sg_machine_open"):
        outcome = Outcome.DELIVERED  # a mail program that loads pictures before anybody looks
    code = str(event.get("status", ""))
    # "blocked" is the receiver's mood of today, "bounce" is for good.
    is_hard = outcome == Outcome.BOUNCED and event.get("type") != "blocked" and not code.startswith("4")
    return Told(
        event_id=str(event["sg_event_id"])[:200],
        provider_id="",
        key=key_of(event.get(METADATA)),
        outcome=outcome,
        happened_at=datetime.fromtimestamp(int(event.get("timestamp", 0)), UTC),
        is_hard=is_hard,
        address=str(event.get("email", "")),
        details={"status": code[:20], "type": str(event.get("type", ""))[:20]},
    )
