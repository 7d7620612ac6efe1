"""Sent messages as a page, for development: what mail servers and phones would have got, with links to click.

The pages exist only with SHOW_SENT_MAIL; the folder holds whole messages with working links, so production has neither.
"""

import email
import email.policy
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage as ParsedMessage
from pathlib import Path
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from reminders.enums import Channel

SHOWN = 50
NAME = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{32}")
LINK = re.compile(r"https?://[^\s<>\"]+")


class FolderBackend(BaseEmailBackend):
    """One `.eml` file per message under EMAIL_FILE_PATH; worker and web share the folder."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}"
            hidden = folder / f".{name}.part"
            hidden.write_bytes(message.message().as_bytes())
            hidden.rename(folder / f"{name}.eml")
        return len(email_messages)


@dataclass(frozen=True, slots=True)
class SentMail:
    name: str
    sent_at: datetime
    to: str
    subject: str
    text: str
    html: str
    channel: Channel = Channel.EMAIL
    url: str = ""

    @property
    def links(self) -> list[str]:
        return list(dict.fromkeys(filter(None, [*LINK.findall(self.text), self.url])))


def sent_mails() -> list[SentMail]:
    """Of every channel, newest first."""
    folder = Path(settings.EMAIL_FILE_PATH)
    paths = sorted([*folder.glob("2*.eml"), *folder.glob("2*.json")], key=lambda path: path.stem, reverse=True)[:SHOWN]
    return [_read(path) if path.suffix == ".eml" else _read_other(path) for path in paths]


def _read(path: Path) -> SentMail:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    if not isinstance(message, ParsedMessage):
        raise TypeError(path)
    bodies = {kind: message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")}
    texts = {kind: str(part.get_content()) if part is not None else "" for kind, part in bodies.items()}
    return SentMail(
        name=path.stem,
        sent_at=_sent_at(path),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=texts["plain"],
        html=texts["html"],
    )


def _sent_at(path: Path) -> datetime:
    return datetime.strptime(path.stem.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)


def _read_other(path: Path) -> SentMail:
    """SMS, WhatsApp, notices (`reminders.transports.folder`). Of a browser's address only whose service it is."""
    said = json.loads(path.read_bytes())
    channel = Channel(said["channel"])
    to = " ".join(urlsplit(one[0]).netloc for one in json.loads(said["to"])) if channel == Channel.PUSH else said["to"]
    parts = [said["text"], said["template"], *said["places"]]
    return SentMail(
        name=path.stem,
        sent_at=_sent_at(path),
        to=to,
        subject=said["subject"],
        text="\n".join(part for part in parts if part),
        html="",
        channel=channel,
        url=said["url"],
    )


def _require_development() -> None:
    if not settings.SHOW_SENT_MAIL:
        raise Http404


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    _require_development()
    return render(request, "dev_mail.html", {"mails": sent_mails()})


@require_safe
@xframe_options_sameorigin
@csp_replace({"style-src": ["'unsafe-inline'"], "script-src": ["'none'"]})  # type: ignore[arg-type]  # its type forgets arguments
def html_part(request: HttpRequest, name: str) -> HttpResponse:
    """As a mail program shows it, in a frame of its own: e-mail needs the inline styles that pages may not have."""
    _require_development()
    path = Path(settings.EMAIL_FILE_PATH) / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        raise Http404
    return HttpResponse(_read(path).html)
