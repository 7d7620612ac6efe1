"""E-mail by SMTP: to the site's own relay, one connection for a chunk of messages."""

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from reminders.enums import Channel
from reminders.transports.base import (
    NOT_REACHED,
    Accepted,
    BadCallbackError,
    Callback,
    Outgoing,
    Refused,
    Result,
    Told,
    Uncertain,
)
from reminders.transports.mail_parts import NoAddressError, as_bytes, mail_of, sender

MOST_CONNECTIONS = 3  # for a chunk: a server that keeps hanging up is left alone
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
NO_MAILBOX = {("5", "1", "1"), ("5", "1", "2"), ("5", "1", "3"), ("5", "1", "10"), ("5", "2", "1")}
NOBODY = re.compile(r"no such|unknown|does not exist|not found|invalid|unavailable|disabled", re.IGNORECASE)
POLICY = re.compile(r"relay|spam|block|policy|denied|reputation|authenticat", re.IGNORECASE)


class Smtp:
    name = "smtp"
    channel = Channel.EMAIL
    most = 200
    tells_delivery = False
    tells_read = False
    can_look_up = False

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.rate = float(values["MESSAGES_EMAIL_RATE"])

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        line = _Line()
        try:
            return [line.send(message) for message in messages]
        finally:
            line.close()

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> None:
        """A mail server cannot be asked what it took."""

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        raise BadCallbackError("SMTP does not call back")

    def check(self) -> str:
        """A relay that wants no password has nothing to refuse."""
        if not settings.EMAIL_HOST_USER:
            return ""
        line = _Line()
        refused = line.open()
        line.close()
        if refused and "refused" in refused.why:
            return f"{refused.why}: EMAIL_HOST_USER, EMAIL_HOST_PASSWORD"
        return f"{NOT_REACHED}: {refused.why}" if refused else ""


class _Line:
    """A connection that is opened when needed, and again when it was lost."""

    def __init__(self) -> None:
        self.connection: smtplib.SMTP | None = None
        self.opened = 0
        self.refused: Refused | None = None

    def send(self, message: Outgoing) -> Result:
        try:
            mail = mail_of(message, with_calendar=True)
            whole = as_bytes(mail)
        except NoAddressError:
            return Refused("no valid address", is_hard=True)
        except (ValueError, UnicodeError) as problem:
            return Refused(f"cannot be written as an e-mail ({type(problem).__name__})")
        if refused := self.open():
            return refused
        return self._hand_over(message.address, whole)

    def open(self) -> Refused | None:
        if self.refused or self.connection:
            return self.refused
        if self.opened == MOST_CONNECTIONS:
            self.refused = Refused("the mail server keeps closing the connection", is_temporary=True)
            return self.refused
        self.opened += 1
        try:
            self.connection = _connect()
        except smtplib.SMTPAuthenticationError as problem:
            why = f"the mail server refused EMAIL_HOST_USER and its password ({problem.smtp_code})"
            self.refused = Refused(why, is_temporary=True, retry_after=300.0)
        except (OSError, smtplib.SMTPException) as problem:
            self.refused = Refused(f"no connection to the mail server ({type(problem).__name__})", is_temporary=True)
        return self.refused

    def close(self) -> None:
        if self.connection:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self.connection.quit()
        self._drop()

    def _drop(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def _hand_over(self, address: str, whole: bytes) -> Result:
        """The server has the message from its answer to the last dot on, and not before: RFC 5321, 4.5.3.2.6, 6.1.

        So what breaks before that dot left is certainly not taken; what breaks after it, nobody knows.
        """
        connection = self.connection
        if connection is None:
            raise RuntimeError("not open")
        has_left = False
        try:
            for command in (f"MAIL FROM:<{_envelope()}>", f"RCPT TO:<{_in_ascii(address)}>", "DATA"):
                code, text = connection.docmd(command)
                if not 200 <= code < 400:
                    return self._refuse(code, text, is_about_address=command.startswith("RCPT"))
            connection.send(_dotted(whole))
            has_left = True
            connection.send(b".\r\n")
            code, text = connection.getreply()
        except (OSError, smtplib.SMTPException) as problem:
            self._drop()
            if has_left:
                return Uncertain(f"no answer from the mail server ({type(problem).__name__})")
            return Refused(f"the mail server hung up ({type(problem).__name__})", is_temporary=True)
        except ValueError as problem:  # of an address that no command can carry: this message, and no other
            self._drop()
            return Refused(f"the address cannot be written for a mail server ({type(problem).__name__})")
        if code == 250:
            return Accepted()
        if code < 400:
            return Uncertain(f"answer {code} of the mail server, not understood")
        return self._refuse(code, text, is_about_address=False)

    def _refuse(self, code: int, text: bytes, *, is_about_address: bool) -> Refused:
        if code in {421, -1}:
            self._drop()
        elif self.connection:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self.connection.rset()
        words = text.decode("utf-8", "replace")
        enhanced = ENHANCED.search(words)
        why = f"refused by the mail server: {code}{f' {enhanced.group()}' if enhanced else ''}"
        if code < 500:
            return Refused(why, is_temporary=True)
        return Refused(why, is_hard=is_about_address and _is_nobody(words, enhanced))


def _connect() -> smtplib.SMTP:
    connection = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=settings.EMAIL_TIMEOUT)
    try:
        if settings.EMAIL_USE_TLS:
            connection.starttls(context=ssl.create_default_context())
        connection.ehlo_or_helo_if_needed()
        if settings.EMAIL_HOST_USER:
            connection.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        if connection.sock is not None:
            # The dot is a small packet behind a big one: without this it would wait for 40 ms every time.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sock.settimeout(settings.MESSAGES["MESSAGES_TIMEOUT"])
    except BaseException:
        connection.close()
        raise
    return connection


def _envelope() -> str:
    return _in_ascii(sender()[1])


def _in_ascii(address: str) -> str:
    """Domains in other scripts as the DNS has them. Other signs before the @ need SMTPUTF8, which few relays speak."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"


def _dotted(whole: bytes) -> bytes:
    """A line that begins with a dot gets another one (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"(?m)^\.", b"..", whole)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _is_nobody(words: str, enhanced: re.Match[str] | None) -> bool:
    """There is no such mailbox. A relay that does not want *us* must not make good addresses look bad."""
    if enhanced:
        return enhanced.groups() in NO_MAILBOX
    return bool(NOBODY.search(words)) and not POLICY.search(words)
