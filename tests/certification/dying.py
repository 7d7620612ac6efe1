"""A worker that makes missing files, and one that is killed without a word at a given moment of storing."""

import os
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.test import override_settings
from django.utils.timezone import now

from certification.domain.files import make_missing


class DyingStorage(FileSystemStorage):
    """Stands for the far end: the process ends before the first byte, after half of them, or when all are there."""

    moment = "before"

    def _save(self, name: str, content: Any) -> str:
        if self.moment == "half":
            path, data = Path(self.path(name)), content.read()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[: len(data) // 2])
        elif self.moment == "after":
            super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("not reached")


def make_files() -> None:
    make_missing(now=now())


def make_files_and_die(moment: str, folder: str) -> None:
    """`moment`: before, half or after."""
    DyingStorage.moment = moment
    mine = {"BACKEND": f"{__name__}.DyingStorage", "OPTIONS": {"location": folder}}
    with override_settings(STORAGES={**settings.STORAGES, "media": mine}):
        make_missing(now=now())
