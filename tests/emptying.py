"""Empties the database after a test with real commits: what Django's `flush` leaves, for a fraction of its work.

`flush` truncates every table, which makes new files for each of them, and has content types and permissions written
again. Such a test wrote a few rows into a dozen tables: deleting them takes milliseconds.
"""

from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.test import TransactionTestCase

REWRITTEN = ("auth_permission", "django_content_type")  # by `flush`, with what stood there before
LARGE_BYTES = 2**20  # deleted rows leave their space behind; beyond this `flush` is quicker for those who come later

_left_by_flush: dict[str, list[str]] = {}  # of each database, what is in REWRITTEN


def empty_instead_of_flush() -> None:
    """For every test of this process; the first one still flushes, which shows what `flush` leaves."""
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def teardown(case: Any) -> None:
        plain = case._databases_names(include_mirrors=False) == [DEFAULT_DB_ALIAS]
        plain = plain and case.available_apps is None and not case.serialized_rollback
        if plain and empty():
            return
        flush(case)
        remember()

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[attr-defined]


def remember() -> None:
    """What `flush` has just left."""
    with connection.cursor() as cursor:
        _left_by_flush[name()] = _rewritten(cursor)


def empty() -> bool:
    """False, and nothing is done, where only `flush` will do."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Waits for whoever still writes, as TRUNCATE does: what is committed later would stay.
        cursor.execute(f"LOCK TABLE {', '.join(_tables())} IN SHARE ROW EXCLUSIVE MODE")
        if _left_by_flush.get(name()) != _rewritten(cursor) or _largest(cursor) > LARGE_BYTES:
            return False
        # No foreign key is asked and no trigger fires: all rows go, also those that nobody may delete.
        cursor.execute("SET LOCAL session_replication_role = replica")
        deletes = " ".join(f"DELETE FROM {table};" for table in _tables() if table not in REWRITTEN)
        cursor.execute(f"DO $$ BEGIN {deletes} END $$")
    return True


def name() -> str:
    return str(connection.settings_dict["NAME"])


@cache
def _tables() -> tuple[str, ...]:
    return tuple(sorted(connection.introspection.django_table_names(only_existing=True, include_views=False)))


def _rewritten(cursor: Any) -> list[str]:
    found = []
    for table in REWRITTEN:
        cursor.execute(f"SELECT md5(string_agg(one::text, ',' ORDER BY id)) FROM {table} AS one")
        found.append(str(cursor.fetchone()[0]))
    return found


def _largest(cursor: Any) -> int:
    cursor.execute(
        "SELECT max(pg_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    return int(cursor.fetchone()[0])
