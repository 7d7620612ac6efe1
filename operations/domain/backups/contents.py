"""What is in a database, so exactly that a restored one can be compared with the one it came from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from django.db.models import Model
from psycopg import sql

from accounts.models import AuditEvent
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from webinars.models import PollVote, Question, QuestionMessage, QuestionVote, Registration, WatchRecord

# What people were told is kept. These are compared row by row; of all other tables the rows are counted.
ACKNOWLEDGED: tuple[type[Model], ...] = (
    WatchRecord,
    Question,
    QuestionMessage,
    QuestionVote,
    PollVote,
    Registration,
    Enrolment,
    LessonCompletion,
    CourseCompletion,
    AuditEvent,
)
Connection = psycopg.Connection[Any]

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
# Of rows as text, independent of their order. MD5 because its text is the same in every version of PostgreSQL.
_CHECKSUM = "SELECT coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint::numeric), 0)::text FROM {} AS t"
_MEDIA = """
SELECT 'videos/' || v.key || '/' || v.published_version || '/' AS place, coalesce(sum(r.bytes), 0)::int8 AS bytes
FROM media_video v LEFT JOIN media_rendition r ON r.video_id = v.id AND r.version = v.published_version
WHERE v.published_version <> '' GROUP BY v.id
UNION ALL SELECT source_key, coalesce(source_bytes, 0) FROM media_video WHERE source_key <> ''
UNION ALL SELECT key, 0 FROM analytics_coldfile
ORDER BY 1
"""


@dataclass(frozen=True)
class Contents:
    migrations: list[str]
    rows: dict[str, int]
    checksums: dict[str, str]


def acknowledged_tables() -> list[str]:
    return sorted(model._meta.db_table for model in ACKNOWLEDGED)


def read_contents(connection: Connection, *, checksums_of: Iterable[str]) -> Contents:
    """Reads every row: minutes for a large site. One snapshot only where the connection is in a repeatable-read one.

    Times are written as UTC: the text of a row, and so its checksum, would otherwise follow the session's time zone.
    """
    connection.execute("SET timezone = 'UTC'")
    tables = [cast("str", name) for (name,) in connection.execute(_TABLES).fetchall()]
    return Contents(
        migrations=_migrations(connection) if "django_migrations" in tables else [],
        rows={name: int(_one(connection, "SELECT count(*) FROM {}", name)) for name in tables},
        checksums={name: str(_one(connection, _CHECKSUM, name)) for name in checksums_of if name in tables},
    )


def media_places(connection: Connection) -> list[dict[str, Any]]:
    """What lies in the media storage and belongs to this data: listed, not copied."""
    return [{"place": place, "bytes": size} for place, size in connection.execute(_MEDIA).fetchall()]


def differences(wanted: Contents, found: Contents) -> list[str]:
    """In words; empty when a restored database is what was backed up."""
    lines = [f"migration {name} is missing" for name in wanted.migrations if name not in found.migrations]
    lines += [f"migration {name} was not in the backup" for name in found.migrations if name not in wanted.migrations]
    for name in sorted(wanted.rows.keys() | found.rows.keys()):
        before, after = wanted.rows.get(name), found.rows.get(name)
        if before != after:
            lines.append(f"{name}: {_rows(before)} in the backup, {_rows(after)} restored")
    same_count = (name for name in wanted.checksums if wanted.rows.get(name) == found.rows.get(name))
    lines += [f"{name}: rows differ" for name in same_count if wanted.checksums[name] != found.checksums.get(name)]
    return lines


def _rows(count: int | None) -> str:
    return "no table" if count is None else f"{count} rows"


def _migrations(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT app, name FROM django_migrations").fetchall()
    return sorted({f"{app}.{name}" for app, name in rows})


def _one(connection: Connection, query: str, table: str) -> Any:
    row = connection.execute(sql.SQL(cast("Any", query)).format(sql.Identifier(table))).fetchone()
    return row[0] if row else None
