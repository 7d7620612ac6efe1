"""The replica set that is broken, and the ways in which the faults reach it."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from core.processes import wait_until
from tests.cluster.site import Site
from tests.faults.disk import Disk, disk
from tests.reminders.transports.servers import MailServer, mail_server

PATIENCE = 150.0


class Replicas(Site):
    counts: ClassVar[dict[str, int]] = {
        "web": 2, "realtime": 2, "worker": 1, "long": 0, "sender": 2, "transcoder": 0, "ingest": 0, "beat": 2,
    }  # fmt: skip

    def __init__(self, directory: Path, room: Disk, mail: MailServer) -> None:
        more = {"MESSAGES_EMAIL": "smtp", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail.port)}
        more |= {"MESSAGES_EMAIL_RATE": "10000", "MESSAGES_TIMEOUT": "2"}
        super().__init__(directory, viewers=0, more=more)
        self.disk = room
        self.mail = mail

    def populate(self, count: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.nursery.run("tests.faults.population", str(count)).splitlines()[-1])
        return found

    def signal(self, names: Sequence[str], signal: str) -> None:
        self.ask(do="kill", names=list(names), signal=signal)

    def kill(self, *names: str) -> None:
        self.signal(names, "KILL")

    def of(self, tier: str) -> list[str]:
        return [name for name in self.table() if name.partition(".")[0] == tier]

    def wait_for_new(self, before: dict[str, dict[str, Any]], names: Sequence[str]) -> None:
        """Until each of them is another process than before, and does its work."""

        def are_back() -> bool:
            table = self.table()
            return all(
                table[name]["state"] in {"ready", "running"} and table[name]["pid"] not in {0, before[name]["pid"]}
                for name in names
            )

        assert wait_until(are_back, seconds=PATIENCE, every=0.1), f"{', '.join(names)} did not come back"

    def is_whole(self) -> bool:
        return all(row["state"] in {"ready", "running"} for row in self.table().values())

    def wait_until_whole(self) -> None:
        assert wait_until(self.is_whole, seconds=PATIENCE, every=0.1), self.table()

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """Past PgBouncer."""
        return psycopg.connect(self.database_url, connect_timeout=5, **options)

    @property
    def valkey_files(self) -> Path:
        return self.directory / "valkey" / "appendonlydir"


@contextlib.contextmanager
def replicas(directory: Path) -> Iterator[Replicas]:
    """In an empty directory that is removed, unless the block fails. Takes its ports and processes along."""
    with disk(directory) as room, mail_server() as mail:
        site = Replicas(directory, room, mail)
        try:
            yield site
        finally:
            room.free()
            site.end()
            forget_clocks()


def scratch() -> Path:
    """PostgreSQL's user passes through it, unless a disk was mounted for it."""
    directory = Path(tempfile.mkdtemp(prefix="lms-faults-"))
    directory.chmod(0o755)
    return directory


def remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def forget_clocks() -> None:
    """What libfaketime leaves in shared memory when its program is killed; the number in the name is the process."""
    for path in Path("/dev/shm").glob("*faketime*"):
        owner = path.name.rpartition("_")[2]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError):
                path.unlink()
