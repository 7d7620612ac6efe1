"""What must be true of the exam, by the journal, the stored answers and the key. Marks by rules of its own.

Nothing of the product is used here: a rule that both got wrong in the same way would be no check.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.faults.findings import Database, Finding
from tests.faults.journal import History, Outcome

ATTEMPTS = """SELECT id, user_id, state, counts, started_at, submitted_at, deadline_at, grace_seconds, ended_by, score,
    most_points, is_passed, pass_percent, wrong_share, paper FROM assessments_attempt
    WHERE quiz_id = %(exam)s ORDER BY user_id, started_at"""
ANSWERS = """SELECT w.attempt_id, w.position, w.value, w.saved, w.saved_at, w.points, i.kind, v.shown, v.key, v.id
    FROM assessments_answer w JOIN assessments_attempt a ON a.id = w.attempt_id
    JOIN assessments_itemversion v ON v.id = w.version_id JOIN assessments_item i ON i.id = v.item_id
    WHERE a.quiz_id = %(exam)s"""
COMPLETIONS = """SELECT user_id, completed_at, (evidence->>'attempt')::bigint FROM courses_lessoncompletion
    WHERE lesson_id = %(exam_lesson)s"""
FINISHED = {"submitted", "marked"}
ROUNDED = Fraction(1, 10_000)


@dataclass(frozen=True, slots=True)
class Sitting:
    """An attempt as it is stored."""

    id: int
    user: int
    state: str
    counts: bool
    started_at: datetime
    submitted_at: datetime | None
    deadline_at: datetime | None
    grace_seconds: int
    ended_by: str
    score: Decimal | None
    most: Decimal
    is_passed: bool | None
    pass_percent: Decimal | None
    wrong_share: Decimal
    paper: dict[str, Any]

    @property
    def ends_at(self) -> datetime | None:
        return self.deadline_at and self.deadline_at + timedelta(seconds=self.grace_seconds)


@dataclass(frozen=True, slots=True)
class Stored:
    attempt: int
    position: int
    value: Any
    saved: int
    saved_at: datetime | None
    points: Decimal | None
    kind: str
    shown: dict[str, Any]
    key: dict[str, Any]
    version: int


def check_exam(database: Database, history: History, values: dict[str, Any]) -> Iterator[Finding]:
    sittings = [Sitting(*row) for row in database.execute(ATTEMPTS, values)]
    stored = {(one.attempt, one.position): one for one in (Stored(*row) for row in database.execute(ANSWERS, values))}
    completions = {user: (at, attempt) for user, at, attempt in database.execute(COMPLETIONS, values)}
    yield from _saves(history, stored)
    yield from _attempts(history, sittings, values["begun"])
    yield from _submits(history, sittings)
    for one in sittings:
        answers = [stored.get((one.id, position)) for position in range(len(one.paper["items"]))]
        yield from _times(one, answers)
        yield from _marks(one, answers)
    yield from _counting(sittings)
    yield from _completions(sittings, completions)


def _saves(history: History, stored: dict[tuple[int, int], Stored]) -> Iterator[Finding]:
    """Of what was acknowledged the highest number stands, or a higher one that nobody has heard of."""
    sent: dict[tuple[int, int], list[tuple[int, Any, Outcome]]] = defaultdict(list)
    for one in history.of("save"):
        attempt, position, saved, value = one.token.split(":", 3)
        sent[int(attempt), int(position)].append((int(saved), json.loads(value), one.outcome))
    for place, saves in sent.items():
        name = f"{place[0]}:{place[1]}"
        yield from _twice(name, [(saved, value) for saved, value, outcome in saves if outcome is Outcome.OK])
        newest = max((saved for saved, _, outcome in saves if outcome is Outcome.OK), default=0)
        may = [
            (saved, value)
            for saved, value, outcome in saves
            if (saved == newest and outcome is Outcome.OK) or (saved > newest and outcome is Outcome.UNKNOWN)
        ]
        found = stored.get(place)
        stands = (found.saved, found.value) if found else (0, None)
        if stands not in may and (newest or stands != (0, None)):
            yield Finding("save", name, f"{stands} stands, may be {sorted(map(str, may))}")
    for place, kept in stored.items():
        if kept.saved and place not in sent:
            yield Finding("save", f"{place[0]}:{place[1]}", "in the database, and nobody has sent it")


def _twice(name: str, acknowledged: list[tuple[int, Any]]) -> Iterator[Finding]:
    first = dict(reversed(acknowledged))
    for saved, value in acknowledged:
        if value != first[saved]:
            yield Finding("save", name, f"{saved} was acknowledged as {first[saved]} and as {value}")


def _attempts(history: History, sittings: list[Sitting], begun: dict[str, int]) -> Iterator[Finding]:
    """Each that the server named is there and of that person; no more than were named or may have been begun."""
    named = {int(user): {attempt} for user, attempt in begun.items()}
    for one in history.of("attempt"):
        user, attempt = map(int, one.token.split(":"))
        named.setdefault(user, set()).add(attempt)
    unsure = Counter(one.who for one in history.of("start", Outcome.UNKNOWN))
    by_user: dict[int, list[Sitting]] = defaultdict(list)
    for sitting in sittings:
        by_user[sitting.user].append(sitting)
    for user in named.keys() | by_user.keys():
        mine, known = by_user[user], named.get(user, set())
        there = {one.id for one in mine}
        if not known <= there:
            yield Finding("attempt", str(user), f"begun and gone: {sorted(known - there)}")
        if len(there - known) > unsure[user]:
            yield Finding("attempt", str(user), f"{sorted(there - known)} were begun, and nobody was told")
        if sum(one.state == "open" for one in mine) > 1:
            yield Finding("attempt", str(user), "two are open")
        for before, after in pairwise(mine):
            if before.submitted_at is None or before.submitted_at > after.started_at:
                yield Finding("attempt", str(user), f"{after.id} was begun while {before.id} was open")


def _submits(history: History, sittings: list[Sitting]) -> Iterator[Finding]:
    states = {one.id: one.state for one in sittings}
    acknowledged = {int(one.token) for one in history.of("submit", Outcome.OK)}
    tried = {int(one.token) for one in history.of("submit") if one.outcome is not Outcome.FAILED}
    for attempt in acknowledged:
        if states.get(attempt) not in FINISHED:
            yield Finding("submit", str(attempt), f"handed in, and {states.get(attempt)}")
    for one in sittings:
        if one.ended_by == "person" and one.id not in tried:
            yield Finding("submit", str(one.id), "handed in, and nobody has done it")


def _times(one: Sitting, answers: list[Stored | None]) -> Iterator[Finding]:
    """Nobody ends late, and nothing is written behind the back of somebody who has handed in."""
    if one.submitted_at is None:
        return
    last = max((answer.saved_at for answer in answers if answer and answer.saved_at), default=one.started_at)
    if one.ended_by == "person" and last > one.submitted_at:
        yield Finding("exam", str(one.id), f"an answer of {last} came in after it was handed in at {one.submitted_at}")
    if one.ended_by == "deadline" and one.submitted_at != one.deadline_at:
        yield Finding("exam", str(one.id), f"ended by its deadline {one.deadline_at}, and at {one.submitted_at}")
    if one.ended_by == "person" and one.ends_at and one.submitted_at > one.ends_at:
        yield Finding("exam", str(one.id), f"handed in at {one.submitted_at}, and over at {one.ends_at}")


def _marks(one: Sitting, answers: list[Stored | None]) -> Iterator[Finding]:
    if one.state not in FINISHED:
        return
    total = Fraction(0)
    for position, (entry, answer) in enumerate(zip(one.paper["items"], answers, strict=True)):
        name = f"{one.id}:{position}"
        if answer is None or answer.points is None or answer.version != entry["v"]:
            yield Finding("mark", name, "has no mark")
            continue
        worth = _share(answer, Fraction(one.wrong_share)) * Fraction(entry["p"])
        if abs(worth - Fraction(answer.points)) > ROUNDED:
            yield Finding("mark", name, f"{answer.points} points, {float(worth):.4f} by the key")
        total += Fraction(answer.points)
    score = min(Fraction(one.most), max(Fraction(0), total))
    if one.score is None or Fraction(one.score) != score:
        yield Finding("mark", str(one.id), f"a result of {one.score}, its answers are worth {float(score):.4f}")
    elif one.is_passed is not (score * 100 >= Fraction(one.pass_percent or 0) * Fraction(one.most)):
        yield Finding("mark", str(one.id), f"passed: {one.is_passed}, with {one.score} of {one.most}")


def _share(answer: Stored, wrong_share: Fraction) -> Fraction:
    value, key = answer.value, answer.key
    if value is None:
        return Fraction(0)
    if answer.kind in {"single", "true_false"}:
        return Fraction(1) if value["choice"] == key["right"] else -wrong_share
    if answer.kind == "numeric":
        right = key["answers"][0]
        off = abs(Fraction(value["number"]) - Fraction(right["right"]))
        return Fraction(off <= Fraction(right["tolerance"]))
    if answer.kind == "multiple":
        return _several(set(value["choices"]), key, {option["id"] for option in answer.shown["options"]})
    places, right = value["places"], key["right"]
    if key["rule"] == "places":
        return Fraction(sum(places.get(name) == at for at, name in enumerate(right, 1)), len(right))
    in_order = sorted(places, key=lambda name: int(places[name]))
    return Fraction(sum(pair in set(pairwise(right)) for pair in pairwise(in_order)), len(right) - 1)


def _several(chosen: set[str], key: dict[str, Any], every: set[str]) -> Fraction:
    right = set(key["right"])
    if key["rule"] == "minus":
        return max(Fraction(0), Fraction(len(chosen & right) - len(chosen - right), len(right)))
    return 1 - Fraction(len(chosen ^ right), len(every))


def _counting(sittings: list[Sitting]) -> Iterator[Finding]:
    """The best one, the earlier of equals; one of each person who has any marked, and no other."""
    by_user: dict[int, list[Sitting]] = defaultdict(list)
    for one in sittings:
        by_user[one.user].append(one)
    for user, mine in by_user.items():
        marked = [one for one in mine if one.state == "marked"]
        best = max(marked, key=lambda one: (Fraction(one.score or 0) / Fraction(one.most), -one.id), default=None)
        counting = [one.id for one in mine if one.counts]
        if counting != ([best.id] if best else []):
            yield Finding("exam", str(user), f"{counting} count, {best.id if best else 'none'} should")


def _completions(sittings: list[Sitting], completions: dict[int, tuple[datetime, int]]) -> Iterator[Finding]:
    """Handing in completes the lesson, once and at once; a deadline not before its grace is over."""
    finished = {one.id: one for one in sittings if one.state in FINISHED}
    users = {one.user for one in finished.values()}
    for user in completions.keys() - users:
        yield Finding("exam lesson", str(user), "completed, and nothing was handed in")
    for user in users - completions.keys():
        yield Finding("exam lesson", str(user), "handed in, and not completed")
    for user in users & completions.keys():
        at, attempt = completions[user]
        one = finished.get(attempt)
        if one is None or one.user != user:
            yield Finding("exam lesson", str(user), f"completed by {attempt}, which was not handed in")
        elif one.ended_by == "deadline" and one.ends_at and at <= one.ends_at:
            yield Finding("exam lesson", str(user), f"ended at {at}, with time until {one.ends_at}")
