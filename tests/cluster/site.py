"""A cluster for tests, and callers that ask it as browsers do and forgive nothing."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import psycopg

from core.processes import spawn, wait_until
from deploy.cluster import control
from deploy.cluster.state import State
from tests.faults.nursery import Nursery
from tests.faults.world import ORIGIN, ROOT, World
from tests.migrated import copy_migrated_cluster

PATIENCE = 150.0
COUNTS = {"web": 2, "realtime": 2, "worker": 0, "long": 0, "sender": 0, "transcoder": 0, "ingest": 0, "beat": 0}


class Site(World):
    """`World`'s questions to the database, with a cluster in place of single processes."""

    counts: ClassVar[dict[str, int]] = COUNTS

    def __init__(self, directory: Path, *, viewers: int, more: Mapping[str, str] = MappingProxyType({})) -> None:
        self.directory = directory
        elsewhere = directory / "postgresql-home"
        copy_migrated_cluster(Path(elsewhere.read_text().strip()) if elsewhere.exists() else directory)
        environment = {
            **os.environ,
            "DEMO": "0",
            "SOCKET_ORIGINS": ORIGIN,
            "SOCKET_MESSAGES_PER_MINUTE": "100000",
            "SOCKET_MESSAGE_BURST": "100000",
            **more,
        }
        command = [sys.executable, "-m", "deploy.cluster", f"--directory={directory}", "up", "--foreground"]
        self.log = directory / "cluster.log"
        with self.log.open("wb") as output:
            self.process = spawn(
                [*command, *(f"--{tier}={count}" for tier, count in self.counts.items())],
                directory=ROOT,
                environment=environment,
                output=output,
                death_signal=signal.SIGTERM,
            )
        assert wait_until(self._is_up, seconds=PATIENCE, every=0.1), self.log.read_text()
        state = State.read(directory)
        assert state is not None, self.log.read_text()
        self.cluster = state
        self.port = state.ports["nginx"]
        self.environment = os.environ | state.environment  # through PgBouncer, as the replicas
        self.database_url = state.direct["DATABASE_URL"]
        self.nursery = Nursery(self.environment)
        if viewers:
            found = json.loads(self.nursery.run("tests.cluster.seed", str(viewers)).splitlines()[-1])
            self.viewers, self.media = found["viewers"], found["media"]

    def _is_up(self) -> bool:
        state = State.read(self.directory)
        return self.process.poll() is not None or bool(state and state.ready)

    def ask(self, **request: Any) -> Any:
        return control.ask(self.cluster.control, request, say=lambda _text: None)

    def table(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.ask(do="status")}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deploy.cluster", f"--directory={self.directory}", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)

    def fetch(self, path: str, cookie: str = "") -> tuple[int, dict[str, str]]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = line.getresponse()
            answer.read()
            return answer.status, dict(answer.getheaders())
        finally:
            line.close()

    def seconds_seen(self, user: int) -> set[int]:
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT coverage FROM webinars_watchrecord WHERE user_id = %s", [user]).fetchall()
        return {second for (coverage,) in rows for part in coverage for second in range(part.lower, part.upper)}

    def end(self) -> None:
        self.nursery.end()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


@dataclass
class Caller(threading.Thread):
    """Reads a page and posts a beat in turn, each by a connection of its own; never tries anything twice."""

    site: Site
    viewer: dict[str, Any]
    acked: set[int] = field(default_factory=set)
    answered: int = 0
    failures: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.asked_to_end = threading.Event()
        self.number = 0
        self.begin = time.monotonic()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.asked_to_end.is_set():
            for method in ("GET", "POST"):
                try:
                    status = self._get() if method == "GET" else self._post()
                except (OSError, http.client.HTTPException) as error:
                    self.failures.append((time.monotonic(), f"{method}: {error!r}"))
                else:
                    if status == 200:
                        self.answered += 1
                    else:
                        self.failures.append((time.monotonic(), f"{method}: {status}"))
            self.asked_to_end.wait(0.2)

    def _get(self) -> int:
        return self._ask("GET", f"/api/v1{self.viewer['path'].removeprefix('/ws')}playback/")[0]

    def _post(self) -> int:
        self.number += 1
        beat = {"n": self.number, "s": [[self.number, self.number + 1]], "p": self.number + 1}
        body = json.dumps({"session": self.viewer["session"], "beats": [beat]})
        status, content = self._ask("POST", f"/api/v1{self.viewer['path'].removeprefix('/ws')}beats/", body)
        if status == 200:
            self.acked |= set(json.loads(content)["acked"])
        return status

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        token = "x" * 32
        try:
            line.request(
                method,
                path,
                body,
                headers={
                    "Cookie": f"sessionid={self.viewer['cookie']}; csrftoken={token}",
                    "X-CSRFToken": token,
                    "Content-Type": "application/json",
                },
            )
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def end(self) -> None:
        self.asked_to_end.set()
        self.join(PATIENCE)


async def until(condition: Any, *, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def pids(table: dict[str, dict[str, Any]], names: Sequence[str]) -> set[int]:
    return {table[name]["pid"] for name in names}
