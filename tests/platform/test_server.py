"""`script/server` as a person uses it: from a copy of the project, in a directory with a space, until Ctrl-C."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.processes import wait_until
from lms.embedded import Embedded
from tests.platform.conftest import ROOT
from tests.ports import free_port
from tests.processes import command_lines, family, living

pytestmark = [pytest.mark.site, pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]  # several starts
START_SECONDS = 120.0
STOP_SECONDS = 40.0
READY_SECONDS = 5.0  # promised for every start but the first
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "tests", "__pycache__", ".mypy_cache", ".ruff_cache", ".hypothesis"
)


class Server:
    """One run of the script, its output, and every process that it ever had below it."""

    def __init__(self, project: Path, **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [project / "script" / "server"],
            cwd="/",  # from any directory
            env=kept | {"ROUNDS_VENV": sys.prefix, "DEMO": "0"} | environment,
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
        connection = connection or http.client.HTTPConnection("localhost", self.port, timeout=20)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def end(self, number: int) -> None:
        family = self.family()
        self.process.send_signal(number)
        assert wait_until(lambda: self.process.poll() is not None, seconds=STOP_SECONDS), self.output
        assert wait_until(lambda: not living(family), seconds=STOP_SECONDS), command_lines(living(family))
        self.reader.join(10)


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lms server "))
    directory.chmod(0o755)
    copy = directory / "the project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    yield copy
    Embedded.adopt(copy / "var").stop()
    shutil.rmtree(directory, ignore_errors=True)


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


def test_the_whole_life(project: Path) -> None:
    """First start, what it serves, Ctrl-C; a quick second start, kill -9; a third start with everything still there.

    Each start costs what ten programs import: the third also shows which port is taken where none was asked for.
    """
    port = free_port()
    with server(project, PORT=str(port)) as first:
        first.ready()
        assert first.port == port
        assert first.get("/healthz") == (200, b"ok\n")
        assert json.loads(first.get("/readyz")[1])["status"] == "ready"
        assert first.get("/admin/login/")[0] in {200, 302}
        assert first.get("/ws/nothing-here/")[0] in {400, 403, 404, 426, 500, 501}
        keeps_the_address_on_a_kept_alive_connection(first)
        refuses_a_second_one(project)
        names = " ".join(command_lines(first.family()))
        for part in (
            "postgres",
            "valkey-server",
            "gunicorn",
            "deploy/realtime.py",
            "worker@",
            "long@",
            "sender@",
            "transcoder@",
            "beat",
            "frontdoor",
        ):
            assert part in names
        first.end(signal.SIGINT)
        assert first.process.returncode == 0

    secret = (project / "var" / "secret-key").read_text()
    assert min(second_start(project, port), second_start(project, port)) < READY_SECONDS * crowding()

    with a_port_of_its_own_choice(project) as third:
        assert "Migrating" not in third.output
        assert (project / "var" / "secret-key").read_text() == secret
        restarts_what_crashes(third)
        sockets = Path((project / "var" / "sockets").read_text())
        assert {path.name for path in sockets.iterdir()} >= {"web", "realtime"}
        third.end(signal.SIGTERM)
        assert not sockets.exists()


@contextlib.contextmanager
def a_port_of_its_own_choice(project: Path) -> Iterator[Server]:
    """Without PORT the next free one after 8000 is taken."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else on this machine has it: just as good
            stack.enter_context(socket.create_server(("127.0.0.1", 8000)))
        with server(project) as running:
            running.ready()
            assert 8000 < running.port < 8050
            assert f"Port 8000 is taken; using {running.port}." in running.output
            yield running


def crowding() -> float:
    """1 on a machine of our own; where others compute too, how much longer everything takes."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def second_start(project: Path, port: int) -> float:
    with server(project, PORT=str(port)) as again:
        seconds = again.ready()
        assert "Migrating" not in again.output
        again.end(signal.SIGKILL)
    return seconds


def keeps_the_address_on_a_kept_alive_connection(running: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=20)
    for number in (1, 2):
        assert running.get(f"/no-such-page-{number}/", connection)[0] in {302, 404}

    def logged() -> list[str]:
        return [line for line in running.output.splitlines() if "/no-such-page-" in line and "address=" in line]

    assert wait_until(lambda: len(logged()) == 2, seconds=START_SECONDS), running.output
    assert [re.findall(r"address=(\S+)", line) for line in logged()] == [["127.0.0.1"], ["127.0.0.1"]]
    connection.close()


def refuses_a_second_one(project: Path) -> None:
    with server(project, PORT=str(free_port())) as other:
        assert other.process.wait(START_SECONDS) == 1
        other.reader.join(10)
        assert "It is already running: http://localhost:" in other.output


def restarts_what_crashes(running: Server) -> None:
    direct = psutil.Process(running.process.pid).children()
    master = next(process for process in direct if "gunicorn" in " ".join(command_lines([process])))
    master.kill()
    assert wait_until(lambda: "web ended with status -9; it starts again" in running.output, seconds=START_SECONDS)

    def answers() -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return running.get("/readyz")[0] == 200
        return False

    assert wait_until(answers, seconds=START_SECONDS, every=0.2), running.output


def test_a_port_that_was_asked_for_and_is_taken_is_refused(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with server(project, PORT=str(port)) as refused:
            assert refused.process.wait(START_SECONDS) == 1
            refused.reader.join(10)
            assert f"error: Port {port} is taken. Choose another one: PORT={port + 1}" in refused.output


@pytest.mark.parametrize("port", ["eighty", "70000", "-1"])
def test_a_port_that_is_none_is_named(project: Path, port: str) -> None:
    with server(project, PORT=port) as refused:
        assert refused.process.wait(START_SECONDS) == 1
        refused.reader.join(10)
        assert "error: PORT must be a whole number up to 65535" in refused.output
