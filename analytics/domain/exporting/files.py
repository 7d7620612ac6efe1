"""Datasets as files. The trail is written before the first row leaves, and the log says whether all have left."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any

from django.http import HttpRequest

from accounts.domain import audit
from accounts.models import User
from analytics.domain.exporting.datasets import Dataset, Row, Source, jsonable, plain
from core.exports import Table, csv_lines, in_blocks, json_chunks, xlsx_file
from core.logging import get_logger

log = get_logger("analytics")
FORMS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
TICK_ROWS = 1_000
Progress = Callable[[int], None]


def record_export(
    *,
    dataset: Dataset,
    source: Source,
    form: str,
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> None:
    details = {"dataset": dataset.key, "form": form}
    audit.record("report.exported", actor=actor, subject=source.subject, request=request, details=details, now=now)


def chunks_of(dataset: Dataset, source: Source, *, form: str, now: datetime) -> Iterator[bytes]:
    """CSV or JSON, piece by piece as the database gives the rows."""
    rows = _counted(dataset, source, None)
    if form == "json":
        return json_chunks(_head(dataset, source, now), (_named(dataset, row) for row in rows))
    return in_blocks(csv_lines(_table(dataset, rows)))


def xlsx_of(dataset: Dataset, source: Source, *, progress: Progress | None = None) -> IO[bytes]:
    """Whole, because it ends with its table of contents; definitions are a second sheet. Raises TooManyRowsError."""
    rows = _counted(dataset, source, progress)
    return xlsx_file(_table(dataset, rows), sheet=dataset.key, more=[("definitions", definitions_of(dataset))])


def write_export(
    dataset: Dataset, source: Source, *, form: str, to: IO[bytes], now: datetime, progress: Progress | None = None
) -> None:
    """Into an open file. Raises TooManyRowsError."""
    if form == "xlsx":
        with xlsx_of(dataset, source, progress=progress) as made:
            while block := made.read(1 << 20):
                to.write(block)
        return
    rows = _counted(dataset, source, progress)
    named = (_named(dataset, row) for row in rows)
    head = _head(dataset, source, now)
    to.writelines(json_chunks(head, named) if form == "json" else csv_lines(_table(dataset, rows)))


def definitions_of(dataset: Dataset) -> Table:
    yield "column", "unit", "definition"
    for column in dataset.columns:
        yield column.name, str(column.unit), str(column.definition)


def file_name(dataset: Dataset, source: Source, form: str) -> str:
    """Of numbers and our own words only: a title may hold signs that a header or a disk cannot."""
    about = f"webinar-{source.webinar.pk}" if source.webinar else source.programme.slug
    return f"{about}-{dataset.key}.{form}"


def _counted(dataset: Dataset, source: Source, progress: Progress | None) -> Iterator[Row]:
    number, whole = 0, False
    try:
        for row in dataset.rows(source):
            yield row
            number += 1
            if progress and number % TICK_ROWS == 0:
                progress(number)
        whole = True
        if progress:
            progress(number)
    finally:
        log.info("analytics.exported", dataset=dataset.key, rows=number, whole=whole)


def _table(dataset: Dataset, rows: Iterable[Row]) -> Table:
    yield dataset.names
    for row in rows:
        yield [plain(value) for value in row]


def _named(dataset: Dataset, row: Row) -> dict[str, Any]:
    return {name: jsonable(value) for name, value in zip(dataset.names, row, strict=True)}


def _head(dataset: Dataset, source: Source, now: datetime) -> dict[str, Any]:
    return {
        "dataset": dataset.key,
        "of": source.name,
        "made_at": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "columns": [
            {"name": one.name, "unit": str(one.unit), "definition": str(one.definition)} for one in dataset.columns
        ],
    }


def page_of(dataset: Dataset, source: Source, *, after: tuple[Any, ...], size: int) -> tuple[list[dict[str, Any]], Any]:
    """A page of rows by name, and the key to go on after (None: that was the last one)."""
    rows = list(dataset.rows(source, after=after, limit=size + 1))
    going_on = [jsonable(value) for value in dataset.key_of(rows[size - 1])] if len(rows) > size else None
    return [_named(dataset, row) for row in rows[:size]], going_on
