"""The process behind `script/cluster up`: databases, pooler, replicas, balancer; and what other commands ask for."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import psutil

from core.processes import Identity
from deploy.cluster import control
from deploy.cluster.balancer import Balancer, connections, fill
from deploy.cluster.keeper import Keeper
from deploy.cluster.rolling import roll
from deploy.cluster.state import FILE, State
from deploy.cluster.units import BALANCED, DRAIN_SECONDS, TIERS, ClusterError, Ports, Unit, application_units
from lms import embedded_postgres
from lms.embedded import Embedded
from lms.embedded import State as Databases
from lms.embedded_postgres import Postgres
from lms.embedded_server import plain_environment
from lms.embedded_valkey import Valkey
from lms.supervisor import only_one, prepare, site_environment, socket_directory

POOLER_LISTEN = 6432
LIMITS = Path(__file__).parents[1] / "docker" / "pooler" / "limits.ini"  # as in production
POOL = 40  # connections to PostgreSQL that all replicas share
READY_SECONDS = 180.0
MOST_CRASHES = 5
ROLLED = tuple(tier for tier in TIERS if tier != "ingest")  # a stream that is cut off is seen; name it to restart it


class Cluster:
    def __init__(self, var: Path, run: Path, port: int, counts: Mapping[str, int]) -> None:
        self.var, self.run, self.port = var, run, port
        self.log = var / "log"
        self.log.mkdir(exist_ok=True)
        self.stopping = asyncio.Event()
        self.rolling = asyncio.Lock()
        self.embedded = Embedded(var)
        self.ports = Ports()
        self.units = application_units(counts, self.ports)
        self.keepers: dict[str, Keeper] = {}
        self.direct: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def start_databases(self) -> None:
        """In the thread that lives as long as the cluster: the kernel ends them with it."""
        urls = self.embedded.start()
        if not self.embedded.servers:  # those of a cluster that was killed a moment ago
            Embedded.adopt(self.var).stop()
            urls = self.embedded.start()
        environment = site_environment(self.var, self.port, "127.0.0.1")
        environment.setdefault("TRUSTED_PROXIES", "1")
        environment.setdefault("SHED_JOIN_MS", "500")  # as in production
        rtmp = next((unit.port for unit in self.units if unit.tier == "ingest"), 0)
        environment |= {"MEDIA_GRANTS": "nginx", "DRAIN_SECONDS": str(DRAIN_SECONDS)}
        environment |= {"RTMP_PORT": str(rtmp)} if rtmp else {}
        self.direct = environment | urls.environment()
        host = quote(str(self.run / "pgbouncer"), safe="")
        pooled = f"postgresql://lms@/lms?host={host}&port={POOLER_LISTEN}"
        self.environment = self.direct | {"DATABASE_URL": pooled, "DATABASE_TRANSACTION_POOLER": "true"}
        Path(environment.get("MEDIA_ROOT") or self.var / "media").mkdir(parents=True, exist_ok=True)
        prepare(self.var, self.direct)

    def write_state(self, *, ready: bool) -> None:
        State(
            supervisor=Identity.of(os.getpid()) or Identity(os.getpid(), 0.0),
            control=str(self.run / "control"),
            url=self.environment.get("SITE_URL", ""),
            ready=ready,
            ports={name: keeper.unit.port for name, keeper in self.keepers.items() if keeper.unit.port},
            environment=_difference(self.environment),
            direct=_difference(self.direct),
        ).write(self.var)

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stopping.set)
        actions: dict[str, control.Action] = {
            "status": self.status, "kill": self.kill, "roll": self.roll, "change": self.change, "down": self.down,
        }  # fmt: skip
        server = await control.listen(self.run / "control", actions)
        try:
            await self._start()
            await self.stopping.wait()
        finally:
            say("Stopping …")
            await self._stop()
            server.close()

    async def _start(self) -> None:
        begun = time.monotonic()
        self._keep_databases()
        self._add(self._pooler()).begin()
        media = Path(self.environment.get("MEDIA_ROOT") or self.var / "media")
        static = Path(self.environment.get("STATIC_ROOT") or self.var / "static")
        self.balancer = Balancer(self.units, run=self.run, log=self.log, port=self.port, static=static, media=media)
        for unit in [self.balancer.unit, *self.units]:
            keeper = self._add(unit)
            if unit.balanced or unit is self.balancer.unit:
                keeper.begin()
        self.write_state(ready=False)
        await self._until_ready()
        for keeper in self.keepers.values():
            if keeper.state == "stopped" and not self.stopping.is_set():
                keeper.begin()
        if not self.stopping.is_set():
            self.write_state(ready=True)
            say(f"Ready in {time.monotonic() - begun:.1f} s: {self.environment['SITE_URL']}/")

    async def _until_ready(self) -> None:
        waiting = [keeper for keeper in self.keepers.values() if keeper.unit.balanced]
        deadline = time.monotonic() + READY_SECONDS
        while waiting and not self.stopping.is_set():
            waiting = [keeper for keeper in waiting if not await keeper.ready()]
            crashes = sum(keeper.restarts for keeper in self.keepers.values())
            if time.monotonic() > deadline or crashes >= MOST_CRASHES:
                names = ", ".join(keeper.unit.name for keeper in waiting)
                raise ClusterError(f"{names} cannot get ready; the logs in {self.log} say why.")
            await asyncio.sleep(0.1)

    def _add(self, unit: Unit, *, environment: Mapping[str, str] | None = None, on_start: Any = None) -> Keeper:
        kept = self.environment if environment is None else environment
        self.keepers[unit.name] = Keeper(unit, kept, self.log, on_start=on_start)
        return self.keepers[unit.name]

    def _keep_databases(self) -> None:
        """The same commands again when they die: the same data, the same addresses."""
        for server in self.embedded.servers:
            if server.process is None:
                raise ClusterError(f"{server.name} does not run.")
            postgres = server if isinstance(server, Postgres) else None
            unit = Unit(
                server.name,
                [str(part) for part in cast("list[str]", server.process.args)],
                port=getattr(server, "port", 0),
                stop_signal=signal.SIGINT if postgres else signal.SIGTERM,
                death_signal=signal.SIGINT if postgres else signal.SIGTERM,
                stop_seconds=embedded_postgres.STOP[0][1],
                user=postgres.user if postgres else None,
                directory=cast("Postgres | Valkey", server).data,
            )
            keeper = self._add(unit, environment=plain_environment(), on_start=self._note_databases)
            keeper.begin(adopted=server.process)

    def _note_databases(self, _pid: int) -> None:
        """`embedded.json` has to name the new processes: `manage.py` and `stop` go by it."""
        known = self.embedded.state
        if known is None:
            return
        found = {name: Identity.of(self.keepers[name].pid) for name in ("postgresql", "valkey")}
        self.embedded.state = Databases(
            urls=known.urls,
            postgres=found["postgresql"] or known.postgres,
            valkey=found["valkey"] or known.valkey,
            socket_directory=known.socket_directory,
        )
        self.embedded.state.write(self.var)

    def _pooler(self) -> Unit:
        """PgBouncer refuses to run as root; it runs as the one who owns PostgreSQL's socket."""
        postgres = next(server for server in self.embedded.servers if isinstance(server, Postgres))
        place = self.run / "pgbouncer"
        place.mkdir(mode=0o700)
        path = place / "pgbouncer.ini"
        values = {"postgres": str(postgres.socket_directory), "run": str(place), "limits": LIMITS.read_text()}
        path.write_text(fill("pgbouncer.ini", {**values, "port": str(POOLER_LISTEN), "pool": str(POOL)}))
        if postgres.user:
            for part in (place, path):
                os.chown(part, *postgres.user)
        return Unit("pgbouncer", ["pgbouncer", str(path)], user=postgres.user, stop_seconds=5.0, directory=place)

    async def _stop(self) -> None:
        order: list[list[str]] = [
            [name for name, keeper in self.keepers.items() if keeper.unit.tier in TIERS and not keeper.unit.balanced],
            [name for name, keeper in self.keepers.items() if keeper.unit.balanced],
            [name for name in ("nginx", "pgbouncer") if name in self.keepers],
            [name for name in ("postgresql", "valkey") if name in self.keepers],
        ]
        for names in order:
            await asyncio.gather(*(self.keepers[name].halt() for name in names))

    def find(self, names: Sequence[str]) -> list[str]:
        """`web.2`, or `web` for all of them, in the order of the table."""
        unknown = [
            name for name in names if not any(name in (known, known.partition(".")[0]) for known in self.keepers)
        ]
        if unknown:
            raise ClusterError(f"No {', '.join(unknown)} here. There are: {', '.join(self.keepers)}.")
        return [known for known in self.keepers if known in names or known.partition(".")[0] in names]

    async def status(self, request: dict[str, Any], _say: control.Say) -> list[dict[str, Any]]:
        """`memory` for people alone: it costs a tenth of a second of a core, and who waits asks ten times a second."""
        keepers = list(self.keepers.values())
        balanced = [keeper for keeper in keepers if keeper.unit.balanced and keeper.state == "running"]
        ready = dict(zip(balanced, await asyncio.gather(*(one.ready() for one in balanced)), strict=True))
        return await asyncio.to_thread(_rows, keepers, ready, with_memory=bool(request.get("memory")))

    async def kill(self, request: dict[str, Any], say: control.Say) -> None:
        number = signal.Signals[f"SIG{request['signal'].upper().removeprefix('SIG')}"]
        for name in self.find(request["names"]):
            reached = self.keepers[name].send(number)
            say(f"{name}: {number.name} to {', '.join(map(str, reached)) or 'nobody: it does not run'}")

    async def roll(self, request: dict[str, Any], say: control.Say) -> None:
        names = self.find(request["names"] or [tier for tier in ROLLED if self._has(tier)])
        if foreign := [name for name in names if self.keepers[name].unit.tier not in TIERS]:
            raise ClusterError(f"{', '.join(foreign)} cannot be rolled: there is one.")
        if self.rolling.locked():
            raise ClusterError("A rolling restart is under way.")
        async with self.rolling:
            await roll(names, keepers=self.keepers, balancer=self.balancer, say=say)

    async def change(self, request: dict[str, Any], _say: control.Say) -> None:
        """Environment of replicas from their next start on; null takes a variable away. For the fault tests."""
        for name in self.find(request["names"]):
            environment = self.keepers[name].environment
            environment.update({key: value for key, value in request["environment"].items() if value is not None})
            for key, value in request["environment"].items():
                if value is None:
                    environment.pop(key, None)

    def _has(self, tier: str) -> bool:
        return any(keeper.unit.tier == tier for keeper in self.keepers.values())

    async def down(self, _request: dict[str, Any], _say: control.Say) -> None:
        self.stopping.set()


