"""A worker that moves old months and is killed without a word at a moment of the far end: the storage of the files."""

import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.test import override_settings

from analytics.domain.cold.moving import move

MOMENTS = ("before", "half", "stored", "first reading", "second reading")


class DyingStorage(FileSystemStorage):
    """Dies as it is about to take the file, with half of it, with all of it, or when it is read back.

    It is read back a first time before the rows leave the database, and a second time after that.
    """

    moment = "before"
    readings = 0

    def _save(self, name: str, content: Any) -> str:
        if self.moment == "half":
            path, data = Path(self.path(name)), content.read()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[: len(data) // 2])
        if self.moment in {"stored", "first reading", "second reading"}:
            stored: str = super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
            if self.moment != "stored":
                return stored
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("not reached")

    def open(self, name: str, mode: str = "rb") -> Any:
        type(self).readings += 1
        if (self.moment, self.readings) in {("first reading", 1), ("second reading", 2)}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().open(name, mode)


def move_and_die(moment: str, folder: str, now: datetime) -> None:
    """`moment`: one of MOMENTS."""
    DyingStorage.moment = moment
    mine = {"BACKEND": f"{__name__}.DyingStorage", "OPTIONS": {"location": folder}}
    with override_settings(STORAGES={**settings.STORAGES, "media": mine}):
        list(move(older_than=2, now=now))
