"""What no statement of the product may be: an UPDATE that finds its own rows through a join.

Django writes it as `id IN (SELECT id FROM the same table JOIN …)`. PostgreSQL lets it wait for a row that another
transaction changes, but looks at the conditions of the inner query only as they were when it began: two workers that
claim a row this way both get it. `user__in=User.objects.filter(…)` says the same and is looked at anew.
"""

import re
from typing import Any

from django.db import connection

ACROSS_A_JOIN = re.compile(r'UPDATE "(\w+)" SET .* IN \(SELECT U0\."\w+" FROM "\1" U0 INNER JOIN', re.DOTALL)


class JoinedUpdateError(AssertionError):
    pass


def refuse_across_joins() -> None:
    """From now on, on this thread's connection to the database."""
    connection.execute_wrappers.append(_look)


def _look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    if ACROSS_A_JOIN.match(str(sql)):
        raise JoinedUpdateError(f"Filter by `…__in` of a query instead of across the join: {sql}")
    return execute(sql, params, many, context)
