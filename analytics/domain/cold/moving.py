"""Moves whole old months of playback reports out of the database, so that each row is in one place at every moment.

    1  the month's part is read in one snapshot and written to a file, with a fingerprint of what was read
    2  the file goes to the private storage, under a name made of its content, and is read back from there
    3  one transaction: nothing has changed since (the fingerprint), what pages need of each player is written down,
       the part is detached, `ColdFile` says where it is
    4  the file is read back once more, and the detached part is dropped

Whoever dies before 3 leaves the rows in the database, and at worst a file that nothing refers to, which is removed a
day later. Whoever dies after it leaves a table that nobody reads, which the next run drops. Should the file be gone or
damaged by then, the part is attached again.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.files import File
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, OuterRef
from psycopg import sql

from accounts.domain.erasure import NOWHERE
from analytics.domain import partitions
from analytics.domain.cold import files
from analytics.domain.cold.files import ColdFileError, Written
from analytics.models import ColdFile, PlaybackReport, PlayerSummary
from core.logging import get_logger
from media.storages import media_storage
from webinars.models import PlaySession

log = get_logger("analytics")
TABLE = PlaybackReport._meta.db_table
LEAST_MONTHS = 2  # between a month and the present one: nothing is told of a player that was opened a week ago
ORPHAN_AGE = timedelta(days=1)  # longer than a move takes
_COLUMNS = ", ".join(
    {"session": "session_id", "webinar": "webinar_id", "replayed": "replayed::text"}.get(name, name)
    for name in files.COLUMNS
)
SUMMARISE = """
INSERT INTO analytics_playersummary (session_id, phase, webinar_id, month, device, replayed)
SELECT session_id, phase, min(webinar_id), {month}, min(device), range_agg(replayed)
FROM {part} GROUP BY session_id, phase
"""
# Of rows as text, whatever their order.
_FINGERPRINT = "SELECT count(*), coalesce(sum(hashtextextended(p::text, 0)::numeric), 0)::text FROM {} AS p"


@dataclass(frozen=True, slots=True)
class Month:
    """`outcome`: moved, would be moved, empty; busy, changed, damaged: for another time; attached again: why."""

    month: date
    rows: int
    outcome: str
    key: str = ""


class _ChangedError(Exception):
    """Rows of the month were added or deleted while it was being written."""


_OUTCOMES: dict[type[Exception], str] = {_ChangedError: "changed", ColdFileError: "damaged", OperationalError: "busy"}


def move(*, older_than: int, now: datetime, dry_run: bool = False) -> Iterator[Month]:
    """Each month as it is done, the oldest first. `older_than` months lie between it and the present one."""
    if older_than < LEAST_MONTHS:
        raise ValueError(f"{LEAST_MONTHS} months at least stay in the database.")
    last = partitions.next_month(partitions.month_of(now), -older_than)
    if not dry_run:
        partitions.keep(now=now)
        remove_orphans(now=now)
        for cold in ColdFile.objects.filter(table=TABLE).order_by("month"):
            if _is_detached(cold.month):
                yield _finish(cold)
    for month in partitions.months_of(PlaybackReport):
        if month < last:
            yield _would(month) if dry_run else _move(month, now=now)


def _would(month: date) -> Month:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_part(month)))
        return Month(month, cursor.fetchone()[0], "would be moved")


def _move(month: date, *, now: datetime) -> Month:
    with tempfile.TemporaryDirectory(prefix="lms-cold-") as folder:
        path = Path(folder) / "rows.parquet"
        written, fingerprint = _write(path, month)
        if not written.rows:
            return Month(month, 0, "empty")
        cold = ColdFile(
            table=TABLE,
            month=month,
            key=files.key_of(TABLE, month, written.sha256),
            rows=written.rows,
            sha256=written.sha256,
            moved_at=now,
        )
        _store(cold, path)
    try:
        files.check(cold, content=written.content)
        _switch(cold, fingerprint)
    except (_ChangedError, ColdFileError, OperationalError) as problem:
        media_storage().delete(cold.key)
        log.warning("analytics.month_not_moved", month=f"{month:%Y-%m}", reason=str(problem))
        return Month(month, written.rows, next(word for kind, word in _OUTCOMES.items() if isinstance(problem, kind)))
    return _finish(cold)


def _write(path: Path, month: date) -> tuple[Written, tuple[int, str]]:
    with ExitStack() as stack:
        stack.enter_context(transaction.atomic())
        cursor = stack.enter_context(connection.cursor())
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        fingerprint = _fingerprint(month)
        rows = stack.enter_context(connection.chunked_cursor())
        query = sql.SQL("SELECT {} FROM {} ORDER BY session_started_at, session_id, number")
        rows.execute(query.format(sql.SQL(_COLUMNS), _part(month)))
        return files.write(path, _each(rows)), fingerprint


def _each(cursor: Any) -> Iterator[files.Row]:
    while rows := cursor.fetchmany(files.PIECE):
        yield from rows


def _fingerprint(month: date) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute(sql.SQL(_FINGERPRINT).format(_part(month)))
        number, text = cursor.fetchone()
        return number, text


def _store(cold: ColdFile, path: Path) -> None:
    storage = media_storage()
    with path.open("rb") as file:
        stored = storage.save(cold.key, File(file))
    if stored != cold.key:
        storage.delete(stored)
        raise ColdFileError(f"{cold.key} is there already")


@transaction.atomic
def _switch(cold: ColdFile, fingerprint: tuple[int, str]) -> None:
    """The rows leave the table in the moment in which the file counts. Readers see them in one of both places.

    The part alone is locked while it is counted: a month that is over is read, and not written. The table is locked
    for the blink in which the part leaves it, and whoever waits longer than others like lets it be for this time.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{partitions.LOCK_WAIT}'")
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(_part(cold.month)))
        if _fingerprint(cold.month) != fingerprint:
            raise _ChangedError("rows were added or deleted meanwhile")
        month = sql.Literal(cold.month)
        cursor.execute(sql.SQL(SUMMARISE).format(month=month, part=_part(cold.month)))
        cursor.execute(sql.SQL("SELECT array_agg(DISTINCT webinar_id) FROM {}").format(_part(cold.month)))
        (cold.webinars,) = cursor.fetchone()
        table = sql.Identifier(TABLE)
        cursor.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(table, _part(cold.month)))
        cold.save(force_insert=True)


