"""The mailboxes of a crowd: a folder into which the site that it visits writes its messages (`lms.dev_mail`)."""

import email
import email.policy
import os
import re
import time
from functools import cache
from pathlib import Path

LOOK_SECONDS = 1.0
_LINK = re.compile(r"https?://[^/\s]+(/(?:invitation|sign-in/link)/[^/\s]+/)")


class Mailboxes:
    """Of all doctors of a process: each message is read once, whoever waits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: set[str] = set()
        self._newest: dict[str, str] = {}
        self._looked_at = float("-inf")

    def newest_link(self, address: str) -> str:
        """Its path; empty while there is none. As of a second ago at most."""
        if time.monotonic() - self._looked_at >= LOOK_SECONDS:
            self._looked_at = time.monotonic()
            self._look()
        return self._newest.get(address, "")

    def _look(self) -> None:
        if not self.folder.is_dir():  # nothing was sent yet
            return
        with os.scandir(self.folder) as entries:
            new = {entry.name for entry in entries if entry.name.endswith(".eml")} - self._read
        for name in sorted(new):  # names begin with the time
            self._read.add(name)
            message = email.message_from_bytes((self.folder / name).read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            if body is not None and (found := _LINK.search(body.get_content())):
                self._newest[str(message["To"])] = found[1]


@cache
def mailboxes_in(folder: str) -> Mailboxes:
    return Mailboxes(Path(folder))
