"""Where a drill works: one folder, one drill at a time, and nothing left in it afterwards."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from operations.domain.drill.errors import DrillError

ROOT = Path(settings.BASE_DIR)
_OWN_HOME = re.compile(r"/var/lib/lms-[0-9a-f]{12}")  # what lms.embedded makes where the folder itself is private
_DOWN_SECONDS = 120.0
LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class Place:
    folder: Path

    @property
    def site(self) -> Path:
        """Everything of one drill: its servers' data, its media, its mail, its logs."""
        return self.folder / "site"

    @property
    def mail(self) -> Path:
        """What the copy would have sent (EMAIL_FILE_PATH of its processes)."""
        return self.site / "mail"

    @property
    def static(self) -> Path:
        """Stays for the next drill: it holds no data, and collecting takes longer than all the rest."""
        return self.folder / "static"

    @property
    def left(self) -> bool:
        return self.site.exists()


def default_place() -> Place:
    return Place(Path(settings.VAR_DIR) / "drill")


@contextlib.contextmanager
def only_drill(place: Place) -> Iterator[None]:
    """The kernel drops the lock with the process: a kill -9 leaves data only, which the next drill removes."""
    place.folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DrillError(f"Another drill is running: {file.read().strip() or 'it begins'}.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
        yield


def keep_logs(place: Place, *, into: Path | None) -> None:
    """The ends of what the replicas said, beside the report: the copy itself is about to go."""
    if into is None:
        return
    into.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    into.mkdir(exist_ok=True, mode=0o700)
    for path in [*place.site.glob("log/*.log"), *place.site.glob("*.log")]:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_BYTES))
            (into / path.name).write_bytes(log.read())


def clean(place: Place) -> bool:
    """Ends what still runs there and removes the copy. The caller holds the lock. Whether there was anything."""
    if not place.left:
        return False
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cluster", f"--directory={place.site}", "down"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_DOWN_SECONDS,
    )
    if done.returncode:
        raise DrillError(f"What runs in {place.site} does not end: {done.stderr.strip() or done.stdout.strip()}")
    note = place.site / "postgresql-home"
    if note.exists() and _OWN_HOME.fullmatch(home := note.read_text().strip()):
        shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(place.site)
    return True
