"""nginx of the cluster: its configuration from the template, and who of the replicas gets callers."""

import asyncio
import os
import re
import resource
import signal
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import psutil

from deploy.cluster.keeper import Keeper
from deploy.cluster.units import BALANCED, ClusterError, Unit

HERE = Path(__file__).resolve().parent
RELOAD_SECONDS = 15.0
LAST_WORDS = "shutting down"  # in the title of an nginx worker that accepts nobody any more


def fill(template: str, values: dict[str, str]) -> str:
    """Only names that are known: nginx has an @ of its own."""
    names = "|".join(map(re.escape, values))
    return re.sub(f"@({names})@", lambda found: values[found[1]], (HERE / template).read_text())


def upstreams(units: Sequence[Unit], out: Collection[str]) -> str:
    """`down` and not left out: nginx refuses a group of none, and a comment says who is missing."""
    lines = []
    for tier in BALANCED:
        lines.append(f"upstream rounds_{tier} {{\n    zone rounds_{tier} 256k;\n    least_conn;")
        for unit in units:
            if unit.tier == tier:
                down = " down" if unit.name in out else ""
                lines.append(f"    server 127.0.0.1:{unit.port} max_fails=1 fail_timeout=2s{down};  # {unit.name}")
        lines.append("    keepalive 64;\n}" if tier == "web" else "}")
    return "\n".join(lines) + "\n"


class Balancer:
    def __init__(self, units: Sequence[Unit], *, run: Path, log: Path, port: int, static: Path, media: Path) -> None:
        self.units = [unit for unit in units if unit.balanced]
        self.run = run
        self.configuration = run / "nginx.conf"
        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 131_072)
        values = {
            "user": "user root;" if os.geteuid() == 0 else "",  # what it reads is private to whoever runs the cluster
            "run": str(run),
            "here": str(HERE),
            "log": str(log),
            "port": str(port),
            "static": str(static),
            "media": str(media),
            "files": str(files),
            "connections": str(min(files - 64, 65_536)),
        }
        self.write()
        self.configuration.write_text(fill("nginx.conf", values))
        self.unit = Unit(
            "nginx",
            ["nginx", "-c", str(self.configuration), "-e", "stderr"],
            port=port,
            death_signal=signal.SIGTERM,  # a killed master leaves its workers behind
            stop_seconds=5.0,
            stale=run / "origin",
        )

    def write(self, out: Collection[str] = ()) -> None:
        fresh = self.run / "upstreams.new"
        fresh.write_text(upstreams(self.units, out))
        fresh.replace(self.run / "upstreams.conf")

    async def apply(self, keeper: Keeper, out: Collection[str]) -> None:
        """Returns when no caller is led to those who are `out`: the workers from before have closed their door."""
        self.write(out)
        before = {process.pid for process in self._workers(keeper)}
        keeper.send(signal.SIGHUP)
        deadline = time.monotonic() + RELOAD_SECONDS
        while not self._has_changed(keeper, before):
            if time.monotonic() > deadline:
                raise ClusterError("nginx does not take its new list of replicas; its log says why.")
            await asyncio.sleep(0.05)

    def _workers(self, keeper: Keeper) -> list[psutil.Process]:
        try:
            return [one for one in psutil.Process(keeper.pid).children() if LAST_WORDS not in _title(one)]
        except psutil.NoSuchProcess:
            return []

    def _has_changed(self, keeper: Keeper, before: set[int]) -> bool:
        """New workers are there, and each from before is gone or says that it is going."""
        now = {process.pid for process in self._workers(keeper) if "worker process" in _title(process)}
        return bool(now - before) and not now & before


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return LAST_WORDS


def connections() -> dict[int, int]:
    """How many are connected to each local port, from the kernel's table: asking process by process takes seconds."""
    found: dict[int, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        path = Path(table)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            if fields[3] == "01":  # established
                port = int(fields[1].rpartition(":")[2], 16)
                found[port] = found.get(port, 0) + 1
    return found
