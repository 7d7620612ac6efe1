"""For development: messages of every channel as files in a folder, which the page of sent mail shows."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from reminders.enums import Channel
from reminders.transports.base import Accepted, BadCallbackError, Callback, Outgoing, Refused, Result, Told
from reminders.transports.mail_parts import NoAddressError, as_bytes, mail_of


class Folder:
    """One file per message: `.eml` for e-mail, `.json` for the others. Its name ends in the key of the delivery."""

    name = "folder"
    most = 200
    tells_delivery = False
    tells_read = False
    can_look_up = True

    def __init__(self, channel: Channel, values: Mapping[str, Any]) -> None:
        self.channel = channel
        self.rate = float(values[f"MESSAGES_{channel.upper()}_RATE"])

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return [self._write(folder, message) for message in messages]

    def _write(self, folder: Path, message: Outgoing) -> Result:
        try:
            ending, content = self._content(message)
        except NoAddressError:
            return Refused("no valid address", is_hard=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{message.key.hex}"
        hidden = folder / f".{name}.part"
        try:
            hidden.write_bytes(content)
            hidden.rename(folder / f"{name}.{ending}")
        except OSError as problem:
            return Refused(f"the folder cannot be written ({type(problem).__name__})", is_temporary=True)
        return Accepted(message.key.hex)

    def _content(self, message: Outgoing) -> tuple[str, bytes]:
        if self.channel == Channel.EMAIL:
            return "eml", as_bytes(mail_of(message, with_calendar=True))
        shown = {
            "channel": self.channel.value,
            "to": message.address,
            "subject": message.subject,
            "text": message.text,
            "template": message.template,
            "places": list(message.places),
            "url": message.url,
        }
        return "json", json.dumps(shown, ensure_ascii=False, indent=1).encode()

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> Accepted | Refused | None:
        if any(_folder().glob(f"*-{key.hex}.*")):
            return Accepted(key.hex)
        return Refused("there is no such file", is_temporary=True)

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        raise BadCallbackError("a folder does not call back")

    def check(self) -> str:
        return ""


def _folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)
