"""A backup: pg_dump and the counts of every table, both of the same snapshot, while the site goes on."""

import time
from datetime import UTC, datetime, timedelta

import psycopg

from core.logging import get_logger
from operations.domain.backups import contents
from operations.domain.backups.errors import BackupError
from operations.domain.backups.manifest import Manifest, sha256_of, site_name
from operations.domain.backups.programs import Parameters, find_program, run_program, version_of
from operations.domain.backups.stores import Store

log = get_logger("operations")
LOCK = 0x524F554E4453  # any number that is ours alone
# The connection waits within its transaction while pg_dump works: by the site's own limits, for a minute at most.
NO_LIMITS = "-c idle_in_transaction_session_timeout=0 -c statement_timeout=0"
HALF_KEPT = timedelta(days=1)  # far longer than the moment between a dump and its manifest
LOCK_WAIT = "30s"  # for a migration that has a table; longer, and everybody would queue behind the backup


def make_backup(*, source: Parameters, store: Store, keep: int, now: datetime) -> Manifest:
    """The newest `keep` backups stay; older ones go only when this one is complete. Raises BackupError.

    PgBouncer must not stand between: the exported snapshot belongs to one session.
    """
    if keep < 1:
        raise BackupError("At least one backup must be kept.")
    name = f"rounds-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if name in store.names():
        raise BackupError(f"There is a backup {name} already.")
    try:
        manifest = _dump(name, source=source, store=store, now=now)
    except psycopg.Error as error:
        raise BackupError(f"The database does not answer as it should: {error}") from error
    for old in store.names()[:-keep]:
        store.remove(old)
        log.info("backup.removed", name=old)
    for half in store.halves(before=now - HALF_KEPT):
        store.remove(half)
        log.warning("backup.half_removed", name=half)
    log.info("backup.made", name=name, bytes=manifest.bytes, seconds=manifest.seconds)
    return manifest


def _dump(name: str, *, source: Parameters, store: Store, now: datetime) -> Manifest:
    started = time.monotonic()
    patient = dict(source) | {
        "options": f"{source.get('options', '')} {NO_LIMITS}".strip(),
        "connect_timeout": 10,
        "application_name": "backup",
    }
    with psycopg.connect(**patient) as connection, store.work() as path:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        if not _one(connection, "SELECT pg_try_advisory_xact_lock(%s)", LOCK):
            raise BackupError("Another backup of this database is being made.")
        version = connection.info.server_version
        program = find_program("pg_dump", at_least=version // 10_000)
        run_program(
            program,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={_one(connection, 'SELECT pg_export_snapshot()')}",
            f"--lock-wait-timeout={LOCK_WAIT}",
            f"--file={path}",
            parameters=patient,  # pg_dump lifts the limits itself, but not before its first question
        )
        found = contents.read_contents(connection, checksums_of=contents.acknowledged_tables())
        manifest = Manifest(
            name=name,
            made_at=now.astimezone(UTC).isoformat(),
            seconds=round(time.monotonic() - started, 2),
            site=site_name(),
            server_version=version,
            dump_version=version_of(program),
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
            migrations=found.migrations,
            rows=found.rows,
            checksums=found.checksums,
            media=contents.media_places(connection),
        )
        store.put(name, dump=path, manifest=manifest.to_text())
    return manifest


def _one(connection: contents.Connection, query: str, *values: object) -> object:
    row = connection.execute(query.encode(), values).fetchone()
    return row[0] if row else None
