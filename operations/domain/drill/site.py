"""The replicas of a drill: servers of its own for the data, then the cluster of `script/cluster` on them."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import psycopg

from core.processes import spawn, wait_until
from deploy.cluster import control
from deploy.cluster.state import State
from deploy.cluster.units import ClusterError
from operations.domain.drill.errors import DrillError
from operations.domain.drill.place import ROOT, Place
from operations.domain.drill.scrubbing import check_marker

READY_SECONDS = 240.0
DOWN_SECONDS = 90.0
WARM_PAGES, WARM_SECONDS = 4, 30.0
TIERS = ("web", "realtime", "worker", "long", "sender", "transcoder", "ingest", "beat")
# All that the drill's processes get of the environment they are started from: never an address or a key of the site's.
KEPT = (
    "DATABASE_POOL_SIZE",
    "HOME",
    "LANG",
    "LANGUAGES",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PASSWORD_HASH_SLOTS",
    "PATH",
    "PYTHONPATH",
    "REALTIME_PROCESSES",
    "SHED_JOIN_MS",
    "SHED_READ_MS",
    "SITE_NAME",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
    "WEB_THREADS",
    "WEB_WORKERS",
)


def environment(place: Place, given: Mapping[str, str]) -> dict[str, str]:
    """Mail goes to a folder of the copy; no mail server, bucket, AWS account or error collector is known there."""
    kept = {name: given[name] for name in KEPT if given.get(name)}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "lms.settings",
        "DJANGO_ENV": "development",
        "DEBUG": "false",
        "DEMO": "0",
        "SHOW_SENT_MAIL": "false",
        "EMAIL_BACKEND": "lms.dev_mail.FolderBackend",
        **{f"MESSAGES_{channel}": "none" for channel in ("EMAIL", "SMS", "WHATSAPP", "PUSH")},
        "VAR_DIR": str(place.site),
        "STATIC_ROOT": str(place.static),
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }


class Databases:
    """PostgreSQL and Valkey of the drill alone, before the cluster runs: to be filled."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __enter__(self) -> dict[str, str]:
        self.place.site.mkdir(parents=True, mode=0o755)
        said = self._run("start")
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        return {name: found[name] for name in ("DATABASE_URL", "REDIS_URL")}

    def __exit__(self, *_error: object) -> None:
        self._run("stop")

    def _run(self, action: str) -> str:
        command = [sys.executable, "-m", "lms.embedded", action, str(self.place.site)]
        kept = environment(self.place, os.environ)
        done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DrillError(f"The databases of the copy do not {action}: {done.stderr.strip()[-2000:]}")
        return done.stdout


class Target(Protocol):
    """A site that a drill is played against."""

    place: Place
    url: str
    database_url: str
    replicas: Mapping[str, int]

    @property
    def environment(self) -> dict[str, str]:
        """Of a command beside its processes."""

    @property
    def pid(self) -> int:
        """Of the process that keeps its replicas, 0 where they are no business of ours."""

    def status(self) -> list[dict[str, Any]]: ...

    def ask(self, request: Mapping[str, Any], *, say: Callable[[str], None] = ...) -> Any: ...

    def is_whole(self) -> bool: ...

    def warm(self, path: str, session_key: str) -> None: ...

    def kept_back(self) -> int: ...

    def end(self) -> None: ...


class Elsewhere:
    """A staging site that runs already, on a drill's copy of the data. Its processes cannot be seen or broken."""

    def __init__(self, place: Place, *, url: str, given: Mapping[str, str]) -> None:
        self.place, self.url, self.given = place, url, given
        self.database_url = given["DATABASE_URL"]
        self.replicas: Mapping[str, int] = {}
        place.site.mkdir(parents=True, mode=0o755)
        with psycopg.connect(self.database_url, connect_timeout=10) as connection:
            check_marker(connection)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if os.environ.get(name)}
        return kept | {"DJANGO_SETTINGS_MODULE": "lms.settings", "VAR_DIR": str(self.place.site)} | dict(self.given)

    @property
    def pid(self) -> int:
        return 0

    def status(self) -> list[dict[str, Any]]:
        return []

    def ask(self, request: Mapping[str, Any], *, say: Callable[[str], None] = lambda _text: None) -> Any:
        raise ClusterError(f"{self.url} is not ours to break: {request['do']}")

    def is_whole(self) -> bool:
        return True

    def warm(self, path: str, session_key: str) -> None:
        """It runs since longer than a moment."""

    def kept_back(self) -> int:
        return 0

    def end(self) -> None:
        """It goes on."""


