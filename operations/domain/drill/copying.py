"""The copy of the data: pg_dump into pg_restore, so that nothing of it lies on a disk but in the copy's own server."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from operations.domain.backups.errors import BackupError
from operations.domain.backups.programs import find_program
from operations.domain.drill.errors import DrillError
from operations.domain.drill.scrubbing import LEFT_OUT, scrub

Parameters = Mapping[str, Any]
ROOM = 2.5  # a restored database with its write-ahead log and the rows of a drill, times the size of the original
SPARE_BYTES = 512 * 2**20
LOCK_WAIT = "30s"  # for a migration that has a table; longer, and everybody would queue behind the copy


@dataclass(frozen=True)
class Copied:
    bytes: int
    seconds: float


def copy_database(*, source: Parameters, into: Parameters, now: datetime) -> Copied:
    """`into` is an empty database of another server. The source is only read, by one connection. Raises DrillError.

    PgBouncer must not stand before the source: pg_dump changes its session's search path, and the pooler would hand
    that session on to the site.
    """
    began = time.monotonic()
    try:
        with psycopg.connect(**source, connect_timeout=10) as here, psycopg.connect(**into, autocommit=True) as there:
            size = _size(here)
            _check_servers(here, there)
            if (folder := _data_directory(there)).is_dir():  # on this machine
                check_space(folder, needed=round(size * ROOM) + SPARE_BYTES)
            major = here.info.server_version // 10_000
        _pipe(source, into, major=major)
        with psycopg.connect(**into, autocommit=True) as copy:
            scrub(copy, now=now)
            copy.execute("ANALYZE")  # a dump has no statistics; the first queries would be planned blindly
    except (psycopg.Error, BackupError) as error:
        raise DrillError(f"The data could not be copied: {error}") from error
    return Copied(size, round(time.monotonic() - began, 1))


def check_space(folder: Path, *, needed: int) -> None:
    """Before anything is written: a full disk would stop the site itself."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DrillError(
            f"The drill needs {needed / 2**30:.1f} GiB on the disk of {folder}, and {free / 2**30:.1f} GiB are free."
        )


def _size(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0


def _data_directory(connection: "psycopg.Connection[Any]") -> Path:
    row = connection.execute("SHOW data_directory").fetchone()
    return Path(row[0]) if row else Path()


def _check_servers(here: "psycopg.Connection[Any]", there: "psycopg.Connection[Any]") -> None:
    """Another server, by what it says of itself: two names may lead to one."""
    query = "SELECT system_identifier::text FROM pg_control_system()"
    if here.execute(query).fetchone() == there.execute(query).fetchone():
        raise DrillError("The copy would lie in the site's own database server. A drill needs one of its own.")
    if there.info.server_version // 10_000 < here.info.server_version // 10_000:
        raise DrillError(
            f"The site's PostgreSQL is {here.info.server_version // 10_000}, "
            f"the one for the copy {there.info.server_version // 10_000}: it cannot take the data."
        )
    row = there.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if row and row[0]:
        raise DrillError(f"The database {there.info.dbname} for the copy is not empty.")


def _pipe(source: Parameters, into: Parameters, *, major: int) -> None:
    dump, restore = find_program("pg_dump", at_least=major), find_program("pg_restore", at_least=major)
    left_out = [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    plain = ("--no-owner", "--no-privileges")
    reading = [str(dump), "--format=custom", "--compress=0", *plain, f"--lock-wait-timeout={LOCK_WAIT}", *left_out]
    writing = [str(restore), "--exit-on-error", "--single-transaction", *plain]
    with tempfile.TemporaryFile() as said_here, tempfile.TemporaryFile() as said_there:
        reader = subprocess.Popen(
            [*reading, _address(source)], env=_environment(source), stdout=subprocess.PIPE, stderr=said_here
        )
        try:
            done = subprocess.run(
                [*writing, _address(into)], env=_environment(into), stdin=reader.stdout, stderr=said_there, check=False
            )
        finally:
            if reader.stdout:
                reader.stdout.close()  # whoever writes to nobody ends
            status = reader.wait()
        for name, code, said in (("pg_dump", status, said_here), ("pg_restore", done.returncode, said_there)):
            if code:
                said.seek(0)
                raise DrillError(f"{name} failed: {said.read().decode(errors='replace').strip()[-2000:]}")


def _address(parameters: Parameters) -> str:
    """The password goes by the environment: command lines are everybody's to read."""
    return "--dbname=" + make_conninfo(**{name: value for name, value in parameters.items() if name != "password"})


def _environment(parameters: Parameters) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "PGPASSWORD": str(parameters.get("password", ""))}
