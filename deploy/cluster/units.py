"""What the cluster is made of: one `Unit` for every process, with the command that production uses for it."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIRST_PORT, LAST_PORT = 20_000, 29_999  # below those that the kernel gives to outgoing connections
TIERS = ("web", "realtime", "worker", "long", "sender", "transcoder", "ingest", "beat")
DEFAULTS = {"web": 2, "realtime": 2, "worker": 2, "long": 1, "sender": 1, "transcoder": 1, "ingest": 1, "beat": 2}
BALANCED = ("web", "realtime")  # nginx shares the callers out between their replicas
DRAIN_SECONDS = 30  # the longest that a rolling restart takes to take a replica out; it says when it has


class ClusterError(Exception):
    """Something the person at the terminal can mend; printed without a traceback."""


@dataclass(frozen=True)
class Unit:
    name: str  # "web.2"; those of which there is one have no number
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0
    death_signal: int = signal.SIGKILL
    user: tuple[int, int] | None = None
    directory: Path = ROOT
    nice: int = 0
    stale: Path | None = None  # a socket that a killed one leaves behind, and the next one would stumble over

    @property
    def tier(self) -> str:
        return self.name.partition(".")[0]

    @property
    def balanced(self) -> bool:
        return self.tier in BALANCED


class Ports:
    """Free ones, each given out once. A replica keeps its own for as long as the cluster runs."""

    def __init__(self) -> None:
        self._candidates = iter(range(FIRST_PORT + os.getpid() % 5_000, LAST_PORT + 1))

    def take(self) -> int:
        for port in self._candidates:
            if is_free(port):
                return port
        raise ClusterError(f"No free port between {FIRST_PORT} and {LAST_PORT}.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def application_units(counts: Mapping[str, int], ports: Ports) -> list[Unit]:
    return [unit for tier in TIERS for unit in _tier(tier, counts[tier], ports)]


def _tier(tier: str, count: int, ports: Ports) -> Iterator[Unit]:
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "-A", "lms.celery"]
    for number in range(1, count + 1):
        name = f"{tier}.{number}"
        worker = [*celery, "worker", "--concurrency=1", "-n", f"{name}@%h"]
        worker += ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        if tier == "web":
            port = ports.take()
            command = [python, "-m", "gunicorn", "-c", "deploy/gunicorn_web.py", "lms.wsgi"]
            environment = {"WEB_BIND": f"127.0.0.1:{port}", "WEB_WORKERS": os.environ.get("WEB_WORKERS") or "1"}
            # Not SIGTERM, which would let it drain where nobody waits any more.
            yield Unit(name, command, environment, port, death_signal=signal.SIGQUIT)
        elif tier == "realtime":
            port = ports.take()
            yield Unit(name, [python, "deploy/realtime.py"], {"REALTIME_BIND": f"127.0.0.1:{port}"}, port)
        elif tier == "ingest":
            port = ports.take()
            yield Unit(name, [python, "manage.py", "ingest", "--host=127.0.0.1", f"--port={port}"], port=port)
        elif tier == "beat":
            yield Unit(name, [*celery, "beat"])
        elif tier in {"worker", "sender"}:
            queue = "default" if tier == "worker" else "reminders"
            yield Unit(name, [*worker, "-Q", queue], death_signal=signal.SIGQUIT)
        else:  # their jobs take up to hours, and start again from what the database says
            queue, nice = ("long", 5) if tier == "long" else ("media", 10)
            yield Unit(name, [*worker, "-Q", queue], stop_signal=signal.SIGQUIT, death_signal=signal.SIGQUIT, nice=nice)
