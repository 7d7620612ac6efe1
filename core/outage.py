"""PostgreSQL is away for a moment: told apart from our own mistakes, because here waiting helps."""

import random

from django.db import InterfaceError, OperationalError

# Of PostgreSQL's error codes: connection exceptions, no resources left, and an operator who stops or starts it.
AWAY = ("08", "53", "57P")


def is_database_away(error: BaseException | None) -> bool:
    """Also when the pool had no connection in time. A lost line has no code; a deadlock or a slow query has one."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code.startswith(AWAY)


def seconds_to_wait() -> int:
    """Never the same for all: they would come back at once."""
    return random.randint(3, 9)  # noqa: S311  # not a secret
