"""E-mail by a provider's own API, by way of django-anymail: one call for many people where the provider has one."""

import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from core.logging import get_logger
from reminders.enums import Channel
from reminders.transports.base import Accepted, Outgoing, Refused, Result, Uncertain
from reminders.transports.calling import CONNECT_SECONDS, Answer, in_lanes, read_seconds, refusal, what_it_means
from reminders.transports.mail_parts import NoAddressError, mail_of, one_line
from reminders.transports.merging import Merged, grouped, merge

log = get_logger("reminders")
METADATA = "delivery"  # under this name providers keep a message's key


def timeouts() -> tuple[float, float]:
    return (CONNECT_SECONDS, read_seconds())


class AnymailTransport(ABC):
    """Subclasses say which backend of anymail, how a place for a value is written, and how to read what comes back."""

    name: ClassVar[str]
    backend: ClassVar[str]
    credentials: ClassVar[str]
    most: ClassVar[int]
    taboo: ClassVar[re.Pattern[str]]
    most_bytes: ClassVar[int] = 0
    with_calendar: ClassVar[bool] = False
    channel = Channel.EMAIL
    tells_delivery = True
    tells_read = True

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.values = values
        self.rate = float(values["MESSAGES_EMAIL_RATE"])

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the backend is made with."""

    @abstractmethod
    def place(self, name: str) -> str:
        """How the provider writes a place for a value."""

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        messages = [replace(one, subject=one_line(one.subject)) for one in messages]  # a header also where it is merged
        results: dict[int, Result] = {}
        try:
            backend = self._open()
        except Exception as problem:  # noqa: BLE001  # of settings or a library, before anything was sent
            why = f"{self.name} cannot be called ({type(problem).__name__})"
            return [Refused(why, is_temporary=True) for _ in messages]
        try:
            for group in grouped(messages, most=self.most, taboo=self.taboo):
                results.update(zip(group, self._send_group(backend, [messages[i] for i in group]), strict=True))
        finally:
            backend.close()
        return [results[index] for index in range(len(messages))]

    def _open(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # anymail tells at every start which providers it cannot try any more
            backend = import_string(self.backend)(**self.options())
        backend.open()
        if session := getattr(backend, "session", None):
            session.max_redirects = 0
        return backend

    def _send_group(self, backend: Any, messages: list[Outgoing]) -> list[Result]:
        if len(messages) > 1 and self.may_merge(messages):
            merged = merge(messages, place=self.place, taboo=self.taboo, most_bytes=self.most_bytes)
            results = self._send_merged(backend, merged) if merged else []
            # A call for many that was turned down as it stands says nothing about each: one bad address is enough.
            if results and not all(isinstance(r, Refused) and not r.is_temporary for r in results):
                return results
        return in_lanes(messages, lambda message: self._send_one(backend, message), lanes=4)

    def may_merge(self, _messages: Sequence[Outgoing]) -> bool:
        return True

    def _send_one(self, backend: Any, message: Outgoing) -> Result:
        try:
            mail = mail_of(message, with_calendar=self.with_calendar)
        except NoAddressError:
            return Refused("no valid address", is_hard=True)
        mail.metadata = {METADATA: str(message.key)}  # type: ignore[attr-defined]  # anymail's own
        self.leave_links(mail)
        return self._hand_over(backend, mail, [message])[0]

    def _send_merged(self, backend: Any, merged: Merged) -> list[Result]:
        """One message to many, each of whom gets it alone. An address that is none must not spoil it for the others."""
        mails: dict[int, EmailMultiAlternatives] = {}
        for index, message in enumerate(merged.messages):
            try:
                mails[index] = mail_of(message, with_calendar=False)
            except NoAddressError:
                continue
        if not mails:
            return [Refused("no valid address", is_hard=True) for _ in merged.messages]
        good = [merged.messages[index] for index in mails]
        first: Any = next(iter(mails.values()))
        mail: Any = mail_of(
            Outgoing(
                key=good[0].key,
                address=good[0].address,
                subject=merged.subject,
                text=merged.text,
                html=merged.html,
                attachments=good[0].attachments,
                sender_name=good[0].sender_name,
                reply_to=good[0].reply_to,
            ),
            with_calendar=False,
        )
        mail.subject = merged.subject
        mail.to = [message.address for message in good]
        own = {message.address: dict(mails[index].extra_headers) for index, message in zip(mails, good, strict=True)}
        same = dict(first.extra_headers)
        mail.extra_headers = {
            name: value
            for name, value in same.items()
            if name != "Message-ID" and all(headers.get(name) == value for headers in own.values())
        }
        mail.merge_headers = {
            address: {n: v for n, v in headers.items() if n not in mail.extra_headers and n != "Message-ID"}
            for address, headers in own.items()
        }
        mail.merge_data = {message.address: merged.values[index] for index, message in zip(mails, good, strict=True)}
        mail.merge_metadata = {message.address: {METADATA: str(message.key)} for message in good}
        self.leave_links(mail)
        self.prepare(mail, merged)
        found = dict(zip(mails, self._hand_over(backend, mail, good), strict=True))
        return [found.get(i, Refused("no valid address", is_hard=True)) for i in range(len(merged.messages))]

    def leave_links(self, mail: Any) -> None:
        """As they are: one that is counted leads through the provider, whose logs would hold what lets somebody in."""
        mail.track_clicks = False

    def prepare(self, mail: Any, merged: Merged) -> None:  # noqa: B027  # most need nothing
        """What the provider needs besides for one message to many."""

    def _hand_over(self, backend: Any, mail: Any, messages: Sequence[Outgoing]) -> list[Result]:
        try:
            backend.send_messages([mail])
        except AnymailRecipientsRefused:
            return self.results(mail, messages)
        except AnymailAPIError as problem:
            return self.after(problem, messages)
        except (AnymailError, ValueError) as problem:  # before anything was sent
            return [Refused(f"not a message for {self.name} ({type(problem).__name__})") for _ in messages]
        return self.results(mail, messages)

    def after(self, problem: AnymailAPIError, messages: Sequence[Outgoing]) -> list[Result]:
        """The call failed for all of them."""
        return [self.failed(problem)] * len(messages)

    def failed(self, problem: AnymailAPIError) -> Result:
        response = problem.response
        if response is None:
            return what_it_means(problem.__cause__ or problem)
        try:
            body = response.json()
        except ValueError:
            body = None
        answer = Answer(response.status_code, response.headers, body)
        return refusal(answer, credentials=self.credentials) or self.refused(answer)

    def refused(self, answer: Answer) -> Refused | Uncertain:
        return Refused(f"refused (HTTP {answer.status})")

    def results(self, mail: Any, messages: Sequence[Outgoing]) -> list[Result]:
        """A number that several messages share is none of theirs."""
        found: list[Result] = []
        for message in messages:
            status = mail.anymail_status.recipients.get(message.address)
            if status is None or status.status not in {"queued", "sent"}:
                word = status.status if status else "no status"
                found.append(
                    Refused(f"refused ({word})", is_hard=word == "invalid") if status else Uncertain("no status")
                )
            else:
                found.append(Accepted("" if len(messages) > 1 and self.shares_ids else status.message_id or ""))
        return found

    shares_ids: ClassVar[bool] = False
