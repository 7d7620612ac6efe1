"""What a dataset is, and how its rows are read: in the order of a key, after a key, never all at once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from django.db import connections, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.exports import Cell
from core.replica import reading
from courses.models import Programme
from webinars.models import Webinar

Value = str | int | float | datetime | None
Row = tuple[Value, ...]
Key = tuple[Any, ...]
Text = str | Promise
BATCH = 2_000

DOCTORS, SECONDS, MINUTES, UTC_TIME = _("doctors"), _("seconds"), _("minutes"), _("date and time in UTC")
NUMBER, TEXT, CODE = _("number"), _("text"), _("code")


class Scope(StrEnum):
    """What a dataset is about, and so whose door it stands behind."""

    WEBINAR = "webinar"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is for programs and never changes its meaning; `definition` says what is counted, and what is not."""

    name: str
    unit: Text
    definition: Text


@dataclass(frozen=True, slots=True)
class Source:
    """What is asked about. `sees_all`: staff of the programme, not only a presenter."""

    programme: Programme
    webinar: Webinar | None = None
    sees_all: bool = False

    @property
    def asked_webinar(self) -> Webinar:
        """For datasets about one; ValueError where none was named."""
        if self.webinar is None:
            raise ValueError("This dataset is about a webinar.")
        return self.webinar

    @property
    def subject(self) -> Programme | Webinar:
        return self.webinar or self.programme

    @property
    def name(self) -> str:
        return self.webinar.lesson.title if self.webinar else self.programme.title


class Reader(Protocol):
    def __call__(self, source: Source, after: Key, limit: int | None) -> Iterator[Row]:
        """Rows in ascending order of their key, those after `after` (empty: all), at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class Dataset:
    """The first `key_columns` columns are the key, which no two rows share. `has_people`: rows name doctors."""

    key: str
    scope: Scope
    title: Text
    about: Text
    columns: tuple[Column, ...]
    key_columns: int
    read: Reader
    has_people: bool = False

    def rows(self, source: Source, *, after: Key = (), limit: int | None = None) -> Iterator[Row]:
        return self.read(source, after, limit)

    def key_of(self, row: Row) -> Key:
        return row[: self.key_columns]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def select(statement: str, values: Mapping[str, Any]) -> Iterator[Row]:
    """By a cursor of the server, some thousand rows at a time.

    WITH HOLD where it can be: the server keeps the result, and a reader with a slow line holds up no vacuum. Behind
    a pooler that changes connections between transactions the cursor lives in one.
    """
    alias = reading()
    connection = connections[alias]
    with ExitStack() as stack:
        if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            stack.enter_context(transaction.atomic(using=alias))
        cursor = stack.enter_context(connection.chunked_cursor())
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(BATCH):
            yield from rows


def cut(rows: Sequence[Row] | Iterator[Row], after: Key, limit: int | None) -> Iterator[Row]:
    """Of rows that are made in Python, in the order of their key."""
    left = limit
    for row in rows:
        if after and row[: len(after)] <= after:
            continue
        if left is not None:
            if not left:
                return
            left -= 1
        yield row


def plain(value: Value) -> Cell:
    """For CSV and XLSX. Nothing known is an empty cell, times are in UTC."""
    if value is None:
        return ""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def jsonable(value: Value) -> Any:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
