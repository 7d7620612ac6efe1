"""One month of playback reports as a Parquet file, in which nobody is: written and read in pieces, never all at once.

A play session is another random one there, drawn with a key that is thrown away: which reports are of one player can
be seen, whose it was cannot, and no file has to be written again when somebody is erased. For the same reason times are
cut to the day on which the player was opened and to the minute in which a report came; figures need no more.
"""

import hashlib
import hmac
import secrets
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.storage import Storage

from analytics.models import ColdFile
from media.storages import media_storage

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 20_000  # rows of a group: what is in memory at once
CHUNK = 1 << 20
# As `moving` selects them; the first two are made coarse, the third is replaced.
COLUMNS = (
    "session_started_at", "received_at", "session", "number", "webinar", "phase", "country", "device", "network",
    "start_ms", "play_ms", "stall_ms", "stalls", "kbits", "errors", "error_kind", "replayed",
)  # fmt: skip
Row = tuple[Any, ...]


class ColdFileError(OSError):
    """The file is not what was put there; the message says how."""


@dataclass(frozen=True, slots=True)
class Written:
    """`content`: of the rows in their order, as they can be read from the file again."""

    rows: int
    sha256: str
    content: str


def _schema() -> "pa.Schema":
    import pyarrow as pa  # a fifth of a second, which no page needs to spend

    small, text = pa.int32(), pa.string()
    kinds = (
        pa.date32(), pa.timestamp("s", tz="UTC"), pa.string(), small, pa.int64(), text, text, text, text,
        small, small, small, small, pa.int64(), small, text, text,
    )  # fmt: skip
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def write(path: Path, rows: Iterable[Row]) -> Written:
    """`rows` have the columns of the database: moments, the session's id, ranges as PostgreSQL writes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, key = _schema(), secrets.token_bytes(32)
    seen, number = hashlib.sha256(), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in _pieces(_nameless(row, key) for row in rows):
            for row in piece:
                seen.update(repr(row).encode())
            number += len(piece)
            arrays = [
                pa.array(column, field.type) for column, field in zip(zip(*piece, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return Written(number, _sha256(path), seen.hexdigest())


def _nameless(row: Row, key: bytes) -> Row:
    opened, received, session, *rest = row
    other = uuid.UUID(bytes=hmac.digest(key, session.bytes, "sha256")[:16])
    minute = received.astimezone(UTC).replace(second=0, microsecond=0, fold=0)
    return (opened.astimezone(UTC).date(), minute, str(other), *rest)


def _pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    for row in rows:
        piece.append(row)
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def key_of(table: str, month: date, sha256: str) -> str:
    """By its content: no file is ever written over."""
    return f"{folder_of(table)}/{month:%Y-%m}-{sha256[:16]}.parquet"


def folder_of(table: str) -> str:
    return f"cold/{table}"


def check(cold: ColdFile, *, content: str = "") -> None:
    """Reads all of it back from the storage. Raises ColdFileError."""
    seen, number = hashlib.sha256(), 0
    for row in rows_of(cold):
        seen.update(repr(row).encode())
        number += 1
    if number != cold.rows:
        raise ColdFileError(f"{cold.key} has {number:,} rows instead of {cold.rows:,}")
    if content and seen.hexdigest() != content:
        raise ColdFileError(f"{cold.key} has other rows than were written")


def rows_of(cold: ColdFile, *, webinar_id: int | None = None) -> Iterator[Row]:
    """In the order in which they were written: by the opening of the player, its session and number."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with _fetched(cold) as path, pq.ParquetFile(path) as file:
        for batch in file.iter_batches(PIECE, columns=list(COLUMNS)):
            kept = batch if webinar_id is None else batch.filter(pc.equal(batch["webinar"], webinar_id))
            columns = [kept[name].to_pylist() for name in COLUMNS]
            for row in zip(*columns, strict=True):
                yield (row[0], _moment(row[1]), *row[2:])


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _moment(value: datetime) -> datetime:
    return value.astimezone(UTC)


@contextmanager
def _fetched(cold: ColdFile) -> Iterator[Path]:
    """Whole on this machine's disk, and what was put there: Parquet is read from its end."""
    storage = media_storage()
    with tempfile.TemporaryDirectory(prefix="lms-cold-") as folder:
        path = Path(folder) / "rows.parquet"
        _fetch(storage, cold.key, path)
        if (found := _sha256(path)) != cold.sha256:
            raise ColdFileError(f"{cold.key} was changed: its SHA-256 is {found}")
        yield path


def _fetch(storage: Storage, key: str, path: Path) -> None:
    if not storage.exists(key):
        raise ColdFileError(f"{key} is not in the storage")
    with storage.open(key) as source, path.open("wb") as target:
        for chunk in source.chunks(CHUNK):
            target.write(chunk)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
