"""The months of the big tables. A row of a month that was not made yet lies in the table's rest and is moved then."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import OperationalError, connection, models, transaction
from psycopg import sql

from analytics.models import (
    AudienceDay,
    AudienceHour,
    AudienceMinute,
    PlaybackReport,
    QualityHour,
    QualityMinute,
)
from core.logging import get_logger
from core.partitioned import REST

log = get_logger("analytics")
# By which column each is parted; `analytics/migrations` says the same to PostgreSQL.
PARTITIONED: dict[type[models.Model], str] = {
    AudienceMinute: "at",
    AudienceHour: "at",
    AudienceDay: "on",
    PlaybackReport: "session_started_at",
    QualityHour: "at",
    QualityMinute: "at",
}
MONTHS_AHEAD = 2
LOCK_WAIT = "3s"  # whoever reports meanwhile waits as well: rather another time
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('analytics.partitions', 0))"


def month_of(day: date) -> date:
    """Of a moment, in UTC."""
    if isinstance(day, datetime):
        day = day.astimezone(UTC).date()
    return day.replace(day=1)


def next_month(month: date, ahead: int = 1) -> date:
    number = month.year * 12 + month.month - 1 + ahead
    return date(number // 12, number % 12 + 1, 1)


def name_of(model: type[models.Model], month: date) -> str:
    return f"{model._meta.db_table}_{month:%Y%m}"


def keep(*, now: datetime) -> list[str]:
    """Makes the months of all tables until two ahead, and those of whose rows the rest has some. Returns their names.

    A table that is busy is left for the next time: its rows lie in the rest as long.
    """
    made = []
    for model, column in PARTITIONED.items():
        months = {next_month(month_of(now), ahead) for ahead in range(MONTHS_AHEAD + 1)} | set(
            _in_the_rest(model, column)
        )
        for month in sorted(months - set(months_of(model))):
            try:
                made += [name_of(model, month)] if make(model, month=month) else []
            except OperationalError as error:
                log.warning("analytics.partition_not_made", table=name_of(model, month), reason=str(error))
    return made


def are_kept(*, now: datetime) -> bool:
    """Whether all have the present month and the next one. One query."""
    names = [name_of(model, next_month(month_of(now), ahead)) for model in PARTITIONED for ahead in (0, 1)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name", [names])
        return bool(cursor.fetchone()[0])


def months_of(model: type[models.Model]) -> list[date]:
    """Those that were made, by the names of the parts."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(c.relname, 6) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass AND c.relname ~ '_[0-9]{6}$' ORDER BY 1",
            [table],
        )
        return [date(int(name[:4]), int(name[4:]), 1) for (name,) in cursor.fetchall()]


@transaction.atomic
def make(model: type[models.Model], *, month: date) -> bool:
    """One part, with the rows that wait for it in the rest. False: another process has made it meanwhile.

    Raises OperationalError where the table is too busy.
    """
    column = PARTITIONED[model]
    table = model._meta.db_table
    names = {
        "table": sql.Identifier(table),
        "part": sql.Identifier(name_of(model, month)),
        "rest": sql.Identifier(table + REST),
        "column": sql.Identifier(column),
        "start": sql.Literal(_bound(model, column, month)),
        "end": sql.Literal(_bound(model, column, next_month(month))),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute("SELECT to_regclass(%s)", [name_of(model, month)])
        if cursor.fetchone()[0] is not None:
            return False
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
        for statement in _MAKE:
            cursor.execute(sql.SQL(statement).format(**names))
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    return True


def attach(model: type[models.Model], *, month: date) -> None:
    """A part that was detached before. Within the caller's transaction."""
    column = PARTITIONED[model]
    names = {
        "table": sql.Identifier(model._meta.db_table),
        "part": sql.Identifier(name_of(model, month)),
        "start": sql.Literal(_bound(model, column, month)),
        "end": sql.Literal(_bound(model, column, next_month(month))),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_MAKE[-1]).format(**names))


# The rest is locked before it is read: nobody writes a row of this month into it meanwhile.
_MAKE = (
    "CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
    "LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE",
    (
        "WITH moved AS (DELETE FROM {rest} WHERE {column} >= {start} AND {column} < {end} RETURNING *)"
        " INSERT INTO {part} SELECT * FROM moved"
    ),
    "ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({start}) TO ({end})",
)


def _bound(model: type[models.Model], column: str, month: date) -> Any:
    """Of a date, a date; of a moment, midnight of UTC with its zone said, whatever zone the connection is in."""
    is_moment = isinstance(model._meta.get_field(column), models.DateTimeField)
    return f"{month:%Y-%m-%d} 00:00:00+00" if is_moment else f"{month:%Y-%m-%d}"


def _in_the_rest(model: type[models.Model], column: str) -> Iterator[date]:
    is_moment = isinstance(model._meta.get_field(column), models.DateTimeField)
    value = sql.SQL("{} AT TIME ZONE 'UTC'" if is_moment else "{}::timestamp").format(sql.Identifier(column))
    query = sql.SQL("SELECT DISTINCT date_trunc('month', {})::date FROM {}")
    with connection.cursor() as cursor:
        cursor.execute(query.format(value, sql.Identifier(model._meta.db_table + REST)))
        yield from (month for (month,) in cursor.fetchall())
