"""Compares a journal with what is in the database. Knows nothing of what was broken.

For every token: how often it is there, and how often it may be there. The last operation that was acknowledged decides;
one without an answer may have been done, now or later; one that was refused may not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.exam_check import check_exam
from tests.faults.findings import Database, Finding
from tests.faults.journal import Heard, History, Operation, Outcome
from tests.faults.mail_check import check_mail

# What is in the database, a row for each time: the token, and the parameters by their names in `population`.
PRESENT: Mapping[str, str] = {
    "beat": """SELECT w.user_id || ':' || n FROM webinars_watchrecord w, unnest(w.coverage) AS part,
        generate_series(lower(part), upper(part) - 1) AS n WHERE w.webinar_id = %(webinar)s""",
    "question": """SELECT client_key::text FROM webinars_question
        WHERE webinar_id = %(live)s AND NOT id = ANY(%(seeded)s)""",
    "vote": """SELECT v.question_id || ':' || v.user_id FROM webinars_questionvote v
        JOIN webinars_question q ON q.id = v.question_id WHERE q.webinar_id = %(live)s""",
    "poll": """SELECT user_id || ':' || choice FROM webinars_pollvote, unnest(choices) AS choice
        WHERE poll_id = %(poll)s""",
    "place": "SELECT user_id::text FROM webinars_registration WHERE webinar_id = %(scarce)s AND cancelled_at IS NULL",
    "lesson": "SELECT user_id::text FROM courses_lessoncompletion WHERE lesson_id = %(short_lesson)s",
    "door": "SELECT email FROM webinars_spotrequest WHERE window_id = %(window)s",
    "announcement": """SELECT payload->>'id' FROM webinars_roomevent
        WHERE webinar_id = %(live)s AND kind = 'announcement'""",
    "move": "SELECT id::text FROM webinars_question WHERE id = ANY(%(moved)s) AND state = 'published'",
    "message": "SELECT key::text FROM reminders_delivery WHERE campaign_id = %(campaign)s",
    "honest": """SELECT w.user_id || ':' || n FROM webinars_watchrecord w, unnest(w.coverage) AS part,
        generate_series(lower(part), upper(part) - 1) AS n WHERE w.webinar_id = %(fresh)s""",
}
# Each effect leaves one row, also of those that were taken back: between the acknowledged and all that may have been.
COUNTED: Mapping[str, tuple[str, str]] = {
    "session": (
        "session",
        """SELECT user_id::text FROM webinars_playsession
        WHERE webinar_id = %(webinar)s AND started_at > %(began)s""",
    ),
    "log of moves": (
        "move",
        """SELECT subject_id FROM accounts_auditevent WHERE action IN ('question.publish', 'question.unpublish')
        AND subject_id = ANY(%(moved_text)s)""",
    ),
}
# Counts that the product keeps beside the rows they count: each row that comes back is wrong.
TALLIES: Mapping[str, str] = {
    "votes of a question": """SELECT q.id, q.votes, count(v.id) FROM webinars_question q
        LEFT JOIN webinars_questionvote v ON v.question_id = q.id WHERE q.webinar_id = %(live)s
        GROUP BY q.id HAVING q.votes <> count(v.id)""",
    "seconds seen": """SELECT id, seen_seconds, (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(coverage) r)
        FROM webinars_watchrecord w WHERE webinar_id = ANY(%(lectures)s)
        AND seen_seconds <> (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(coverage) r)""",
    "places": """SELECT id, capacity, (SELECT count(*) FROM webinars_registration r
        WHERE r.webinar_id = w.id AND r.cancelled_at IS NULL) FROM webinars_webinar w WHERE id = %(scarce)s
        AND capacity < (SELECT count(*) FROM webinars_registration r
        WHERE r.webinar_id = w.id AND r.cancelled_at IS NULL)""",
    "numbers of the room": """SELECT r.webinar_id, r.last_number, count(e.id) FROM webinars_room r
        LEFT JOIN webinars_roomevent e ON e.webinar_id = r.webinar_id WHERE r.webinar_id = %(live)s
        GROUP BY r.webinar_id HAVING r.last_number <> count(e.id) OR r.last_number <> max(e.number)""",
    "announced votes": """SELECT q.id, q.votes, (e.payload->>'votes')::int FROM webinars_question q
        JOIN LATERAL (SELECT payload FROM webinars_roomevent WHERE webinar_id = q.webinar_id AND kind = 'published'
            AND (payload->>'id')::bigint = q.id ORDER BY number DESC LIMIT 1) e ON true
        WHERE q.id = ANY(%(voted)s) AND q.votes <> (e.payload->>'votes')::int""",
    "announced poll": """SELECT %(poll)s, v.votes, coalesce((e.payload->>'votes')::int, 0)
        FROM (SELECT count(*) AS votes FROM webinars_pollvote WHERE poll_id = %(poll)s) v
        LEFT JOIN LATERAL (SELECT payload FROM webinars_roomevent WHERE webinar_id = %(live)s
            AND kind = 'poll_results' AND (payload->>'id')::bigint = %(poll)s ORDER BY number DESC LIMIT 1) e ON true
        WHERE v.votes <> coalesce((e.payload->>'votes')::int, 0)""",
    "words that were taken back": """SELECT q.id, e.number, 0 FROM webinars_question q JOIN webinars_roomevent e
        ON e.webinar_id = q.webinar_id AND e.kind = 'published' AND (e.payload->>'id')::bigint = q.id
        WHERE q.id = ANY(%(moved)s) AND q.state <> 'published' AND e.payload->>'text' <> ''""",
}
# What a worker, or a sweep after a lost bell, still has to do. Of the exam: whose time was over when the round was.
WAITING = """SELECT
    (SELECT count(*) FROM webinars_tally WHERE webinar_id = %(live)s)
    + (SELECT count(*) FROM webinars_watchrecord WHERE webinar_id = %(short)s AND reached_at IS NOT NULL
        AND settled_at IS NULL)
    + (SELECT count(*) FROM assessments_attempt WHERE quiz_id = %(exam)s AND state = 'open'
        AND deadline_at + make_interval(secs => grace_seconds) < %(ended)s)
    + (SELECT count(*) FROM reminders_delivery WHERE programme_id = %(programme)s
        AND state IN ('planned', 'claimed', 'sending'))"""
# In order; and whether a page may be without it: what was said of a question before it was taken back is not replayed.
VISIBLE = """WITH gone AS (
        SELECT payload->'id' AS id, max(number) AS number FROM webinars_roomevent
        WHERE webinar_id = %(live)s AND kind = 'published'
        AND ((payload->>'removed')::bool OR (payload->>'reworded')::bool) GROUP BY payload->'id'
    ) SELECT e.number, e.kind = 'published' AND coalesce(gone.number > e.number, false)
    FROM webinars_roomevent e LEFT JOIN gone ON gone.id = e.payload->'id'
    WHERE e.webinar_id = %(live)s AND e.number <= %(last)s AND (e.audience = 'all' OR e.person_id = %(who)s)
    ORDER BY e.number"""


NAMES = (
    "webinar", "live", "scarce", "fresh", "short", "short_lesson", "poll", "exam", "exam_lesson", "begun", "programme",
    "campaign",
)  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """What one round may look at: its own webinars and people."""

    values: dict[str, Any]
    followers: tuple[int, ...] = ()
    last_number: int = 0  # the followers were waited for up to here

    @classmethod
    def of(
        cls, world: Mapping[str, Any], *, began: Any, ended: Any, followers: Iterable[int] = (), last_number: int = 0
    ) -> "Scope":
        values = {name: world[name] for name in NAMES} | {"ended": ended}
        values |= {"voted": world["voted"], "moved": world["moved"], "seeded": [*world["voted"], *world["moved"]]}
        values |= {"lectures": [world["webinar"], world["fresh"], world["short"]], "began": began}
        values |= {"moved_text": [str(one) for one in world["moved"]], "window": world["door"]["id"]}
        return cls(values, tuple(followers), last_number)


def waiting(database: Database, scope: Scope) -> int:
    (count,) = database.execute(WAITING, scope.values).fetchone() or (0,)
    return int(count)


def check(database: Database, history: History, scope: Scope) -> list[Finding]:
    """All in the caller's transaction, so that it is one moment."""
    return [
        *_tokens(database, history, scope),
        *_counts(database, history, scope),
        *_tallies(database, scope),
        *_followers(database, history.heard, scope),
        *_honest(history),
        *check_exam(database, history, scope.values),
        *check_mail(database, history, scope.values),
    ]


