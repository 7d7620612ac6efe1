"""What must be true of the messages of a round, by the outbox and by what the mail server got."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults.findings import Database, Finding
from tests.faults.journal import History

STATES = "SELECT key::text, state FROM reminders_delivery WHERE programme_id = %(programme)s"
KNOWN = "SELECT key::text FROM reminders_delivery WHERE key = ANY(%s::uuid[])"
ENDS = {"sent": {1}, "failed": {0}, "unknown": {0, 1}}


def check_mail(database: Database, history: History, values: dict[str, Any]) -> Iterator[Finding]:
    """Each ended: sent, and the server has it once; failed, and not at all; in doubt, and at most once."""
    had = Counter(history.mail)
    for key, state in database.execute(STATES, values):
        if state not in ENDS:
            yield Finding("mail", key, f"is {state} still")
        elif had[key] not in ENDS[state]:
            yield Finding("mail", key, f"is {state}, and the mail server has it {had[key]} times")
    known = {key for (key,) in database.execute(KNOWN, [list(had)])}
    for key in had.keys() - known:
        yield Finding("mail", key, "has left, and nobody has planned it")
