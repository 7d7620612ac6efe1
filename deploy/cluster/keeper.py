"""Keeps one process running: starts it again when it ends, with a growing pause, until somebody halts it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from core.processes import die_with_parent
from deploy.cluster.units import Unit
from lms.supervisor import RESTART_SECONDS, STEADY_SECONDS, is_ready

PROBE_SECONDS = 5.0
LOG_LIMIT = 20_000_000
WHOLE_GROUP = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT}  # what happens to a machine happens to all of it


class Keeper:
    """`begin` and `halt` may follow each other any number of times. `on_start` hears of every new process."""

    def __init__(
        self, unit: Unit, environment: Mapping[str, str], log: Path, *, on_start: Callable[[int], None] | None = None
    ) -> None:
        self.unit = unit
        self.environment = {**environment, **unit.environment}
        self.log = log / f"{unit.name}.log"
        self.on_start = on_start
        self.pid = 0
        self.state = "stopped"
        self.since = time.monotonic()
        self.restarts = 0
        self._halting = False
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._adopted: subprocess.Popen[bytes] | None = None

    def begin(self, *, adopted: subprocess.Popen[bytes] | None = None) -> None:
        """With `adopted`, the first process is one that runs already."""
        self._halting, self._adopted = False, adopted
        self._wake.clear()
        self._task = asyncio.create_task(self._keep(), name=self.unit.name)

    def _become(self, state: str) -> None:
        self.state, self.since = state, time.monotonic()

    async def _keep(self) -> None:
        pause = RESTART_SECONDS[0]
        while True:
            started = time.monotonic()
            status = await self._run_once()
            kill_group(self.pid)  # children of a crashed one would hold its port
            self.pid = 0
            if self._halting:
                break
            self.restarts += 1
            if time.monotonic() - started > STEADY_SECONDS:
                pause = RESTART_SECONDS[0]
            self._note(f"ended with status {status}; it starts again in {pause:g} s")
            self._become("waiting")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
                break  # halted while it waited
            pause = min(pause * 2, RESTART_SECONDS[1])
        self.pid = 0
        self._become("stopped")

    async def _run_once(self) -> int:
        if self._adopted is not None:
            process, self._adopted = self._adopted, None
            self.pid = process.pid
            self._become("running")
            # Started by somebody else's Popen: only that one may collect its status.
            while process.poll() is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            return process.returncode
        child = await self._spawn()
        self.pid = child.pid
        if self._halting:  # meanwhile
            self.send(signal.SIGKILL)
        else:
            self._become("running")
        if self.on_start:
            self.on_start(child.pid)
        return await child.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        unit, prepare = self.unit, die_with_parent(self.unit.death_signal)
        if unit.stale:
            unit.stale.unlink(missing_ok=True)

        def before_exec() -> None:
            prepare()
            if unit.nice:
                os.nice(unit.nice)

        identity: dict[str, Any] = {}
        if unit.user:
            identity = {"user": unit.user[0], "group": unit.user[1], "extra_groups": []}
        with self.log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *unit.command,
                cwd=unit.directory,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                process_group=0,
                preexec_fn=before_exec,  # takes no lock
                **identity,
            )

    def _note(self, text: str) -> None:
        with self.log.open("a") as output:
            output.write(f"--- {self.unit.name} {text}\n")

    def send(self, number: int) -> list[int]:
        """To the process, or to all of it where the signal cannot be caught. Returns who got it."""
        if not self.pid:
            return []
        try:
            leader = psutil.Process(self.pid)
            whole = leader.children(recursive=True) if number in WHOLE_GROUP else []
        except psutil.NoSuchProcess:
            return []
        reached = []
        for process in (leader, *whole):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
                reached.append(process.pid)
        return reached

    def announce_end(self) -> None:
        """The first of two: the process tells its balancer, and goes on."""
        self._halting = True
        self._become("draining")
        self.send(signal.SIGTERM)

    async def halt(self, *, patience: float | None = None) -> bool:
        """Whether it ended by itself; after `patience` (default: the unit's own) it is killed."""
        self._halting = True
        self._wake.set()
        if self._task is None:
            return True
        seconds = self.unit.stop_seconds if patience is None else patience
        if self.pid and self.state != "draining" and self.unit.balanced:
            self.send(self.unit.stop_signal)  # web and realtime end at the second one at once: DRAIN_SECONDS
            await asyncio.wait({self._task}, timeout=0.2)
        self._become("stopping")
        self.send(signal.SIGCONT)
        self.send(self.unit.stop_signal)
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        if not done:
            self.send(signal.SIGKILL)
        await self._task
        return bool(done)

    async def ready(self) -> bool:
        """A frozen process takes the connection and never answers."""
        if not self.pid:
            return False
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await is_ready("127.0.0.1", self.unit.port)
        except TimeoutError:
            return False


def kill_group(leader: int) -> None:
    """Also what a process that has ended left behind in its group."""
    if leader:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