def _tokens(database: Database, history: History, scope: Scope) -> Iterator[Finding]:
    for kind, query in PRESENT.items():
        found = Counter(name for (name,) in database.execute(query, scope.values))
        by_token: dict[str, list[Operation]] = defaultdict(list)
        for one in history.of(kind):
            by_token[one.token].append(one)
        for name, operations in by_token.items():
            allowed = _allowed(operations)
            if found[name] not in allowed:
                said = ", ".join(f"{one.outcome} ({one.effect})" for one in operations)
                yield Finding(kind, name, f"{found[name]} in the database, may be {sorted(allowed)}: {said}")
        for name in found.keys() - by_token.keys():
            yield Finding(kind, name, "in the database, and nobody has done it")


def _allowed(operations: Iterable[Operation]) -> set[int]:
    sure, may = 0, set()
    for one in operations:
        if one.outcome is Outcome.OK:
            sure = one.effect
        elif one.outcome is Outcome.UNKNOWN:
            may.add(one.effect)
    return {sure, *may}


def _counts(database: Database, history: History, scope: Scope) -> Iterator[Finding]:
    for name, (kind, query) in COUNTED.items():
        found = Counter(one for (one,) in database.execute(query, scope.values))
        sure = Counter(one.token for one in history.of(kind, Outcome.OK))
        may = sure + Counter(one.token for one in history.of(kind, Outcome.UNKNOWN))
        for one in found.keys() | may.keys():
            if not sure[one] <= found[one] <= may[one]:
                yield Finding(name, one, f"{found[one]} rows, of {sure[one]} acknowledged and {may[one]} possible")


