"""`script/server` in a copy of the project: started, asked, ended, and what its database says."""

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.processes import wait_until
from lms.embedded import Embedded
from tests.processes import command_lines, family, living

START_SECONDS = 240.0  # the first start also migrates, collects and draws
STOP_SECONDS = 40.0
# What Python has compiled comes along: whether it is there is no matter of ours, and it takes seconds of each start.
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "tests", ".mypy_cache", ".ruff_cache", ".hypothesis")


class Server:
    """One run of the script, its output, and every process that it ever had below it."""

    def __init__(self, project: Path, **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [project / "script" / "server"],
            cwd="/",  # from any directory
            env=kept | {"ROUNDS_VENV": sys.prefix} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def output(self) -> str:
        return "".join(list(self.lines))

    def ready(self) -> float:
        """Wait for the announcement; the seconds that it claims."""
        pattern = re.compile(r"Ready in ([\d.]+) s: +http://localhost:(\d+)/$", re.MULTILINE)
        wait_until(lambda: bool(pattern.search(self.output)) or self.process.poll() is not None, seconds=START_SECONDS)
        found = pattern.search(self.output)
        assert found, self.output
        self.port = int(found[2])
        return float(found[1])

    def family(self) -> list[psutil.Process]:
        return family(self.process.pid)

    def get(self, path: str, connection: http.client.HTTPConnection | None = None) -> tuple[int, bytes]:
        if connection is None:
            with contextlib.closing(http.client.HTTPConnection("localhost", self.port, timeout=20)) as own:
                return self.get(path, own)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def end(self, number: int) -> None:
        family = self.family()
        self.process.send_signal(number)
        assert wait_until(lambda: self.process.poll() is not None, seconds=STOP_SECONDS), self.output
        assert wait_until(lambda: not living(family), seconds=STOP_SECONDS), command_lines(living(family))
        self.reader.join(10)


@contextlib.contextmanager
def server(project: Path, **environment: str) -> Iterator[Server]:
    running = Server(project, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        running.reader.join(10)
        if running.process.stdout and not running.reader.is_alive():
            running.process.stdout.close()


def crowding() -> float:
    """1 on a machine of our own; where others compute too, how much longer everything takes."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def rows(project: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Of the databases that run now: another start has other sockets."""
    state = Embedded.adopt(project / "var").state
    assert state, "the site runs"
    with psycopg.connect(state.urls.database_url) as connection:
        return connection.execute(query.encode(), values).fetchall()
