"""A worker that makes missing files and is killed without a word at a given moment of storing: a program of its own."""

import os
import signal
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage


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


def main(moment: str) -> None:
    """`moment`: before, half or after. The storage's folder is MEDIA_ROOT of the environment."""
    import django

    django.setup()
    from django.conf import settings
    from django.utils.timezone import now

    from certification.domain.files import make_missing

    DyingStorage.moment = moment
    mine = {"BACKEND": f"{__name__}.DyingStorage", "OPTIONS": {"location": os.environ["MEDIA_ROOT"]}}
    settings.STORAGES = {**settings.STORAGES, "media": mine}
    make_missing(now=now())