def _finish(cold: ColdFile) -> Month:
    """Drops the detached part, where the file is what it should be."""
    try:
        files.check(cold)
    except ColdFileError as problem:
        log.exception("analytics.cold_file_lost", key=cold.key)
        _attach_again(cold)
        return Month(cold.month, cold.rows, f"attached again: {problem}", cold.key)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{partitions.LOCK_WAIT}'")
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_part(cold.month)))
    except OperationalError as problem:  # a backup reads it: the next run drops it
        log.warning("analytics.part_not_dropped", month=f"{cold.month:%Y-%m}", reason=str(problem))
    return Month(cold.month, cold.rows, "moved", cold.key)


@transaction.atomic
def _attach_again(cold: ColdFile) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{partitions.LOCK_WAIT}'")
        partitions.attach(PlaybackReport, month=cold.month)
    _forget_erased(cold.month)
    PlayerSummary.objects.filter(month=cold.month).delete()
    cold.delete()


def _forget_erased(month: date) -> None:
    """Who was erased while the part was detached is in it still: erasure saw the table only."""
    known = PlaySession.objects.filter(pk=OuterRef("session")).exclude(user__email__endswith=f"@{NOWHERE}")
    start, end = files.midnight(month), files.midnight(partitions.next_month(month))
    PlaybackReport.objects.filter(~Exists(known), session_started_at__gte=start, session_started_at__lt=end).delete()


def _is_detached(month: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT relispartition FROM pg_class WHERE oid = to_regclass(%s)",
            [partitions.name_of(PlaybackReport, month)],
        )
        row = cursor.fetchone()
        return bool(row and row[0])


def remove_orphans(*, now: datetime) -> int:
    """Files that nothing refers to: of a run that died before the rows left the database."""
    storage, folder = media_storage(), files.folder_of(TABLE)
    try:
        _, names = storage.listdir(folder)
    except FileNotFoundError:
        return 0
    known = set(ColdFile.objects.filter(table=TABLE).values_list("key", flat=True))
    orphans = [key for key in (f"{folder}/{name}" for name in names) if key not in known]
    old = [key for key in orphans if storage.get_modified_time(key) < now - ORPHAN_AGE]
    for key in old:
        storage.delete(key)
    return len(old)


def verify() -> Iterator[tuple[ColdFile, str]]:
    """Each file, and what is wrong with it; empty where nothing is."""
    for cold in ColdFile.objects.order_by("table", "month"):
        problem = ""
        try:
            files.check(cold)
        except ColdFileError as found:
            problem = str(found)
        yield cold, problem


def _part(month: date) -> sql.Identifier:
    return sql.Identifier(partitions.name_of(PlaybackReport, month))
