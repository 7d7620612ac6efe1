"""Where heavy reads go: to a copy of the database that follows it, where there is one (DATABASE_REPLICA_URL).

The copy is seconds behind, so nothing that was just written is looked for there, and nothing can be written. When it
does not answer, the same is read from the database itself for a while: slow figures are better than none.
"""

import time
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections

from core.logging import get_logger

log = get_logger("core")
REPLICA = "replica"
PAUSE_SECONDS = 30.0


@dataclass(slots=True)
class _Breaker:
    open_until: float = float("-inf")


_breaker = _Breaker()


def reading() -> str:
    """The alias for `.using(…)` and `connections[…]`. Asked anew for every piece of work, never kept."""
    if REPLICA not in connections.settings or time.monotonic() < _breaker.open_until:
        return DEFAULT_DB_ALIAS
    try:
        connections[REPLICA].ensure_connection()
    except (OperationalError, InterfaceError) as error:
        _breaker.open_until = time.monotonic() + PAUSE_SECONDS
        log.warning("core.replica_away", reason=str(error), seconds=PAUSE_SECONDS)
        return DEFAULT_DB_ALIAS
    return REPLICA
