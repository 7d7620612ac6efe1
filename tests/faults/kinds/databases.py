"""What all replicas share: PostgreSQL, its disk, and Valkey."""

import shutil
import time

import psycopg
import redis

from core.processes import wait_until
from tests.faults.kinds.registry import DidNotBiteError, Fault, Stage, fault

PATIENCE = 120.0


@fault("valkey killed and empty", touches="valkey", lasts=(3, 1))
class EmptiedValkey(Fault):
    """Frozen first, so that it cannot write its file once more."""

    def strike(self) -> None:
        with redis.Redis.from_url(self.site.environment["REDIS_URL"]) as client:
            self.marker = f"faults:{self.rng.random()}"
            client.set(self.marker, "here")
        self.before = self.site.table()
        self.site.signal(["valkey"], "STOP")
        shutil.rmtree(self.site.valkey_files)
        self.site.kill("valkey")

    def mend(self) -> None:
        self.site.wait_for_new(self.before, ["valkey"])

        def is_empty() -> bool:
            try:
                with redis.Redis.from_url(self.site.environment["REDIS_URL"], socket_timeout=5) as client:
                    return client.get(self.marker) is None
            except (redis.ConnectionError, redis.TimeoutError):
                return False

        if not wait_until(is_empty, seconds=PATIENCE):
            raise DidNotBiteError("Valkey still has what it had.")


@fault("valkey paused", touches="valkey", lasts=(20, 3))
class PausedValkey(Fault):
    """It takes connections, and answers nobody."""

    def strike(self) -> None:
        self.site.signal(["valkey"], "STOP")

    def mend(self) -> None:
        self.site.signal(["valkey"], "CONT")


@fault("postgresql stopped", touches="postgresql", lasts=(3, 1))
class StoppedPostgres(Fault):
    """The immediate stop: no checkpoint, recovery at the next start."""

    def strike(self) -> None:
        self.before = self.site.table()
        self.site.signal(["postgresql"], "QUIT")

    def mend(self) -> None:
        self.site.wait_for_new(self.before, ["postgresql"])


@fault("postgresql frozen", touches="postgresql", lasts=(30, 3))
class FrozenPostgres(Fault):
    def strike(self) -> None:
        self.site.signal(["postgresql"], "STOP")

    def mend(self) -> None:
        self.site.signal(["postgresql"], "CONT")


@fault("disk full", touches="postgresql", lasts=(5, 2))
class FullDisk(Fault):
    """PostgreSQL's disk has no byte left: rows that need a new page are refused, and so is a new piece of its log."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.site.disk.ballast  # noqa: B018  # before anything is broken: says why no disk can be filled here

    def strike(self) -> None:
        with self.site.connect(autocommit=True) as database:
            database.execute("CREATE TABLE IF NOT EXISTS faults_filler (words text)")
        self.site.disk.fill()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                with self.site.connect(autocommit=True) as database:
                    database.execute("INSERT INTO faults_filler SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
            except psycopg.errors.DiskFull:
                return
            except psycopg.OperationalError:  # it may have crashed over a new piece of its log
                if self.site.disk.has_bitten(self.site.directory / "log"):
                    return
                time.sleep(0.1)
        raise DidNotBiteError("PostgreSQL goes on writing on a full disk.")

    def mend(self) -> None:
        self.site.disk.free()

        def answers() -> bool:
            try:
                with self.site.connect(autocommit=True) as database:
                    database.execute("DROP TABLE IF EXISTS faults_filler")
            except psycopg.OperationalError:
                return False
            return True

        assert wait_until(answers, seconds=PATIENCE, every=0.2), "PostgreSQL does not come back from a full disk"
