"""End to end: a thousand real WebSockets against the real server, then the obvious endpoint under the same roof."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psutil

from tests.bench.people import Audience, make_login
from tests.bench.stage import HOST, ROOT, Stage, cpu_seconds, realtime, server
from tests.ports import free_port

ORIGIN = "http://rounds.example"


@dataclass(frozen=True)
class Load:
    result: dict[str, Any]
    server_us: float  # CPU per acknowledged beat
    postgres_us: float

    @property
    def cpu_us(self) -> float:
        return self.server_us + self.postgres_us


def measure_sockets(
    stage: Stage,
    audience: Audience,
    *,
    beats_per_s: float,
    duration: float,
    start: Callable[[int], AbstractContextManager[psutil.Process]] = realtime,
) -> Load:
    """Players beat far more often than real ones (every 30 s), so that a thousand sockets make the load of 130,000."""
    port = free_port()
    period = len(audience.sessions) / beats_per_s
    plan = {
        "host": HOST,
        "port": port,
        "origin": ORIGIN,
        "viewers": audience.viewers(),
        "period": period,
        "seconds": round(period * 1.5, 2),
        "warm_up": 3.0,
        "duration": duration,
    }
    with start(port) as process:
        return run_plan("tests.bench.players", plan, process, psutil.Process(stage.postgres))


def measure_naive(stage: Stage, audience: Audience, *, duration: float) -> Load:
    port = free_port()
    some = audience.sessions[:64]
    for session in some:
        make_login(session.user, session.device.session_key)
    plan = {
        "host": HOST,
        "port": port,
        "viewers": [{"cookie": one.device.session_key, "session": str(one.pk)} for one in some],
        "warm_up": 1.0,
        "duration": duration,
    }
    command = [sys.executable, "-m", "gunicorn", "--worker-class=gthread", "--workers=2", "--threads=8"]
    command += [f"--bind={HOST}:{port}", "--log-level=warning", "tests.bench.naive:application"]
    with server(command, port=port, environment={"DJANGO_SETTINGS_MODULE": "lms.settings"}) as process:
        return run_plan("tests.bench.posters", plan, process, psutil.Process(stage.postgres))


def run_plan(generator: str, plan: dict[str, Any], process: psutil.Process, postgres: psutil.Process) -> Load:
    """The generator says when it measures; the CPU clocks of the others are read in those two moments."""
    with subprocess.Popen(
        [sys.executable, "-m", generator], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(plan) + "\n")
        child.stdin.flush()
        _expect(child.stdout.readline(), "measure")
        before = cpu_seconds(process), cpu_seconds(postgres)
        _expect(child.stdout.readline(), "measured")
        after = cpu_seconds(process), cpu_seconds(postgres)
        result = json.loads(child.stdout.readline())
    beats = result["acked_beats_per_s"] * result["took"]
    return Load(result, 1e6 * (after[0] - before[0]) / beats, 1e6 * (after[1] - before[1]) / beats)


def _expect(line: str, word: str) -> None:
    if line.strip() != word:
        raise RuntimeError(f"The load generator said {line!r} instead of {word!r}")
