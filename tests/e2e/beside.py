"""Programs that run beside a site, such as `tests.e2e.live_world`, each in a child of one process that knows Django.

To read the modules of the product costs a program more than a second of a core; these start with them.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from factory.random import reseed_random

ROOT = Path(__file__).resolve().parents[2]


class Beside:
    """The process starts with the first program. One program runs at a time."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[str] | None = None
        self.lock = threading.Lock()

    def run(self, module: str, *arguments: str) -> str:
        """What `python -m module arguments…` prints."""
        with self.lock, tempfile.NamedTemporaryFile("r", prefix="lms-beside-") as said:
            process = self.process = self.process or self._start()
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([said.name, module, *arguments]) + "\n")
            process.stdin.flush()
            status = process.stdout.readline().strip()
            if status != "0":
                raise RuntimeError(f"{module} {' '.join(arguments)} ended with {status or 'its whole process'}.")
            return said.read()

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            cwd=ROOT, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> None:
        if self.process:
            self.process.communicate()
            self.process = None


def main() -> None:
    import django

    django.setup()
    # The largest part of what the programs read themselves. Without connections: children would share them.
    from tests.factories import accounts, courses, media, webinars  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            play(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def play(output: str, module: str, *arguments: str) -> None:
    """As a program of its own would run, and end."""
    status = 1
    try:
        reseed_random(os.urandom(16))  # read before the fork: every child would draw the same
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(output, os.O_WRONLY), 1)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    finally:
        if status:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
