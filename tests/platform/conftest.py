import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lms.embedded import Embedded

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that PostgreSQL's unprivileged user can pass, with a space in its name; pytest's own are private."""
    path = Path(tempfile.mkdtemp(prefix="lms a place "))
    path.chmod(0o755)
    yield path
    Embedded.adopt(path / "var").stop()
    shutil.rmtree(path, ignore_errors=True)


def kept() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


@pytest.fixture
def python() -> Command:
    """Runs the interpreter in the project's directory, in an environment that only says what the test says."""

    def run(*arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, *arguments],
            cwd=ROOT,
            env=kept() | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    return run
