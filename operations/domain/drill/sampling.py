"""Looks at the processes, the database and Redis while doctors come: one look every few seconds, in a thread."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import psutil
import psycopg

from deploy.cluster.units import ClusterError

MOST_LOOKS = 600
PIDS_EVERY_SECONDS = 4.0
_SESSIONS = """
SELECT coalesce(state, 'other'), count(*), count(*) FILTER (WHERE wait_event_type = 'Lock')
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1
"""
_LOCKS = "SELECT count(*), count(*) FILTER (WHERE NOT granted) FROM pg_locks WHERE pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Look:
    """Summed by kind of process ("web", "postgresql" …); "drill" is the load generator itself."""

    at: float
    busy: float | None = None  # the whole machine, in percent
    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    locks: int | None = None
    locks_waiting: int | None = None


class Sampler:
    """`status` gives the cluster's table; without it (a site elsewhere) only the database is looked at."""

    def __init__(
        self,
        *,
        began: float,
        every: float,
        status: Callable[[], list[dict[str, Any]]] | None,
        cluster: int,
        database_url: str,
    ) -> None:
        """`cluster` is the process that keeps the replicas; our other children are the crowd."""
        self.began, self.every, self.status, self.database_url = began, every, status, database_url
        self.cluster = cluster
        self.looks: list[Look] = []
        self.unanswered = 0  # looks at the database that it did not answer
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drill-sampler", daemon=True)
        self._known: dict[int, tuple[str, psutil.Process]] = {}
        self._rows: list[dict[str, Any]] = []
        self._asked = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        psutil.cpu_percent(None)  # the first answer is of no time at all
        while not self._ended.is_set() and len(self.looks) < MOST_LOOKS:
            self.looks.append(self.look())
            self._ended.wait(self.every)

    def look(self) -> Look:
        at = time.monotonic() - self.began
        sums: dict[str, dict[str, Any]] = {name: {} for name in ("cpu", "memory", "threads")}
        for tier, process in self._processes():
            with contextlib.suppress(psutil.Error):  # it ended a moment ago
                with process.oneshot():
                    found = (process.cpu_percent(None), process.memory_info().rss, process.num_threads())
                for name, value in zip(sums, found, strict=True):
                    sums[name][tier] = round(sums[name].get(tier, 0) + value, 1)
        connections: dict[str, int] = {}
        for row in self._rows:
            tier = row["name"].partition(".")[0]
            if row["port"]:
                connections[tier] = connections.get(tier, 0) + row["connections"]
        sessions, locks, waiting = self._database()
        return Look(
            at,
            psutil.cpu_percent(None),
            sums["cpu"],
            sums["memory"],
            sums["threads"],
            connections,
            sessions,
            locks,
            waiting,
        )

    def _processes(self) -> list[tuple[str, psutil.Process]]:
        """With their children; the same objects from look to look, because CPU is measured between two of them."""
        now = time.monotonic()
        if now - self._asked > PIDS_EVERY_SECONDS:
            self._asked = now
            with contextlib.suppress(ClusterError):  # the old ones still tell what they do
                self._rows = self.status() if self.status else []
                self._follow()
        return list(self._known.values())

    def _follow(self) -> None:
        leaders = [(row["name"].partition(".")[0], row["pid"]) for row in self._rows if row["pid"]]
        mine = [child.pid for child in psutil.Process().children() if child.pid != self.cluster]
        seen = {}
        for tier, pid in [*leaders, *(("drill", pid) for pid in mine)]:
            for process in _family(pid):
                seen[process.pid] = self._known.get(process.pid, (tier, process))
        for pid, (_, process) in seen.items():
            if pid not in self._known:
                with contextlib.suppress(psutil.Error):
                    process.cpu_percent(None)  # the first answer is always 0
        self._known = seen

    def _database(self) -> tuple[dict[str, int], int | None, int | None]:
        try:
            with psycopg.connect(self.database_url, connect_timeout=2, autocommit=True) as connection:
                connection.execute("SET statement_timeout = 2000")
                rows = connection.execute(_SESSIONS).fetchall()
                locks = connection.execute(_LOCKS).fetchone()
        except psycopg.Error:
            self.unanswered += 1
            return {}, None, None
        sessions = {str(state): int(count) for state, count, _ in rows}
        sessions["waiting for a lock"] = sum(int(waiting) for *_, waiting in rows)
        return sessions, *((int(locks[0]), int(locks[1])) if locks else (None, None))


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    return []
