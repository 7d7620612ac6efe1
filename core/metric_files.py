"""Where the processes of one service put their numbers together. To be called before anything imports `core.metrics`.

Without Django and without the library, which reads the variable when it is imported.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "lms-metrics-"
_OWNER = re.compile(rf"{PREFIX}(\d+)-")


def prepare(parent: Path | None = None) -> Path:
    """An empty directory: numbers of processes that are gone would be added to those of the present ones.

    One that the variable names must belong to this service alone. Else a new one is made, in memory where that is
    possible, and those of services that were killed are removed. Again in the same process it changes nothing: gunicorn
    reads its configuration anew when it reloads.
    """
    given = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if given:
        path = Path(given)
        if path.name.startswith(f"{PREFIX}{os.getpid()}-"):
            return path
        path.mkdir(parents=True, exist_ok=True)
        for old in path.glob("*.db"):
            old.unlink(missing_ok=True)
        return path
    parent = parent or _place()
    for left in _left_behind(parent):
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    os.environ[VARIABLE] = str(made)
    return made


def remove() -> None:
    """Only what `prepare` made, and only by who made it."""
    path = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
    if path.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(path, ignore_errors=True)


def _place() -> Path:
    memory = Path("/dev/shm")  # noqa: S108  # mkdtemp makes a private name in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _left_behind(parent: Path) -> Iterator[Path]:
    for path in parent.glob(f"{PREFIX}*"):
        found = _OWNER.match(path.name)
        if found and not _is_alive(int(found[1])):
            yield path


def _is_alive(process: int) -> bool:
    with contextlib.suppress(PermissionError):  # somebody else's, and so alive
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
