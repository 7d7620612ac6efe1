"""A replica set of its own for a bench, sized for two cores, and who of it uses which part of them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from core.processes import spawn, wait_until
from deploy.cluster import control
from deploy.cluster.state import State
from tests.bench.stage import ROOT

# One process of Python for each core, and one that does what tasks there are.
COUNTS = {"web": 2, "realtime": 1, "worker": 1, "long": 0, "sender": 0, "transcoder": 0, "ingest": 0, "beat": 1}
PATIENCE = 240.0
GENERATOR = "load generator"


@dataclass(frozen=True)
class Stage:
    directory: Path
    state: State

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return self.state.ports["nginx"]

    @property
    def dsn(self) -> str:
        """Past PgBouncer."""
        return self.state.direct["DATABASE_URL"]

    def run(self, module: str, *arguments: str) -> dict[str, Any]:
        result = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=os.environ | self.state.direct,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return found

    def leaders(self) -> list[tuple[str, psutil.Process]]:
        """The part of the site, and its process. Asking costs the cluster some CPU: not while it is measured."""
        rows = control.ask(self.state.control, {"do": "status"})
        return [(row["name"].partition(".")[0], psutil.Process(row["pid"])) for row in rows if row["pid"]]

    def memory(self, group: str) -> int:
        return sum(one.memory_info().rss for name, leader in self.leaders() if name == group for one in _family(leader))


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """Up, ready and empty; production code, DEBUG off, `fsync` on."""
    with tempfile.TemporaryDirectory(prefix="lms-surge-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)  # PostgreSQL runs as another user
        command = [sys.executable, "-m", "deploy.cluster", f"--directory={directory}", "up", "--foreground"]
        log = directory / "cluster.log"
        with log.open("wb") as output:
            process = spawn(
                [*command, *(f"--{tier}={count}" for tier, count in COUNTS.items())],
                directory=ROOT,
                environment=environment(),
                output=output,
                death_signal=signal.SIGTERM,
            )
        try:

            def is_up() -> bool:
                state = State.read(directory)
                return process.poll() is not None or bool(state and state.ready)

            wait_until(is_up, seconds=PATIENCE, every=0.1)
            state = State.read(directory)
            if state is None or not state.ready:
                raise RuntimeError(f"The cluster does not start:\n{log.read_text()}")
            yield Stage(directory, state)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def environment() -> dict[str, str]:
    """Nothing of the caller's own site."""
    left_out = {"DATABASE_URL", "REDIS_URL", "VAR_DIR", "MEDIA_ROOT", "STATIC_ROOT", "SITE_URL", "PORT"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"DEMO": "0", "DEBUG": "false", "LOG_LEVEL": "WARNING"}


@dataclass
class Clocks:
    """CPU seconds of every part since the last reading; the load generator is all that this process has started."""

    stage: Stage
    _last: dict[str, float] = field(default_factory=dict)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._leaders = self.stage.leaders()
        self.read()

    def read(self) -> tuple[dict[str, float], float]:
        """Seconds of CPU by part, and seconds that passed."""
        groups: dict[str, list[psutil.Process]] = {}
        for group, leader in self._leaders:
            groups.setdefault(group, []).extend(_family(leader))
        site = {one.pid for members in groups.values() for one in members}
        me = psutil.Process()
        own = [me, *(one for one in me.children(recursive=True) if one.pid not in site)]
        groups[GENERATOR] = own
        now = {name: sum(map(_cpu, members)) for name, members in groups.items()}
        at = time.monotonic()
        spent = {name: max(0.0, value - self._last.get(name, 0.0)) for name, value in now.items()}
        passed, self._last, self._at = at - self._at, now, at
        return spent, passed


def _family(leader: psutil.Process) -> list[psutil.Process]:
    try:
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def saturated_by(cores: Mapping[str, float], *, late_seconds: float) -> str:
    """What was full, in words: cores of each part in the busiest seconds."""
    have = os.cpu_count() or 1
    used = sum(cores.values())
    name = max(cores, key=lambda part: cores[part])
    parts = ", ".join(f"{part} {cores[part]:.2f}" for part in sorted(cores, key=cores.__getitem__, reverse=True)[:5])
    if late_seconds > 0.5:
        name = f"{GENERATOR} (late by {late_seconds:.1f} s)"
    elif used < 0.85 * have:
        name = f"{name}, not by CPU: {used:.2f} of {have} cores used"
    else:
        name = f"CPU, most of it {name}"
    return f"{name} ({parts} of {have} cores)"
