"""Durable servers in a temporary directory, server processes on free ports, and their CPU clocks."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from lms.embedded import Embedded, State

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    directory: Path
    postgres: int  # the postmaster


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """PostgreSQL with fsync and Valkey with its append-only file, and Django set up on them and migrated.

    Nothing of the caller's environment reaches the figures; production code runs with DEBUG off.
    """
    with tempfile.TemporaryDirectory(prefix="lms-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        embedded = Embedded(directory)
        urls = embedded.start()
        try:
            os.environ.update(urls.environment())
            os.environ.update(
                DJANGO_SETTINGS_MODULE="lms.settings",
                DJANGO_ENV="development",
                DEBUG="false",
                SECRET_KEY=secrets.token_urlsafe(64),
                VAR_DIR=str(directory),
                LOG_LEVEL="WARNING",
                SITE_URL="http://rounds.example",
                ALLOWED_HOSTS=f"testserver,rounds.example,{HOST}",
                SOCKET_MESSAGES_PER_MINUTE="1000000",
                SOCKET_MESSAGE_BURST="1000000",
            )
            _set_up_django()
            state = State.read(directory)
            assert state is not None
            yield Stage(directory, state.postgres.pid)
        finally:
            embedded.stop()


def _set_up_django() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # people are made, not signed in
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)


@contextlib.contextmanager
def server(command: Sequence[str], *, port: int, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A server process, once it answers on its port; stopped by SIGTERM as in production."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        _wait_for_port(process, port)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def realtime(port: int) -> contextlib.AbstractContextManager[psutil.Process]:
    return server([sys.executable, "deploy/realtime.py"], port=port, environment={"REALTIME_BIND": f"{HOST}:{port}"})


def _wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not answer on port {port}")


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process with all its children, also those that ended and were waited for."""
    times = process.cpu_times()
    total = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            own = child.cpu_times()
            total += own.user + own.system
    return float(total)
