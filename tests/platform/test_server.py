"""`script/server` as a person uses it: from a copy of the project, in a directory with a space, until Ctrl-C."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.processes import wait_until
from lms.embedded import Embedded
from tests.platform.conftest import ROOT
from tests.platform.lectures import (
    Job,
    freeze_transcoder,
    make_long_source,
    published,
    the_demonstrations_become_playable,
)
from tests.platform.running import LEFT_OUT, START_SECONDS, Server, crowding, server
from tests.ports import free_port
from tests.processes import command_lines

pytestmark = [pytest.mark.site, pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(900)]  # several starts
READY_SECONDS = 5.0  # promised for every start but the first
BUSY_STOP_SECONDS = 8.0
PROGRAMS = (
    "postgres", "valkey-server", "gunicorn", "deploy/realtime.py", "worker@", "long@", "sender@", "transcoder@", "beat",
    "frontdoor",
)  # fmt: skip


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lms server "))
    directory.chmod(0o755)
    copy = directory / "the project"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    yield copy
    Embedded.adopt(copy / "var").stop()
    shutil.rmtree(directory, ignore_errors=True)


def test_the_whole_life(project: Path, tmp_path: Path) -> None:
    """First start with the demonstration and what it serves, kill -9; a quick second start with everything still there,
    ended while a lecture is transcoded; a quick third one, in which that goes on, ended while the transcoder hangs.

    Each start costs what ten programs import.
    """
    port = free_port()
    # The lowest rungs of the ladder are enough to play and cost a third.
    with server(project, PORT=str(port), MEDIA_LADDER_MAX_HEIGHT="240") as first:
        first.ready()
        assert first.port == port
        tells_the_sign_ins_once(first)
        serves(first)
        refuses_a_second_one(project)
        the_demonstrations_become_playable(project, first)
        lectures = published(project)
        first.end(signal.SIGKILL)
    secret = (project / "var" / "secret-key").read_text()

    with a_port_of_its_own_choice(project) as second:
        seconds = second.ready()
        assert 8000 < second.port < 8050
        assert f"Port 8000 is taken; using {second.port}." in second.output
        has_nothing_to_prepare(second)
        assert published(project) == lectures
        restarts_what_crashes(second)
        job = Job(project, make_long_source(tmp_path))
        before = job.until_encoding(second)
        assert seconds_to_stop(second, signal.SIGINT) < BUSY_STOP_SECONDS, second.output

    with server(project, PORT=str(port)) as third:
        assert min(seconds, third.ready()) < READY_SECONDS * crowding()
        has_nothing_to_prepare(third)
        assert (project / "var" / "secret-key").read_text() == secret
        after = job.until_encoding(third)
        assert (after["id"], after["status"]) == (before["id"], "transcoding")
        assert after["worker"] != before["worker"]
        assert after["attempts"] == 1, "being stopped was no attempt"
        sockets = Path((project / "var" / "sockets").read_text())
        assert {path.name for path in sockets.iterdir()} >= {"web", "realtime"}
        freeze_transcoder(third)
        assert seconds_to_stop(third, signal.SIGTERM) < BUSY_STOP_SECONDS, third.output
        assert "transcoder does not stop in 3 s; it is killed." in third.output
        assert not sockets.exists()


def tells_the_sign_ins_once(first: Server) -> None:
    for words in ("Sign in at http://localhost:", "or with the password", "The one-tap link, good for one use:"):
        assert first.output.count(words) == 1, first.output


def serves(running: Server) -> None:
    assert running.get("/healthz") == (200, b"ok\n")
    assert json.loads(running.get("/readyz")[1])["status"] == "ready"
    assert running.get("/admin/login/")[0] in {200, 302}
    assert running.get("/ws/nothing-here/")[0] in {400, 403, 404, 426, 500, 501}
    keeps_the_address_on_a_kept_alive_connection(running)
    names = " ".join(command_lines(running.family()))
    for part in PROGRAMS:
        assert part in names


def has_nothing_to_prepare(running: Server) -> None:
    for words in ("Migrating", "Collecting", "Loading"):
        assert words not in running.output


def seconds_to_stop(running: Server, number: int) -> float:
    """Until every process of the site is gone."""
    began = time.monotonic()
    running.end(number)
    assert running.process.returncode == 0
    return (time.monotonic() - began) / crowding()


@contextlib.contextmanager
def a_port_of_its_own_choice(project: Path) -> Iterator[Server]:
    """Without PORT the next free one after 8000 is taken."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else on this machine has it: just as good
            stack.enter_context(socket.create_server(("127.0.0.1", 8000)))
        yield stack.enter_context(server(project))


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
