"""What every way of sending messages has in common: what is handed over, what comes back, what is told later.

Nothing here touches the database. A transport is made from settings, holds no state but connections, and may be used by
several threads.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl
from uuid import UUID

from reminders.enums import Channel, Outcome

NOT_REACHED = "not reached"
REPLAY_SECONDS = 300  # a callback older than this, or from further ahead, is no news


@dataclass(frozen=True, slots=True)
class Attachment:
    """`content_type` with its parameters: "text/calendar; method=REQUEST; charset=utf-8"."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, worded. `key` is the delivery's; providers are told it wherever they keep such a thing.

    `address` by channel: an e-mail address; a number as E.164 ("+919876543210") for SMS and WhatsApp; for push what
    `browsers` makes. WhatsApp uses `template` (its approved name), `places`, `language` and the path of `url` for its
    button; push uses `subject`, `text` and `url`.
    """

    key: UUID
    address: str
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    sender_name: str = ""
    reply_to: str = ""
    template: str = ""
    places: tuple[str, ...] = ()
    language: str = "en"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. `gone`: endpoints of browsers that take nothing any more (push). `is_by_address`: it was
    asked what went to the address at the time, and had one message.
    """

    provider_id: str = ""
    gone: tuple[str, ...] = ()
    is_by_address: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider certainly has nothing. `is_temporary`: try the same again, not before `retry_after` seconds.

    `is_hard`: the address itself is wrong, nothing should be sent there again. `is_stopped`: its person said STOP to
    the provider. None of them: this message or this account. `why` is for the office and for logs: it names no person,
    address or secret.
    """

    why: str
    is_temporary: bool = False
    is_hard: bool = False
    retry_after: float | None = None
    gone: tuple[str, ...] = ()
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody here knows whether the provider has it: the line broke on the way, or the answer made no sense."""

    why: str


Result = Accepted | Refused | Uncertain


class BadCallbackError(Exception):
    """Not from the provider, too old, or not understood. Its text is for the log and quotes nothing of the callback."""


@dataclass(frozen=True)
class Callback:
    """A request of a provider. `url` is the address it called as it knows it: the site's own, with the query."""

    method: str
    url: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    @cached_property
    def form(self) -> tuple[tuple[str, str], ...]:
        """Of a body that is a form, in its own order."""
        try:
            return tuple(parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=200))
        except ValueError as problem:
            raise BadCallbackError("no form") from problem

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    @cached_property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise BadCallbackError("no JSON") from problem


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider says about a message, or a person to us (STOP, START).

    `event_id` is the same when the same is told again. `key` and `provider_id`: whichever the provider names.
    `address`: whom it is about, in the form of `Outgoing.address`. `details` hold codes and reasons, no person.
    """

    event_id: str
    provider_id: str
    key: UUID | None
    outcome: Outcome
    happened_at: datetime
    is_hard: bool = False
    address: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Transport(Protocol):
    """One way to send. `most` messages in a call of `send`, `rate` messages a second over all workers."""

    @property
    def name(self) -> str: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def most(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def tells_delivery(self) -> bool: ...
    @property
    def tells_read(self) -> bool: ...
    @property
    def can_look_up(self) -> bool: ...

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        """One result for each, in the same order. Never raises for what the network or the provider does."""
        ...

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | Refused | None:
        """What became of a message of which nobody knows whether it was taken. None: the provider cannot say.

        `address` as in `Outgoing`, where it is still known: some can only be asked what they sent to it.
        `Refused(is_temporary=True)` only where the provider says for certain that it has nothing: it may be sent again.
        """
        ...

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        """Raises BadCallbackError for a wrong signature and for what is older than REPLAY_SECONDS."""
        ...

    def check(self) -> str:
        """Ask the provider whether the credentials are right. Empty, or what is wrong with which variable.

        What begins with NOT_REACHED says nothing about them.
        """
        ...


@runtime_checkable
class Challenged(Protocol):
    """A transport whose provider asks first whether the address for callbacks is ours."""

    def answer(self, callback: Callback) -> str:
        """What to answer to its question. Raises BadCallbackError."""
        ...


def require_recent(at: datetime, now: datetime, *, seconds: int = REPLAY_SECONDS) -> None:
    if abs((now - at).total_seconds()) > seconds:
        raise BadCallbackError("too old, or from the future")


def browsers(subscriptions: Iterable[tuple[str, str, str]]) -> str:
    """The address of a push message: all browsers of a person, each (endpoint, p256dh, auth)."""
    return json.dumps([list(subscription) for subscription in subscriptions])
