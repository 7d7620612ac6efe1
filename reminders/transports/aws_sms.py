"""SMS by AWS End User Messaging (the API is called pinpoint-sms-voice-v2). What becomes of it comes by SNS."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from reminders.enums import Channel, Outcome
from reminders.transports import aws_calls, sns
from reminders.transports.base import Accepted, Callback, Outgoing, Refused, Result, Told
from reminders.transports.calling import in_lanes
from reminders.transports.mail_parts import key_of
from reminders.transports.wishes import wish_in

SERVICE = "pinpoint-sms-voice-v2"
CONTEXT = "delivery"
OUTCOMES = {
    "TEXT_QUEUED": Outcome.ACCEPTED,
    "TEXT_SENT": Outcome.ACCEPTED,
    "TEXT_PENDING": Outcome.ACCEPTED,
    "TEXT_UNKNOWN": Outcome.ACCEPTED,  # the carrier never said
    "TEXT_SUCCESSFUL": Outcome.DELIVERED,
    "TEXT_DELIVERED": Outcome.DELIVERED,
    "TEXT_INVALID": Outcome.FAILED,
    "TEXT_INVALID_MESSAGE": Outcome.FAILED,
    "TEXT_UNREACHABLE": Outcome.FAILED,
    "TEXT_CARRIER_UNREACHABLE": Outcome.FAILED,
    "TEXT_BLOCKED": Outcome.FAILED,
    "TEXT_CARRIER_BLOCKED": Outcome.FAILED,
    "TEXT_PROTECT_BLOCKED": Outcome.FAILED,
    "TEXT_SPAM": Outcome.FAILED,
    "TEXT_TTL_EXPIRED": Outcome.FAILED,
}


class AwsSms:
    name = "aws"
    channel = Channel.SMS
    most = 100
    tells_read = False
    can_look_up = False

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.values = values
        self.tells_delivery = bool(values["AWS_SNS_TOPICS"])  # of others nothing is believed
        self.rate = float(values["MESSAGES_SMS_RATE"])

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        try:
            client = aws_calls.client(SERVICE)
        except Exception as problem:  # noqa: BLE001  # before anything was sent
            return [Refused(f"AWS cannot be called ({type(problem).__name__})", is_temporary=True) for _ in messages]
        try:
            return in_lanes(messages, lambda message: self._send_one(client, message))
        finally:
            client.close()

    def _send_one(self, client: Any, message: Outgoing) -> Result:
        request = {
            "DestinationPhoneNumber": message.address,
            "OriginationIdentity": self.values["AWS_SMS_ORIGINATION"],
            "MessageBody": message.text,
            "MessageType": "TRANSACTIONAL",
            "Context": {CONTEXT: str(message.key)},
        }
        if self.values["AWS_SMS_CONFIGURATION_SET"]:
            request["ConfigurationSetName"] = self.values["AWS_SMS_CONFIGURATION_SET"]
        try:
            answer = client.send_text_message(**request)
        except Exception as problem:  # noqa: BLE001  # boto3 has no one class for its errors
            return aws_calls.what_it_means(problem) or _refused(problem)
        return Accepted(str(answer.get("MessageId", "")))

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> None:
        """AWS tells of messages only by itself, with the key in their context."""

    def check(self) -> str:
        try:
            aws_calls.client(SERVICE).describe_account_attributes()
        except Exception as problem:  # noqa: BLE001
            return aws_calls.problem_of(problem)
        return ""

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        found = sns.read(callback, self.values["AWS_SNS_TOPICS"], now=now)
        if not found:
            return []
        number, said = found
        if "originationNumber" in said and "messageBody" in said:
            wish = wish_in(str(said["messageBody"]))
            return [Told(number, "", None, wish, now, address=str(said["originationNumber"]))] if wish else []
        kind = str(said.get("eventType"))
        if kind not in OUTCOMES:
            return []
        context = said.get("context")
        return [
            Told(
                event_id=number,
                provider_id=str(said.get("messageId", "")),
                key=key_of(context.get(CONTEXT)) if isinstance(context, dict) else None,
                outcome=OUTCOMES[kind],
                happened_at=sns.moment_of(said.get("eventTimestamp"), now),
                is_hard=kind == "TEXT_INVALID",
                address=str(said.get("destinationPhoneNumber", "")),
                details={"code": kind},
            )
        ]


def _refused(problem: Exception) -> Refused:
    code = aws_calls.code_of(problem)
    reason = str(getattr(problem, "response", {}).get("Reason", ""))
    fields = getattr(problem, "response", {}).get("Fields") or []
    wrong = {str(item.get("Name")) for item in fields if isinstance(item, dict)}
    return Refused(
        f"refused by AWS ({reason or code})",
        is_hard=wrong == {"DestinationPhoneNumber"},
        is_stopped=reason == "DESTINATION_PHONE_NUMBER_OPTED_OUT",
    )
