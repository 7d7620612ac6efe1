"""The bugs that the checker has to find before it is believed: planted in this round's own data, then rolled back."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from psycopg import sql

from tests.faults.checker import Scope, check
from tests.faults.findings import Database
from tests.faults.journal import Heard, History, Operation, Outcome

ENOUGH = 3
NEEDED = (
    ("beat", Outcome.OK),
    ("question", Outcome.OK),
    ("question", Outcome.FAILED),
    ("vote", Outcome.OK),
    ("door", Outcome.OK),
    ("save", Outcome.OK),
    ("message", Outcome.OK),
)


class NotFoundError(AssertionError):
    """The checker is blind: whatever it says about this round is worth nothing."""


class NothingToPlantError(AssertionError):
    """The round was too short to prove anything."""


Plant = Callable[[Database, History, Scope], tuple[History, str]]


def prove(database: Database, history: History, scope: Scope) -> list[str]:
    """Every bug by itself, and no finding without one. Returns what was found out. The round must have come to rest."""
    said = []
    for name, plant in PLANTS.items():
        with database.transaction(force_rollback=True):
            database.execute("SET LOCAL session_replication_role = replica")  # foreign keys do not matter here
            planted, wanted = plant(database, history, scope)
            found = [one for one in check(database, planted, scope) if wanted in {one.kind, f"{one.kind} {one.token}"}]
        if not found:
            raise NotFoundError(f"The checker does not find a planted bug: {name} ({wanted}).")
        said.append(f"{name}: {found[0]}")
    return said


def is_provable(history: History) -> bool:
    """Whether enough was done to plant every bug, also when some of it is done once more until the round ends."""
    return len(history.heard) >= ENOUGH and all(
        len(_singles(history, kind, outcome, effect=1)) >= ENOUGH for kind, outcome in NEEDED
    )


def pick(history: History, kind: str, outcome: Outcome, *, effect: int = 1) -> Operation:
    """An operation that was the only one with its token: then it alone decides."""
    for one in _singles(history, kind, outcome, effect=effect):
        return one
    raise NothingToPlantError(f"No {kind} ended as {outcome} in this round.")


def _question_is_gone(database: Database, history: History, _scope: Scope) -> tuple[History, str]:
    one = pick(history, "question", Outcome.OK)
    _once(database, "DELETE FROM webinars_question WHERE client_key = %s", one.token)
    return history, f"question {one.token}"


def _beat_is_gone(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = pick(history, "beat", Outcome.OK)
    user, second = map(int, one.token.split(":"))
    _once(
        database,
        """UPDATE webinars_watchrecord SET coverage = coverage - int4multirange(int4range(%s, %s)),
            seen_seconds = seen_seconds - 1 WHERE user_id = %s AND webinar_id = %s""",
        second, second + 1, user, scope.values["webinar"],
    )  # fmt: skip
    return history, f"beat {one.token}"


def _vote_is_double(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = pick(history, "vote", Outcome.OK)
    _double(
        database, "webinars_questionvote", "webinars_question_vote_once", "question_id || ':' || user_id", one.token
    )
    return history, f"vote {one.token}"


def _unknown_is_double(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """At most once: as if the answer to it had been lost."""
    one = pick(history, "question", Outcome.OK)
    _double(database, "webinars_question", "webinars_question_sent_once", "client_key::text", one.token)
    operations = tuple(
        replace(other, outcome=Outcome.UNKNOWN) if other == one else other for other in history.operations
    )
    return replace(history, operations=operations), f"question {one.token}"


def _refused_is_there(database: Database, history: History, _scope: Scope) -> tuple[History, str]:
    one, model = pick(history, "question", Outcome.FAILED), pick(history, "question", Outcome.OK)
    _once(database, "UPDATE webinars_question SET client_key = %s WHERE client_key = %s", one.token, model.token)
    return history, f"question {one.token}"


def _nobody_did_it(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = pick(history, "door", Outcome.OK)
    operations = tuple(other for other in history.operations if other != one)
    return replace(history, operations=operations), f"door {one.token}"


def _one_vote_too_many(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    question = scope.values["voted"][0]
    _once(database, "UPDATE webinars_question SET votes = votes + 1 WHERE id = %s", question)
    return history, f"votes of a question {question}"


def _event_is_gone(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    heard = _someone(history)
    _once(
        database,
        "DELETE FROM webinars_roomevent WHERE webinar_id = %s AND number = %s",
        scope.values["live"], heard.number,
    )  # fmt: skip
    return history, "numbers of the room"


def _event_was_missed(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """An announcement: it stands, whatever is taken back."""
    query = "SELECT number FROM webinars_roomevent WHERE webinar_id = %s AND kind = 'announcement' AND number <= %s"
    said = {number for (number,) in database.execute(query, [scope.values["live"], scope.last_number])}
    missed = _someone(replace(history, heard=tuple(one for one in history.heard if one.number in said)))
    return replace(history, heard=tuple(one for one in history.heard if one != missed)), f"room {missed.who}"


def _event_came_twice(_database: Database, history: History, _scope: Scope) -> tuple[History, str]:
    twice = _someone(history)
    position = history.heard.index(twice)
    heard = (*history.heard[:position], twice, *history.heard[position:])
    return replace(history, heard=heard), f"room {twice.who}"


def _session_too_many(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """Of somebody who knows what became of each: an unknown one would explain it."""
    unsure = {one.token for one in history.of("session", Outcome.UNKNOWN)}
    one = next((one for one in history.of("session", Outcome.OK) if one.token not in unsure), None)
    if one is None:
        raise NothingToPlantError("Nobody has opened a player in this round and heard of each.")
    operations = tuple(other for other in history.operations if other != one)
    return replace(history, operations=operations), f"session {one.token}"


def _answer_is_older(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """As if a save that was under way longer had been written last."""
    known = {one.token for one in history.of("save", Outcome.OK)}
    query = """SELECT w.id, w.attempt_id || ':' || w.position, w.saved, w.value FROM assessments_answer w
        JOIN assessments_attempt a ON a.id = w.attempt_id WHERE a.quiz_id = %(exam)s AND w.value IS NOT NULL"""
    for pk, place, saved, value in database.execute(query, scope.values):
        if f"{place}:{saved}:{json.dumps(value, sort_keys=True)}" in known:
            _once(database, "UPDATE assessments_answer SET saved = 0, value = NULL WHERE id = %s", pk)
            return history, f"save {place}"
    raise NothingToPlantError("No answer of the exam stands.")


def _result_is_off(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = _handed_in(database, scope)
    _once(
        database, "UPDATE assessments_attempt SET most_points = most_points + 1, score = score + 1 WHERE id = %s", one
    )
    return history, f"mark {one}"


def _key_was_ignored(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = _handed_in(database, scope)
    _once(database, "UPDATE assessments_answer SET points = points + 0.3 WHERE attempt_id = %s AND position = 2", one)
    return history, f"mark {one}:2"


def _handed_in_is_open(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    query = """SELECT id FROM assessments_attempt a WHERE quiz_id = %(exam)s AND NOT EXISTS (SELECT
        FROM assessments_attempt o WHERE o.quiz_id = a.quiz_id AND o.user_id = a.user_id AND o.state = 'open')"""
    may = {pk for (pk,) in database.execute(query, scope.values)}
    one = next((one for one in history.of("submit", Outcome.OK) if int(one.token) in may), None)
    if one is None:
        raise NothingToPlantError("Nobody has handed in the exam.")
    _once(
        database,
        """UPDATE assessments_attempt SET state = 'open', submitted_at = NULL, ended_by = '', counts = false
            WHERE id = %s""",
        int(one.token),
    )
    return history, f"submit {one.token}"


def _completed_by_nothing(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """By somebody who never sat in it."""
    query = "SELECT min(user_id) FROM webinars_playsession WHERE webinar_id = %(webinar)s"
    (user,) = database.execute(query, scope.values).fetchone() or (None,)
    _once(
        database,
        """UPDATE courses_lessoncompletion SET user_id = %s WHERE id = (SELECT min(id) FROM courses_lessoncompletion
            WHERE lesson_id = %s)""",
        user, scope.values["exam_lesson"],
    )  # fmt: skip
    return history, f"exam lesson {user}"


def _attempt_of_nobody(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    """Begun by somebody who heard of every click what became of it."""
    unsure = {one.who for one in history.of("start", Outcome.UNKNOWN)}
    seeded = {f"{user}:{attempt}" for user, attempt in scope.values["begun"].items()}
    one = next((one for one in history.of("attempt") if one.who not in unsure and one.token not in seeded), None)
    if one is None:
        raise NothingToPlantError("Nobody has begun the exam and heard of each click.")
    operations = tuple(other for other in history.operations if other.token != one.token)
    return replace(history, operations=operations), f"attempt {one.who}"


def _message_left_twice(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = _sent(database, scope)
    return replace(history, mail=(*history.mail, one)), f"mail {one}"


def _message_never_left(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = _sent(database, scope)
    return replace(history, mail=tuple(key for key in history.mail if key != one)), f"mail {one}"


def _message_waits(database: Database, history: History, scope: Scope) -> tuple[History, str]:
    one = _sent(database, scope)
    _once(database, "UPDATE reminders_delivery SET state = 'planned', ended_at = NULL WHERE key = %s::uuid", one)
    return history, f"mail {one}"


def _message_of_nobody(_database: Database, history: History, _scope: Scope) -> tuple[History, str]:
    one = "00000000-0000-4000-8000-000000000000"
    return replace(history, mail=(*history.mail, one)), f"mail {one}"


def _sent(database: Database, scope: Scope) -> str:
    query = "SELECT min(key::text) FROM reminders_delivery WHERE campaign_id = %(campaign)s AND state = 'sent'"
    (one,) = database.execute(query, scope.values).fetchone() or (None,)
    if one is None:
        raise NothingToPlantError("No message was sent.")
    return str(one)


def _handed_in(database: Database, scope: Scope) -> int:
    query = "SELECT max(id) FROM assessments_attempt WHERE quiz_id = %(exam)s AND state = 'marked'"
    (one,) = database.execute(query, scope.values).fetchone() or (None,)
    if one is None:
        raise NothingToPlantError("No attempt of the exam is marked.")
    return int(one)


PLANTS: Mapping[str, Plant] = {
    "an acknowledged question is gone": _question_is_gone,
    "an acknowledged beat is gone": _beat_is_gone,
    "an acknowledged vote is there twice": _vote_is_double,
    "a question without an answer is there twice": _unknown_is_double,
    "a refused question is there": _refused_is_there,
    "a row that nobody made": _nobody_did_it,
    "a player opened too often": _session_too_many,
    "a count of votes is off by one": _one_vote_too_many,
    "an event of the room is gone": _event_is_gone,
    "a page has missed an event": _event_was_missed,
    "a page has heard an event twice": _event_came_twice,
    "an acknowledged answer was overwritten": _answer_is_older,
    "a result is off by one": _result_is_off,
    "an answer was marked against the key": _key_was_ignored,
    "what was handed in is open again": _handed_in_is_open,
    "a lesson is completed by nothing": _completed_by_nothing,
    "an attempt that nobody was told of": _attempt_of_nobody,
    "a message has left twice": _message_left_twice,
    "a message was sent and has not left": _message_never_left,
    "a message waits for ever": _message_waits,
    "a message that nobody planned has left": _message_of_nobody,
}


def _singles(history: History, kind: str, outcome: Outcome, *, effect: int) -> list[Operation]:
    times = Counter(one.token for one in history.operations if one.kind == kind)
    return [one for one in history.of(kind, outcome) if one.effect == effect and times[one.token] == 1]


def _someone(history: History) -> Heard:
    if len(history.heard) < 3:
        raise NothingToPlantError("Nobody has heard anything of the room in this round.")
    return history.heard[len(history.heard) // 2]


def _once(database: Database, statement: str, *values: object) -> None:
    changed = database.execute(statement.encode(), values).rowcount
    if changed != 1:
        raise NothingToPlantError(f"{changed} rows instead of one: {statement}")


def _double(database: Database, table: str, constraint: str, token: str, value: str) -> None:
    """The same row once more, past the constraint that forbids it."""
    names = [
        name
        for (name,) in database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", [table]
        )
    ]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    place = sql.Identifier(table)
    database.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(place, sql.Identifier(constraint)))
    statement = sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {0} WHERE {2} = %s").format(
        place,
        columns,
        sql.SQL(token),  # written above, not given
    )
    if database.execute(statement, [value]).rowcount != 1:
        raise NothingToPlantError(f"{value} is not in {table}.")
