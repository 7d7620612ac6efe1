"""Programs beside a site under test, killed and started again: children of one process that has read the product.

To read it costs a program more than a second of a core. Each is as new as a program's beside that: it reads its file,
opens connections of its own, and goes without a word when it is killed.
"""

import gc
import json
import os
import random
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from core.processes import end_with, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 90.0


class Program:
    """As `subprocess.Popen` knows it."""

    def __init__(self, pid: int, output: Path, complaints: Path, status: Path) -> None:
        self.pid, self.output, self.complaints, self.status = pid, output, complaints, status

    def poll(self) -> int | None:
        """Minus the signal that killed it, as everywhere."""
        return int(self.status.read_text()) if self.status.exists() else None

    def wait(self, seconds: float = PATIENCE) -> int:
        if not wait_until(self.status.exists, seconds=seconds):
            raise TimeoutError(f"Process {self.pid} has not ended in {seconds:g} s.")
        return int(self.status.read_text())

    def send_signal(self, number: int) -> None:
        """Once it has ended, its number may be another's."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """`environment` is that of all programs; the process begins with the first of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.process: subprocess.Popen[str] | None = None
        self.folder = tempfile.TemporaryDirectory(prefix="lms-nursery-")
        self.count = 0

    def start(self, what: str, *arguments: str, output: Path | None = None) -> Program:
        """A file, or a module with dots. All that it says is added to `output`, or stands in files of its own."""
        process = self.process = self.process or self._begin()
        assert process.stdin
        assert process.stdout
        self.count += 1
        own = [Path(self.folder.name, f"{self.count}.{kind}") for kind in ("said", "complained", "status")]
        said, complained, status = (output, output, own[2]) if output else own
        process.stdin.write(json.dumps([*map(str, (said, complained, status)), what, *arguments]) + "\n")
        process.stdin.flush()
        return Program(int(process.stdout.readline()), said, complained, status)

    def run(self, what: str, *arguments: str) -> str:
        """What it says on its standard output, once it has ended well."""
        program = self.start(what, *arguments)
        assert program.wait() == 0, program.complaints.read_text()
        return program.output.read_text()

    def _begin(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> None:
        """Whatever still runs is killed."""
        if self.process:
            self.process.communicate()
            self.process = None
        self.folder.cleanup()


def main() -> None:
    import django

    django.setup()
    # The largest part of what the programs read themselves. Without connections: children would share them.
    for name in ("uvicorn", "webinars.consumers", "lms.realtime", "lms.urls", "tests.bench.people", "tests.room.rooms"):
        import_module(name)
    gc.freeze()  # or a child's first look for garbage writes to every page that they share
    parent = os.getpid()
    for line in sys.stdin:
        said, complained, status, *rest = json.loads(line)
        child = os.fork()
        if child == 0:
            end_with(parent)
            play(said, complained, *rest)
        threading.Thread(target=keep_status, args=(child, Path(status)), daemon=True).start()
        print(child, flush=True)


def keep_status(child: int, path: Path) -> None:
    """Whole, or not at all: somebody looks for it."""
    _, status = os.waitpid(child, 0)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(str(os.waitstatus_to_exitcode(status)))
    unfinished.rename(path)


def play(said: str, complained: str, what: str, *arguments: str) -> None:
    """As a program of its own would run, and end."""
    from factory.random import reseed_random

    status = 1
    try:
        random.seed()  # read before the fork: every child would draw the same
        reseed_random(os.urandom(16))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, path in ((1, said), (2, complained)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        sys.argv = [what, *arguments]
        if what.endswith(".py"):
            runpy.run_path(what, run_name="__main__")
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        if sys.exc_info()[0]:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
