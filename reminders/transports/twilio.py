"""SMS and WhatsApp by Twilio's Messages API (2010-04-01)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

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
)
from reminders.transports.calling import Answer, Caller, CallError, in_lanes, problem_of, refusal
from reminders.transports.mail_parts import key_of
from reminders.transports.wishes import wish_in

WHATSAPP = "whatsapp:"
CREDENTIALS = "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN"
# https://www.twilio.com/docs/api/errors: numbers that cannot get a message, whoever sends it.
NO_SUCH_NUMBER = {21211, 21214, 21217, 21614, 30005, 30006, 63003, 63024}
STOPPED = 21610
FOR_NOW = {20429, 14107, 63018, 30001, 30022}
OUTCOMES = {
    "accepted": Outcome.ACCEPTED,
    "queued": Outcome.ACCEPTED,
    "sending": Outcome.ACCEPTED,
    "sent": Outcome.ACCEPTED,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.READ,
    "undelivered": Outcome.FAILED,
    "failed": Outcome.FAILED,
}


class Twilio:
    name = "twilio"
    most = 100
    tells_delivery = True
    can_look_up = True

    def __init__(self, channel: Channel, values: Mapping[str, Any]) -> None:
        self.channel = channel
        self.values = values
        self.rate = float(values[f"MESSAGES_{channel.upper()}_RATE"])
        self.tells_read = channel == Channel.WHATSAPP
        self.prefix = WHATSAPP if channel == Channel.WHATSAPP else ""
        self.path = f"/2010-04-01/Accounts/{values['TWILIO_ACCOUNT_SID']}"

    def _caller(self) -> Caller:
        auth = (self.values["TWILIO_ACCOUNT_SID"], self.values["TWILIO_AUTH_TOKEN"])
        return Caller(self.values["TWILIO_API_URL"], auth=auth)

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        with self._caller() as caller:
            return in_lanes(messages, lambda message: self._send_one(caller, message))

    def _send_one(self, caller: Caller, message: Outgoing) -> Result:
        answer = caller.call("POST", f"{self.path}/Messages.json", data=self._form(message))
        if not answer.is_good:
            return self._refused(answer)
        sid = answer.get("sid")
        return Accepted(sid) if isinstance(sid, str) and sid else Uncertain("an answer without a number")

    def _form(self, message: Outgoing) -> dict[str, str]:
        sender = self.values["TWILIO_WHATSAPP_FROM" if self.prefix else "TWILIO_SMS_FROM"]
        form = {
            "To": f"{self.prefix}{message.address}",
            "StatusCallback": f"{settings.SITE_URL}/callbacks/twilio/?key={message.key}",
        }
        form |= {"MessagingServiceSid": sender} if sender.startswith("MG") else {"From": f"{self.prefix}{sender}"}
        if self.prefix:
            places = [*message.places, *([_suffix(message.url)] if message.url else [])]
            form["ContentSid"] = message.template
            form["ContentVariables"] = json.dumps({str(number): text for number, text in enumerate(places, 1)})
        else:
            form["Body"] = message.text
        return form

    def _refused(self, answer: Answer) -> Refused | Uncertain:
        if common := refusal(answer, credentials=CREDENTIALS):
            return common
        code = answer.get("code")
        why = f"refused by Twilio (HTTP {answer.status}, code {code if isinstance(code, int) else 'none'})"
        return Refused(why, is_temporary=code in FOR_NOW, is_hard=code in NO_SUCH_NUMBER, is_stopped=code == STOPPED)

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | Refused | None:
        """Twilio keeps no number of ours, but lists what it took for an address: one message then is this one.

        That there is none is never certain: what it still queues has no date yet, and a message sent twice is worse.
        """
        if not address:
            return None
        params = {"To": f"{self.prefix}{address}"}
        try:
            with self._caller() as caller:
                answer = caller.call("GET", f"{self.path}/Messages.json", params={**params, "PageSize": "50"})
        except CallError:
            return None
        listed = answer.get("messages")
        if not answer.is_good or not isinstance(listed, list):
            return None
        near = [entry for entry in listed if _is_near(entry, sent_at)]
        return Accepted(str(near[0].get("sid", "")), is_by_address=True) if len(near) == 1 else None

    def check(self) -> str:
        with self._caller() as caller:
            return problem_of(lambda: caller.call("GET", f"{self.path}.json"), credentials=CREDENTIALS)

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        """There is no time in what Twilio signs: what is told twice is known by the message's number and state."""
        self._require_signature(callback)
        form = dict(callback.form)
        sid = form.get("MessageSid", "")
        if not sid:
            raise BadCallbackError("no message")
        if form.get("From", "").startswith(WHATSAPP) != bool(self.prefix):
            return []  # of the other channel, whose own transport is asked too
        if "Body" in form or "OptOutType" in form:
            wish = _wish(form)
            return [self._told(sid, wish, now, form.get("From", ""), {})] if wish else []
        outcome = OUTCOMES.get(form.get("MessageStatus", ""))
        if not outcome:
            return []
        code = int(error) if (error := form.get("ErrorCode", "")).isdigit() else 0
        if code == STOPPED:
            outcome = Outcome.STOPPED
        told = self._told(f"{sid}/{form['MessageStatus']}", outcome, now, form.get("To", ""), {"code": code})
        key = key_of(dict(callback.query).get("key"))
        return [_with(told, sid=sid, key=key, is_hard=code in NO_SUCH_NUMBER)]

    def _told(self, number: str, outcome: Outcome, now: datetime, address: str, details: dict[str, Any]) -> Told:
        return Told(number, "", None, outcome, now, address=address.removeprefix(WHATSAPP), details=details)

    def _require_signature(self, callback: Callback) -> None:
        """The address that was called, then the fields in the order of their names, without anything between."""
        signed = callback.url + "".join(f"{name}{value}" for name, value in sorted(set(callback.form)))
        digest = hmac.new(self.values["TWILIO_AUTH_TOKEN"].encode(), signed.encode(), hashlib.sha1).digest()
        given = callback.headers.get("x-twilio-signature", "")
        if not hmac.compare_digest(base64.b64encode(digest), given.encode()):
            raise BadCallbackError("wrong signature")


def _with(told: Told, *, sid: str, key: UUID | None, is_hard: bool) -> Told:
    return Told(
        told.event_id, sid, key, told.outcome, told.happened_at, is_hard, address=told.address, details=told.details
    )


def _wish(form: Mapping[str, str]) -> Outcome | None:
    """STOP also by the words that the office has listed at Twilio; START by its own words alone."""
    if form.get("OptOutType") == "STOP":
        return Outcome.STOPPED
    return wish_in(form.get("Body", ""))


def _suffix(url: str) -> str:
    """A button's address in an approved template ends in one place: the path."""
    parts = urlsplit(url)
    return f"{parts.path}{f'?{parts.query}' if parts.query else ''}".lstrip("/")


def _is_near(entry: Any, sent_at: datetime) -> bool:
    try:
        made_at = parsedate_to_datetime(str(entry.get("date_created")))
    except (ValueError, AttributeError, TypeError):
        return False
    return timedelta(seconds=-30) <= made_at - sent_at <= timedelta(minutes=5)