def _rows(keepers: Sequence[Keeper], ready: Mapping[Keeper, bool], *, with_memory: bool) -> list[dict[str, Any]]:
    open_now = connections()
    rows = []
    for keeper in keepers:
        state = keeper.state
        if keeper.unit.balanced and state == "running":  # also one that began while the others were asked
            state = "ready" if ready.get(keeper) else "not ready"
        if keeper.pid and _is_frozen(keeper.pid):
            state = "frozen"
        port = keeper.unit.port
        rows.append(
            {
                "name": keeper.unit.name,
                "pid": keeper.pid,
                "state": state,
                "uptime": round(time.monotonic() - keeper.since),
                "memory": _memory(keeper.pid) if with_memory and keeper.pid else 0,
                "port": port,
                "connections": open_now.get(port, 0) if port else 0,
                "restarts": keeper.restarts,
            }
        )
    return rows


def _is_frozen(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False


def _memory(pid: int) -> int:
    """Bytes that would be free without it: pages shared by forked processes count once."""
    total = 0
    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def _difference(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if os.environ.get(name) != value}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(var: Path, port: int, counts: Mapping[str, int]) -> None:
    """Until SIGTERM, Ctrl-C or `script/cluster down`."""
    if not any(counts[tier] for tier in BALANCED) or not all(counts[tier] for tier in BALANCED):
        raise ClusterError("There must be at least one web and one realtime replica.")
    var.mkdir(parents=True, exist_ok=True)
    os.umask(0o077)
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(var)).write_text(f"process {os.getpid()}\n")
        place = stack.enter_context(socket_directory(var))
        if os.geteuid() == 0:
            place.chmod(0o711)  # PgBouncer's user passes; what lies in it is private by itself
        stack.callback((var / FILE).unlink, missing_ok=True)
        asyncio.run(_run(Cluster(var, place, port, counts), stack))


async def _run(cluster: Cluster, stack: contextlib.ExitStack) -> None:
    stack.callback(cluster.embedded.stop)
    cluster.start_databases()
    await cluster.serve()
