"""What every kind is planned from: a query whose rows are people with something to be told, now or later.

Each gives `user_id`, `subject`, `slot`, `event_at` (what offsets count from), `since_at` (nothing is sent whose time
had come before that: who registers today gets no message of last week) and `until_at` (or NULL). What a row is missing
for, is the reason why a planned message makes no sense any more: checking asks the same queries before sending.

All run with the same parameters: `programme`, `now`, `users` (NULL: everybody), `first` and `last` (only events between
them matter).
"""

from dataclasses import dataclass, field

from reminders.enums import Kind

# Places in a programme that let their doctor in. Of everybody, or of the few whose messages are looked at once more.
DOCTORS = """
doctors AS (
    SELECT e.user_id, e.status, coalesce(e.activated_at, e.enrolled_at) AS since_at, h.opens_at, h.closes_at
    FROM courses_enrolment e LEFT JOIN courses_cohort h ON h.id = e.cohort_id
    WHERE e.programme_id = %(programme)s AND e.status IN ('active', 'completed')
    AND (%(users)s::bigint[] IS NULL OR e.user_id = ANY (%(users)s::bigint[]))
)"""


@dataclass(frozen=True, slots=True)
class Source:
    """`expires` may speak of t.due_at, t.event_at and t.until_at. `tables` are common table expressions.

    `undone` is what the doctor's own step ends: with it left out (`done_too`) there are also those who took the step.
    Where there is one, `select` ends with its conditions.
    """

    kind: Kind
    select: str
    expires: str
    tables: tuple[str, ...] = field(default=(DOCTORS,))
    is_weekly: bool = False
    undone: str = ""

    def with_tables(self, *, done_too: bool = False) -> str:
        condition = f" AND {self.undone}" if self.undone and not done_too else ""
        return "WITH " + ",".join((*self.tables, f"\ncandidates AS ({self.select}{condition})"))
