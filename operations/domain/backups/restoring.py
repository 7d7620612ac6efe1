"""A restore goes into a fresh database, is compared with the manifest, and only then takes the wanted name.

So whatever goes wrong, and wherever the plug is pulled, the database with the wanted name is either the old or the
whole new one. It needs a role that may create databases.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db.migrations.loader import MigrationLoader
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from core.logging import get_logger
from operations.domain.backups import contents
from operations.domain.backups.errors import BackupError, NotABackupError, NotEmptyError, NotTheSameError
from operations.domain.backups.manifest import Manifest, check_file, read_manifest
from operations.domain.backups.programs import Parameters, find_program, run_program
from operations.domain.backups.space import check_space
from operations.domain.backups.stores import Store

log = get_logger("operations")
NAME_LIMIT = 63
MOST_JOBS = 4
_TABLES_OF_PEOPLE = """
SELECT count(*) FROM pg_tables WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\\_%'
"""


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    kept_as: str  # the name that the database which was there has now; empty when there was none, or it was empty
    missing_migrations: list[str]  # the code has them, the backup not: `manage.py migrate` comes next


def parameters_of_url(url: str) -> dict[str, Any]:
    try:
        parameters = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        raise BackupError("The address of the database cannot be read: postgresql://user:password@host/name") from error
    if not parameters.get("dbname"):
        raise BackupError("The address names no database: postgresql://user:password@host/name")
    return parameters


def restore_backup(
    *, store: Store, name: str, into: Parameters, replace: bool, trusted: bool, now: datetime
) -> Restored:
    """`replace`: a database that holds something is set aside under another name, not deleted. Raises BackupError."""
    manifest = read_manifest(store.read_manifest(name), trusted=trusted)
    missing = _missing_migrations(manifest)
    target = str(into["dbname"])
    aside = f"{target[: NAME_LIMIT - 24]}_before_{now.astimezone(UTC):%Y%m%d%H%M%S}"
    with _errors_in_words(), _maintenance(into) as maintenance:
        is_there = _exists(maintenance, target)
        visitors = _visitors(maintenance, target)  # before a connection of our own, which lingers for a moment
        is_used = is_there and _tables(into) > 0
        if is_used and not replace:
            raise NotEmptyError(f"The database {target} is not empty. --replace sets it aside under another name.")
        if visitors:  # said before an hour of restoring, not after it: a database in use cannot be renamed
            raise NotEmptyError(f"{visitors} connections to {target} are open: stop all processes of the site first.")
        with fresh_copy(store=store, manifest=manifest, beside=into) as scratch:
            if is_used:
                _rename(maintenance, target, aside)
            elif is_there:
                maintenance.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(target)))
            try:
                _rename(maintenance, scratch, target)
            except psycopg.Error:
                if is_used:
                    _rename(maintenance, aside, target)
                raise
    log.info("backup.restored", name=name, into=target, kept_as=aside if is_used else "")
    return Restored(manifest, aside if is_used else "", missing)


def try_backup(*, store: Store, name: str, beside: Parameters) -> Manifest:
    """Restores into a database that is dropped again: the proof that a backup is one. Raises BackupError."""
    manifest = read_manifest(store.read_manifest(name))
    with _errors_in_words():
        check_space(store=store, manifest=manifest, beside=beside)
    with _errors_in_words(), fresh_copy(store=store, manifest=manifest, beside=beside):
        return manifest


@contextlib.contextmanager
def fresh_copy(*, store: Store, manifest: Manifest, beside: Parameters) -> Iterator[str]:
    """The name of a new database that holds exactly what was backed up. Dropped in the end, unless it was renamed."""
    with store.local_dump(manifest.name) as dump, _maintenance(beside) as maintenance:
        check_file(manifest, dump)
        server = maintenance.info.server_version // 10_000
        if server < manifest.server_version // 10_000:
            raise BackupError(
                f"The backup is of PostgreSQL {manifest.server_version // 10_000}, this server is {server}."
            )
        program = find_program("pg_restore", at_least=int(manifest.dump_version.partition(".")[0]))
        try:
            run_program(program, "--list", str(dump))
        except BackupError as error:
            raise NotABackupError(f"The file is no dump of PostgreSQL: {error}") from error
        name = f"{str(beside['dbname'])[: NAME_LIMIT - 18]}_restoring_{secrets.token_hex(3)}"
        try:  # also when it is interrupted while the database is being made
            maintenance.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
            _fill(program, dump, dict(beside) | {"dbname": name})
            _compare(manifest, dict(beside) | {"dbname": name})
            yield name
        finally:
            maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _fill(program: Path, dump: Path, parameters: Parameters) -> None:
    jobs = min(MOST_JOBS, os.cpu_count() or 1)
    options = ("--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={jobs}")
    run_program(program, *options, str(dump), parameters=parameters)


def _compare(manifest: Manifest, parameters: Parameters) -> None:
    with psycopg.connect(**parameters, autocommit=True) as connection:
        found = contents.read_contents(connection, checksums_of=manifest.checksums)
        if lines := contents.differences(manifest.contents, found):
            more = f" … and {len(lines) - 10} more" if len(lines) > 10 else ""
            raise NotTheSameError("What was restored is not what was backed up: " + "; ".join(lines[:10]) + more)
        connection.execute("ANALYZE")  # a dump has no statistics; the first queries would be planned blindly


def _missing_migrations(manifest: Manifest) -> list[str]:
    """A backup of a newer release holds what this code would misunderstand."""
    on_disk = MigrationLoader(None).disk_migrations
    ours = {f"{app}.{name}" for app, name in on_disk}
    labels = {name.partition(".")[0] for name in ours}
    foreign = [name for name in manifest.migrations if name.partition(".")[0] not in labels]
    newer = [name for name in manifest.migrations if name not in ours and name not in foreign]
    if foreign or not manifest.migrations:
        raise NotABackupError(f"The backup is of another product: {', '.join(foreign[:5]) or 'no migrations'}.")
    if newer:
        raise BackupError(f"The backup is of a newer release ({', '.join(newer[:5])}): restore it with that one.")
    # Whoever ran a squashed one has its steps on record too; whoever ran the steps may have only these.
    steps = {f"{app}.{name}" for (app, name), migration in on_disk.items() if not migration.replaces}
    return sorted(steps - set(manifest.migrations))


@contextlib.contextmanager
def _maintenance(parameters: Parameters) -> Iterator[contents.Connection]:
    """A database can be neither made nor renamed from inside; `postgres` is on every server, RDS included."""
    with psycopg.connect(**(dict(parameters) | {"dbname": "postgres"}), autocommit=True, connect_timeout=10) as found:
        yield found


@contextlib.contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise BackupError("The role may not create databases; restoring needs CREATEDB.") from error
    except psycopg.errors.ObjectInUse as error:
        raise NotEmptyError(f"Somebody uses the database: stop all processes of the site first. {error}") from error
    except psycopg.Error as error:
        raise BackupError(f"The database does not answer as it should: {error}") from error


def _exists(maintenance: contents.Connection, name: str) -> bool:
    return maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _tables(parameters: Parameters) -> int:
    with psycopg.connect(**parameters, autocommit=True, connect_timeout=10) as connection:
        row = connection.execute(_TABLES_OF_PEOPLE).fetchone()
    return int(row[0]) if row else 0


def _visitors(maintenance: contents.Connection, name: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
    row = maintenance.execute(query, [name]).fetchone()
    return int(row[0]) if row else 0


def _rename(maintenance: contents.Connection, old: str, new: str) -> None:
    maintenance.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))
