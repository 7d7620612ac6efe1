"""E-mails in the reader's language and time zone, as text and as HTML."""

import zoneinfo
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts.models import User
from core.languages import spoken


def zone_of(user: User) -> zoneinfo.ZoneInfo:
    """UTC for a name that this machine's tz database does not know (any longer)."""
    try:
        return zoneinfo.ZoneInfo(user.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return zoneinfo.ZoneInfo("UTC")


def build(template: str, *, user: User, context: dict[str, Any]) -> EmailMultiAlternatives:
    """`emails/<template>.subject.txt`, `.txt` and `.html`. The subject is one line, whatever a name contains:
    a line break in it would be a new header.
    """
    with translation.override(spoken(user.language)), timezone.override(zone_of(user)):
        values = {"user": user, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL, **context}
        subject = " ".join(render_to_string(f"emails/{template}.subject.txt", values).split())
        body = render_to_string(f"emails/{template}.txt", values)
        html = render_to_string(f"emails/{template}.html", values)
    message = EmailMultiAlternatives(subject, body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [user.email])
    message.attach_alternative(html, "text/html")
    return message


def refusal_of(error: Exception) -> dict[str, str]:
    """Kind and code, for the log: what a server says of a recipient names the address, which nobody reads there."""
    codes = {code for code, _said in error.recipients.values()} if isinstance(error, SMTPRecipientsRefused) else set()
    if isinstance(error, SMTPResponseException):
        codes = {error.smtp_code}
    return {"error": type(error).__name__, "codes": " ".join(str(code) for code in sorted(codes))}


def send(message: EmailMultiAlternatives, *, connection: BaseEmailBackend | None = None) -> None:
    """Raises `OSError` or `SMTPException` when the server did not take it; the caller decides about another try."""
    if connection is not None:
        message.connection = connection
    message.send()
