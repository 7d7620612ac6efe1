"""Reports of mail servers about messages that came back (RFC 3464), as they arrive in the sender's mailbox."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import Any
from uuid import UUID

from reminders.transports.mail_parts import key_of_message_id

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
MOST_RECIPIENTS = 10  # every message of ours has one


@dataclass(frozen=True, slots=True)
class Reported:
    """`address`: as the message named it, where the server still knows that. `action`: failed, delayed, delivered …"""

    address: str
    action: str
    status: str


@dataclass(frozen=True, slots=True)
class Report:
    """`key`: of the message that it is about, by the headers that it brings back."""

    key: UUID
    about: tuple[Reported, ...]


def read(raw: bytes) -> Report | None:
    """None: no report, or about no message of ours. Answers of people and of their absence are neither."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return None
    parts: Any = mail.get_payload()
    kinds = {part.get_content_type(): part for part in parts if isinstance(part, Message)}
    status = kinds.get("message/delivery-status")
    returned = kinds.get("message/rfc822") or kinds.get("text/rfc822-headers")
    key = _key(returned) if returned is not None else None
    if status is None or key is None:
        return None
    return Report(key, tuple(_reported(status))[:MOST_RECIPIENTS])


def _key(returned: Message) -> UUID | None:
    """By the headers alone: the text further down may quote anything."""
    held: Any = returned.get_payload()
    if isinstance(held, list):
        message = held[0] if held else Message()
    else:
        message = message_from_bytes(returned.get_payload(decode=True) or b"", policy=policy.compat32)  # type: ignore[arg-type]
    return key_of_message_id(str(message.get("Message-ID", "")))


def _reported(status: Message) -> Iterator[Reported]:
    """One block about the message, then one for each recipient."""
    blocks = status.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, Message) or not block.get("Action"):
            continue
        address = _address(block.get("Original-Recipient")) or _address(block.get("Final-Recipient"))
        code = STATUS.search(str(block.get("Status", "")))
        action = (str(block["Action"]).split() or [""])[0].lower()[:20]
        yield Reported(address, action, code.group() if code else "")


def _address(field: object) -> str:
    """Of "rfc822; meera@example.org"."""
    return str(field or "").partition(";")[2].strip().strip("<>")[:254]
