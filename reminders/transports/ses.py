"""E-mail by Amazon SES. What becomes of it comes by SNS, from the configuration set."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from anymail.exceptions import AnymailAPIError

from reminders.enums import Channel, Outcome
from reminders.transports import aws_calls, sns
from reminders.transports.anymail_based import METADATA, AnymailTransport
from reminders.transports.base import Accepted, BadCallbackError, Callback, Outgoing, Refused, Result, Told, Uncertain
from reminders.transports.mail_parts import key_of
from reminders.transports.merging import Merged

FOR_NOW = {
    "ACCOUNT_THROTTLED",
    "ACCOUNT_DAILY_QUOTA_EXCEEDED",
    "ACCOUNT_SENDING_PAUSED",
    "CONFIGURATION_SET_SENDING_PAUSED",
    "TRANSIENT_FAILURE",
}
APPLES_PROXY = "Mozilla/5.0"  # and no more: it loads pictures before anybody looks
OUTCOMES = {
    "Send": Outcome.ACCEPTED,
    "Delivery": Outcome.DELIVERED,
    "Bounce": Outcome.BOUNCED,
    "Complaint": Outcome.COMPLAINED,
    "Reject": Outcome.FAILED,
    "Rendering Failure": Outcome.FAILED,
    "Open": Outcome.READ,
    "Click": Outcome.CLICKED,
}


class Ses(AnymailTransport):
    name = "ses"
    backend = "anymail.backends.amazon_ses.EmailBackend"
    credentials = aws_calls.CREDENTIALS
    most = 50
    taboo = re.compile(r"\{\{|\}\}")
    with_calendar = True
    can_look_up = False

    def __init__(self, channel: Channel, values: Mapping[str, Any]) -> None:
        super().__init__(channel, values)
        self.tells_delivery = self.tells_read = bool(values["AWS_SNS_TOPICS"])  # of others nothing is believed

    def options(self) -> dict[str, Any]:
        return {
            "client_params": aws_calls.client_options(),
            "session_params": {},
            "configuration_set_name": self.values["SES_CONFIGURATION_SET"] or None,
        }

    def place(self, name: str) -> str:
        return f"{{{{{name}}}}}"

    def may_merge(self, messages: Sequence[Outgoing]) -> bool:
        return not messages[0].attachments

    def leave_links(self, mail: Any) -> None:
        mail.esp_extra = {"ConfigurationOverrides": {"Tracking": {"ClickTrackingEnabled": "DISABLED"}}}

    def prepare(self, mail: Any, merged: Merged) -> None:
        """A template that lives for this call: nothing has to be put there before."""
        parts = {"Subject": merged.subject, "Text": merged.text, "Html": merged.html}
        content = {name: part for name, part in parts.items() if part}
        mail.template_id = "given here"  # makes anymail take the call for many
        mail.esp_extra |= {"DefaultContent": {"Template": {"TemplateContent": content, "TemplateData": "{}"}}}
        mail.subject, mail.body, mail.alternatives = "", "", []

    def after(self, problem: AnymailAPIError, messages: Sequence[Outgoing]) -> list[Result]:
        """anymail takes it for a failure of the call when all messages met the same one."""
        if isinstance(problem.response, dict) and "BulkEmailEntryResults" in problem.response:
            return _each(problem.response)
        return super().after(problem, messages)

    def failed(self, problem: AnymailAPIError) -> Result:
        cause = problem.__cause__ or problem
        return aws_calls.what_it_means(cause) or Refused(f"refused by SES ({aws_calls.code_of(cause)})")

    def results(self, mail: Any, messages: Sequence[Outgoing]) -> list[Result]:
        response = mail.anymail_status.esp_response
        if "BulkEmailEntryResults" in response:
            return _each(response)
        return super().results(mail, messages)

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> None:
        """SES tells of a message by its own number only, which nobody has who waits in doubt."""

    def check(self) -> str:
        try:
            aws_calls.client("sesv2").get_account()
        except Exception as problem:  # noqa: BLE001
            return aws_calls.problem_of(problem)
        return ""

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        found = sns.read(callback, self.values["AWS_SNS_TOPICS"], now=now)
        if not found:
            return []
        number, content = found
        kind = str(content.get("eventType") or content.get("notificationType"))
        mail = content.get("mail")
        if kind not in OUTCOMES or not isinstance(mail, dict):
            return []
        about = content.get(kind.lower())
        return _told(number, OUTCOMES[kind], mail, about if isinstance(about, dict) else {}, now)


def _each(response: dict[str, Any]) -> list[Result]:
    found: list[Result] = []
    for entry in response["BulkEmailEntryResults"]:
        status = str(entry.get("Status"))
        if status == "SUCCESS":
            found.append(Accepted(str(entry.get("MessageId", ""))))
        elif status == "FAILED":
            found.append(Uncertain("FAILED, without a reason"))
        else:
            found.append(Refused(f"refused by SES ({status})", is_temporary=status in FOR_NOW))
    return found


def _told(number: str, outcome: Outcome, mail: dict[str, Any], about: dict[str, Any], now: datetime) -> list[Told]:
    try:
        key = _key(mail)
        if outcome == Outcome.READ and about.get("userAgent") == APPLES_PROXY:
            outcome = Outcome.DELIVERED
        people = about.get("bouncedRecipients") or about.get("complainedRecipients") or [{}]
        is_hard = about.get("bounceType") == "Permanent" and about.get("bounceSubType") not in {
            "ContentRejected",
            "AttachmentRejected",
            "MessageTooLarge",
        }
        return [
            Told(
                event_id=f"{number}/{index}",
                provider_id=str(mail.get("messageId", "")),
                key=key,
                outcome=outcome,
                happened_at=_when(about.get("timestamp"), now),
                is_hard=is_hard,
                address=str(person.get("emailAddress", "")),
                details={n: str(about[n])[:100] for n in ("bounceType", "bounceSubType") if n in about},
            )
            for index, person in enumerate(people)
        ]
    except (AttributeError, TypeError) as problem:
        raise BadCallbackError("not as SES tells it") from problem


def _key(mail: dict[str, Any]) -> UUID | None:
    for header in mail.get("headers") or []:
        if header.get("name") == "X-Metadata":
            try:
                return key_of(json.loads(header.get("value", "")).get(METADATA))
            except (ValueError, AttributeError):
                return None
    return None


def _when(text: object, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return now
    return found if found.tzinfo else now