def _tallies(database: Database, scope: Scope) -> Iterator[Finding]:
    for name, query in TALLIES.items():
        for subject, kept, counted in database.execute(query, scope.values):
            yield Finding(name, str(subject), f"{kept} is kept, {counted} are there")


def _followers(database: Database, heard: Iterable[Heard], scope: Scope) -> Iterator[Finding]:
    by_person: dict[int, list[int]] = {who: [] for who in scope.followers}
    for one in heard:
        by_person.setdefault(one.who, []).append(one.number)
    for who, numbers in by_person.items():
        rows = database.execute(VISIBLE, {"live": scope.values["live"], "last": scope.last_number, "who": who})
        may_be_missing = dict(rows)
        got = [number for number in numbers if number <= scope.last_number]
        some = set(got)
        if got == [number for number, is_gone in may_be_missing.items() if not is_gone or number in some]:
            continue
        missed = [number for number, is_gone in may_be_missing.items() if not is_gone and number not in some]
        doubled = [number for number, times in Counter(got).items() if times > 1]
        foreign, order = sorted(some - may_be_missing.keys()), "" if got == sorted(got) else ", out of order"
        text = f"missed {missed[:10]}, heard twice {doubled[:10]}, not for them {foreign[:10]}{order}"
        yield Finding("room", str(who), text)


def _honest(history: History) -> Iterator[Finding]:
    """Who watches no faster than time is never refused, whatever a replica thinks what time it is."""
    for one in history.of("honest", Outcome.FAILED):
        yield Finding("honest", one.token, "a second that was watched was refused")