def read_environment(path: Path) -> dict[str, str]:
    """`NAME=value` lines, as for Docker and systemd; what a staging site's processes are started with."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except OSError as error:
        raise DrillError(f"{path} cannot be read: {error.strerror}") from error
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if missing := [name for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") if not found.get(name)]:
        raise DrillError(f"{path} does not say {', '.join(missing)}: sessions are made with them.")
    return {name: value.strip("\"'") for name, value in found.items()}


class Site:
    """The cluster of a drill. It ends with this process, whatever happens to that."""

    def __init__(self, place: Place, *, replicas: Mapping[str, int], port: int) -> None:
        self.place = place
        self.replicas: Mapping[str, int] = {tier: replicas.get(tier, 0) for tier in TIERS}
        self.log = place.site / "cluster.log"
        command = [sys.executable, "-m", "deploy.cluster", f"--directory={place.site}", "up", "--foreground"]
        with self.log.open("wb") as output:
            self.process = spawn(
                [*command, f"--port={port}", *(f"--{tier}={count}" for tier, count in self.replicas.items())],
                directory=ROOT,
                environment=environment(place, os.environ),
                output=output,
                death_signal=signal.SIGTERM,
            )
        self.state = self._wait()
        # By its number: a name may lead to another address family, where somebody else listens.
        self.url = f"http://127.0.0.1:{self.state.ports['nginx']}"
        self.database_url = self.state.direct["DATABASE_URL"]

    def _wait(self) -> State:
        def is_up() -> bool:
            state = State.read(self.place.site)
            return self.process.poll() is not None or bool(state and state.ready)

        wait_until(is_up, seconds=READY_SECONDS, every=0.1)
        state = State.read(self.place.site)
        if self.process.poll() is None and state is not None and state.ready:
            return state
        self.end()
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        raise DrillError("The replicas of the drill do not start:\n" + "\n".join(lines))

    @property
    def environment(self) -> dict[str, str]:
        """Of a command in the copy, past PgBouncer."""
        return environment(self.place, os.environ) | self.state.direct

    @property
    def pid(self) -> int:
        return self.process.pid

    def warm(self, path: str, session_key: str) -> None:
        """A few pages before anybody looks at the clock: replicas that started a second ago are no measure of any."""
        for _ in range(WARM_PAGES * self.replicas["web"]):
            line = http.client.HTTPConnection("127.0.0.1", self.state.ports["nginx"], timeout=WARM_SECONDS)
            try:
                line.request("GET", path, headers={"Cookie": f"sessionid={session_key}"})
                line.getresponse().read()
            except (OSError, http.client.HTTPException):
                return  # the crowd will meet it, and say so
            finally:
                line.close()

    def ask(self, request: Mapping[str, Any], *, say: Callable[[str], None] = lambda _text: None) -> Any:
        return control.ask(self.state.control, request, say=say)

    def status(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.ask({"do": "status"})
        return rows

    def is_whole(self) -> bool:
        try:
            return all(row["state"] in {"ready", "running"} for row in self.status())
        except ClusterError:
            return False

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DOWN_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()  # the kernel ends its children with it
                self.process.wait(DOWN_SECONDS)

    def kept_back(self) -> int:
        """Messages that the copy wanted to send."""
        return sum(1 for _ in self.place.mail.glob("*.eml"))


def media_folder(place: Place) -> Path:
    return place.site / "media"
