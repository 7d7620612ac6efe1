"""A durable PostgreSQL and Valkey, the real realtime process, and ways to end each of them badly."""

import json
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.processes import spawn, wait_until
from lms.embedded import Embedded, State
from tests.faults.nursery import Nursery, Program
from tests.migrated import copy_migrated_cluster
from tests.ports import free_port
from tests.processes import living

ROOT = Path(__file__).resolve().parent.parent.parent
ORIGIN = "http://rounds.example"
PATIENCE = 60.0


class World:
    def __init__(self, directory: Path, *, viewers: int) -> None:
        is_migrated = copy_migrated_cluster(directory)
        self.embedded = Embedded(directory)
        urls = self.embedded.start()
        state = State.read(directory)
        assert state is not None
        self.state = state
        self.database_url = urls.database_url
        self.redis_url = urls.redis_url
        self.port = free_port()
        self.environment = {
            **os.environ,
            **urls.environment(),
            "VAR_DIR": str(directory),
            "DJANGO_SETTINGS_MODULE": "lms.settings",
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "SITE_URL": ORIGIN,
            "REALTIME_BIND": f"127.0.0.1:{self.port}",
            "SOCKET_MESSAGES_PER_MINUTE": "100000",
            "SOCKET_MESSAGE_BURST": "100000",
            "LOG_LEVEL": "ERROR",
        }
        self.nursery = Nursery(self.environment)
        self.realtime: Program | None = None
        self.postgres: subprocess.Popen[bytes] | None = None
        self.log = directory / "realtime.log"
        if not is_migrated:
            self.nursery.run("manage.py", "migrate", "--verbosity=0")
        said = self.nursery.run("tests.faults.seed", str(viewers))
        self.viewers: list[dict[str, Any]] = json.loads(said.splitlines()[-1])

    def start_realtime(self, program: str = "deploy/realtime.py") -> None:
        self.realtime = self.nursery.start(program, output=self.log)
        assert wait_until(self._answers, seconds=PATIENCE), self.log.read_text()

    def _answers(self) -> bool:
        assert self.realtime is not None
        assert self.realtime.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill_realtime(self) -> None:
        assert self.realtime is not None
        self.realtime.send_signal(signal.SIGKILL)
        self.realtime.wait(PATIENCE)

    def stop_realtime(self) -> int:
        assert self.realtime is not None
        self.realtime.send_signal(signal.SIGTERM)
        return self.realtime.wait(PATIENCE)

    def crash_postgres(self) -> None:
        """SIGQUIT is PostgreSQL's immediate stop: no checkpoint, recovery at the next start."""
        process = psutil.Process(self.state.postgres.pid if self.postgres is None else self.postgres.pid)
        self._postgres = (process.cmdline(), Path(process.cwd()), process.uids().real, process.gids().real)
        process.send_signal(signal.SIGQUIT)
        if self.postgres is not None:
            self.postgres.wait(PATIENCE)
        assert wait_until(lambda: not living([process]), seconds=PATIENCE)

    def start_postgres(self) -> None:
        """The same command line again: the same data, the same socket."""
        command, directory, user, group = self._postgres
        self.postgres = spawn(
            command,
            directory=directory,
            output=subprocess.DEVNULL,
            user=(user, group) if os.geteuid() == 0 else None,
            environment={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        )
        assert wait_until(self._database_answers, seconds=PATIENCE)

    def _database_answers(self) -> bool:
        try:
            with psycopg.connect(self.database_url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def kill_valkey(self) -> None:
        psutil.Process(self.state.valkey.pid).kill()

    def coverage(self) -> dict[int, set[int]]:
        """Which seconds of which user are in the database."""
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT user_id, coverage, seen_seconds FROM webinars_watchrecord").fetchall()
        found = {user: {n for part in coverage for n in range(part.lower, part.upper)} for user, coverage, _ in rows}
        assert {user: len(numbers) for user, numbers in found.items()} == {user: seen for user, _, seen in rows}
        return found

    def forget(self) -> None:
        with psycopg.connect(self.database_url) as connection:
            connection.execute("TRUNCATE webinars_watchrecord")

    def forget_room(self) -> None:
        with psycopg.connect(self.database_url) as connection:
            connection.execute("TRUNCATE webinars_roomevent, webinars_room")

    def end(self) -> None:
        if self.realtime and self.realtime.poll() is None:
            self.kill_realtime()
        self.nursery.end()
        if self.postgres and self.postgres.poll() is None:
            self.postgres.send_signal(signal.SIGINT)
            self.postgres.wait(PATIENCE)
        self.embedded.stop()
