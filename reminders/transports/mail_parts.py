"""E-mails as they travel."""

import uuid
from email import encoders
from email.generator import BytesGenerator
from email.message import Message
from email.mime.base import MIMEBase
from email.policy import compat32
from email.utils import formataddr, parseaddr
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from reminders.transports.base import Attachment, Outgoing

OWN_HEADER = "X-Delivery"


class NoAddressError(ValueError):
    """No valid address."""


def sender() -> tuple[str, str]:
    """Name and address that messages come from."""
    return parseaddr(settings.MESSAGES["MESSAGES_FROM"] or settings.DEFAULT_FROM_EMAIL)


def domain() -> str:
    return sender()[1].partition("@")[2] or "localhost"


def message_id(key: uuid.UUID) -> str:
    """The same for the same delivery, so that what is told about it can be matched."""
    return f"<{key.hex}@{domain()}>"


def key_of_message_id(text: str) -> uuid.UUID | None:
    return key_of(text.strip(" <>").partition("@")[0])


def key_of(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def one_line(text: str) -> str:
    """Control characters would end a header and begin another one."""
    return " ".join("".join(" " if ord(sign) < 32 or ord(sign) == 127 else sign for sign in text).split())


def mail_of(message: Outgoing, *, with_calendar: bool) -> EmailMultiAlternatives:
    """Raises NoAddressError. `with_calendar`: an invitation is a part of the text as well, as calendars look for it."""
    if not _is_address(message.address):
        raise NoAddressError("no valid address")
    name, address = sender()
    mail = EmailMultiAlternatives(
        one_line(message.subject),
        message.text,
        formataddr((one_line(message.sender_name) or name, address), "utf-8"),
        [message.address],
        reply_to=[message.reply_to] if _is_address(message.reply_to) else None,
        headers={
            "Message-ID": message_id(message.key),
            "Auto-Submitted": "auto-generated",  # no replies of people who are away
            **{header: one_line(value) for header, value in message.headers.items()},
        },
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for attachment in message.attachments:
        if with_calendar and attachment.content_type.startswith("text/calendar"):
            method = "".join(f";{part}" for part in attachment.content_type.split(";")[1:] if "method=" in part)
            mail.attach_alternative(attachment.content.decode(), f"text/calendar{method}")
        mail.attach(_part(attachment))
    return mail


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _part(attachment: Attachment) -> MIMEBase:
    main, _, rest = attachment.content_type.partition("/")
    kind, *parameters = (piece.strip() for piece in rest.split(";"))
    given: Any = dict(parameter.split("=", 1) for parameter in parameters)
    part = MIMEBase(main, kind, **given)
    part.set_payload(attachment.content)
    encoders.encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=attachment.name)
    return part


def as_bytes(mail: EmailMultiAlternatives) -> bytes:
    """In seven bits: a relay that had to convert it on the way would break the signature (DKIM) of the one before."""
    whole: Any = mail.message()
    for part in whole.walk():
        _in_seven_bits(part)
    # A longer line than the usual 78 is allowed; a "Subject:" with nothing behind it is a bad sign to filters.
    content = BytesIO()
    BytesGenerator(content, mangle_from_=False, policy=compat32.clone(max_line_length=998, linesep="\r\n")).flatten(
        whole
    )
    return content.getvalue()


def _in_seven_bits(part: Message) -> None:
    if part["Content-Transfer-Encoding"] == "8bit":
        del part["Content-Transfer-Encoding"]
        encoders.encode_quopri(part)
