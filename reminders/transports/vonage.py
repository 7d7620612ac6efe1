"""SMS by Vonage's Messages API (v1). Its webhooks carry a JWT with the digest of what they say."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings

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
    require_recent,
)
from reminders.transports.calling import Answer, Caller, CallError, in_lanes, problem_of, refusal
from reminders.transports.mail_parts import key_of
from reminders.transports.wishes import wish_in

OUTCOMES = {
    "submitted": Outcome.ACCEPTED,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.READ,
    "rejected": Outcome.FAILED,
    "undeliverable": Outcome.FAILED,
}
# https://developer.vonage.com/en/api-errors/messages: 1300 absent for good, 1330 unknown number, 1380 no such user.
CREDENTIALS = "VONAGE_API_KEY, VONAGE_API_SECRET"
NO_SUCH_NUMBER = {"1330", "1380"}
STOPPED = {"1310", "1370"}


class Vonage:
    name = "vonage"
    channel = Channel.SMS
    most = 100
    tells_delivery = True
    tells_read = False
    can_look_up = True

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.values = values
        self.rate = float(values["MESSAGES_SMS_RATE"])

    def _caller(self) -> Caller:
        auth = (self.values["VONAGE_API_KEY"], self.values["VONAGE_API_SECRET"])
        return Caller(self.values["VONAGE_API_URL"], auth=auth)

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        with self._caller() as caller:
            return in_lanes(messages, lambda message: self._send_one(caller, message))

    def _send_one(self, caller: Caller, message: Outgoing) -> Result:
        answer = caller.call(
            "POST",
            "/v1/messages",
            json={
                "message_type": "text",
                "channel": "sms",
                "to": message.address.removeprefix("+"),
                "from": self.values["VONAGE_FROM"],
                "text": message.text,
                "client_ref": str(message.key),
                "webhook_url": f"{settings.SITE_URL}/callbacks/vonage/",
                "webhook_version": "v1",
            },
        )
        if not answer.is_good:
            return _refused(answer)
        number = answer.get("message_uuid")
        return Accepted(number) if isinstance(number, str) and number else Uncertain("an answer without a number")

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | None:
        """By its reports, which are some minutes behind: that they hold none proves nothing."""
        params = {
            "account_id": self.values["VONAGE_API_KEY"],
            "product": "MESSAGES",
            "direction": "outbound",
            "client_ref": str(key),
            "date_start": f"{sent_at - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
            "date_end": f"{sent_at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        try:
            with self._caller() as caller:
                answer = caller.call("GET", "/v2/reports/records", params=params)
        except CallError:
            return None
        found = answer.get("records") if answer.is_good else None
        mine = [r for r in found if r.get("client_ref") == str(key)] if isinstance(found, list) else []
        return Accepted(str(mine[0].get("message_id", ""))) if mine else None

    def check(self) -> str:
        key, secret = self.values["VONAGE_API_KEY"], self.values["VONAGE_API_SECRET"]
        with self._caller() as caller:
            return problem_of(
                lambda: caller.call("GET", "/account/get-balance", params={"api_key": key, "api_secret": secret}),
                credentials=CREDENTIALS,
            )

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        self._require_signature(callback, now)
        said = callback.json
        if not isinstance(said, dict) or not said.get("message_uuid"):
            raise BadCallbackError("no message")
        number = str(said["message_uuid"])
        happened_at = _when(said.get("timestamp"), now)
        if "status" not in said:
            wish = wish_in(str(said.get("text", "")))
            return [Told(number, "", None, wish, happened_at, address=_plus(said.get("from")))] if wish else []
        outcome = OUTCOMES.get(str(said["status"]))
        if not outcome:
            return []
        code = _code(said.get("error"))
        return [
            Told(
                event_id=f"{number}/{said['status']}",
                provider_id=number,
                key=key_of(said.get("client_ref")),
                outcome=Outcome.STOPPED if code in STOPPED else outcome,
                happened_at=happened_at,
                is_hard=code in NO_SUCH_NUMBER,
                address=_plus(said.get("to")),
                details={"code": code},
            )
        ]

    def _require_signature(self, callback: Callback, now: datetime) -> None:
        token = callback.headers.get("authorization", "").removeprefix("Bearer ").strip()
        try:
            claims = jwt.decode(
                token,
                self.values["VONAGE_SIGNATURE_SECRET"],
                algorithms=["HS256"],
                options={"require": ["iat", "payload_hash"], "verify_iat": False, "verify_aud": False},
            )
            issued_at = datetime.fromtimestamp(int(claims["iat"]), UTC)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as problem:
            raise BadCallbackError("wrong signature") from problem
        if claims.get("api_key", self.values["VONAGE_API_KEY"]) != self.values["VONAGE_API_KEY"]:
            raise BadCallbackError("of another account")
        digest = hashlib.sha256(callback.body).hexdigest()
        if not hmac.compare_digest(digest.encode(), str(claims["payload_hash"]).encode()):
            raise BadCallbackError("not what was signed")
        require_recent(issued_at, now)


def _refused(answer: Answer) -> Refused | Uncertain:
    if common := refusal(answer, credentials=CREDENTIALS):
        return common
    if answer.status == 402:
        return Refused("no money left at Vonage (HTTP 402)", is_temporary=True, retry_after=300.0)
    wrong = answer.get("invalid_parameters")
    names = {str(p.get("name")) for p in wrong if isinstance(p, dict)} if isinstance(wrong, list) else set()
    code = _code(answer.body)
    return Refused(
        f"refused by Vonage (HTTP {answer.status}{f', code {code}' if code.isdigit() else ''})",
        is_hard=names == {"to"} or code in NO_SUCH_NUMBER,
        is_stopped=code in STOPPED,
    )


def _code(error: Any) -> str:
    """Of the error's address: https://developer.vonage.com/api-errors/messages-olympus#1330."""
    found = str(error.get("type", "")).rpartition("#")[2] if isinstance(error, dict) else ""
    return found[:20]


def _plus(number: Any) -> str:
    return f"+{str(number).removeprefix('+')}" if number else ""


def _when(text: Any, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return now
    return found if found.tzinfo else found.replace(tzinfo=UTC)
