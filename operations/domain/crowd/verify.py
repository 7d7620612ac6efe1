"""Whether the database holds what was acknowledged: the crowd's journals against the rows.

A line of a journal is `beat <user> <phase> <start> <end>` for each acknowledged span, `question <user> <said> <key>`
and `vote <user> <said> <poll>` with what the site had said: ok, failed, late, or unknown where no answer came.
`spot <number> <said> <e-mail>` is of a doctor who had no account, once for the form and once more (`in`) when let in;
other lines have that number, which is below zero, for the account.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import floor
from pathlib import Path
from typing import Any

import psycopg

BATCH = 20_000
MOST_EXAMPLES = 20
Row = list[str]

# Beats on a recording that was cut are kept as seconds of the uncut one; what is behind the end is clipped.
_LOST_BEATS = """
SELECT b.user_id, b.phase, b.spans::text
FROM unnest(%s::int8[], %s::text[], %s::int4multirange[]) AS b (user_id, phase, spans)
LEFT JOIN webinars_watchrecord w ON w.user_id = b.user_id AND w.phase = b.phase AND w.webinar_id = %s
WHERE w.user_id IS NULL OR NOT
    CASE WHEN w.shown IS NULL THEN b.spans ELSE webinars_uncut(b.spans, w.shown) END <@ w.coverage
"""
_FOUND_QUESTIONS = """
SELECT q.client_key::text FROM webinars_question q
JOIN unnest(%s::int8[], %s::uuid[]) AS k (user_id, key) ON q.author_id = k.user_id AND q.client_key = k.key
WHERE q.webinar_id = %s
"""
_FOUND_VOTES = """
SELECT v.user_id, v.poll_id FROM webinars_pollvote v
JOIN unnest(%s::int8[], %s::int8[]) AS k (user_id, poll_id) USING (user_id, poll_id)
JOIN webinars_poll p ON p.id = v.poll_id WHERE p.webinar_id = %s
"""
_POLLS_NEVER_CLOSED = """
SELECT p.id FROM webinars_poll p JOIN webinars_webinar w ON w.id = p.webinar_id
WHERE p.id = ANY(%s::int8[]) AND p.closed_at IS NULL AND w.ended_at IS NULL
"""
_FOUND_SPOTS = """
SELECT r.email, count(*), bool_and(r.state = 'approved' AND u.last_login IS NOT NULL), min(r.user_id)
FROM webinars_spotrequest r JOIN webinars_spotwindow d ON d.id = r.window_id
LEFT JOIN accounts_user u ON u.id = r.user_id AND u.email = r.email
WHERE d.webinar_id = %s AND r.email = ANY(%s::text[]) GROUP BY r.email
"""


@dataclass(slots=True)
class Verdict:
    """Nothing lost and nothing that was refused: `is_clean`. Twice nothing can be: the rows are unique.

    But for a webinar with two doors: whoever asked at one is there once.
    """

    acked_beats: int = 0
    lost_acks: int = 0
    ok_questions: int = 0
    lost_questions: int = 0
    unexpected_questions: int = 0  # in the database although the site had said no
    ok_votes: int = 0
    lost_votes: int = 0
    unexpected_votes: int = 0  # refused as too late, and the poll was open all the time
    ok_spots: int = 0  # forms at the door
    lost_spots: int = 0  # not there exactly once, or told to come in and not let in
    unexpected_spots: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.unexpected)

    @property
    def lost(self) -> int:
        return self.lost_acks + self.lost_questions + self.lost_votes + self.lost_spots

    @property
    def unexpected(self) -> int:
        """What the site said is not so."""
        return self.unexpected_questions + self.unexpected_votes + self.unexpected_spots

    def tell(self, text: str) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(text)


def verify(journals: Sequence[Path | str], *, dsn: str, webinar_id: int) -> Verdict:
    """`dsn`: of the database that the site writes to, or of a copy made after the crowd had gone. Only reads."""
    verdict = Verdict()
    with psycopg.connect(dsn, autocommit=True) as connection:
        accounts = _check_spots(connection, [row for row in _rows(journals) if row[0] == "spot"], webinar_id, verdict)
        rows = ([row[0], accounts.get(row[1], row[1]), *row[2:]] for row in _rows(journals))
        while batch := list(islice(rows, BATCH)):
            _check_beats(connection, [row for row in batch if row[0] == "beat"], webinar_id, verdict)
            _check_questions(connection, [row for row in batch if row[0] == "question"], webinar_id, verdict)
            _check_votes(connection, [row for row in batch if row[0] == "vote"], webinar_id, verdict)
    return verdict


def _rows(journals: Sequence[Path | str]) -> Iterator[Row]:
    for journal in journals:
        with Path(journal).open() as file:
            for line in file:
                yield line.rstrip("\n").split("\t")


def _check_spots(
    connection: psycopg.Connection[Any], rows: list[Row], webinar_id: int, verdict: Verdict
) -> dict[str, str]:
    """Returns the accounts that were made, by the numbers of those who had none."""
    found = {
        email: (count, is_in, user)
        for email, count, is_in, user in connection.execute(_FOUND_SPOTS, [webinar_id, [row[3] for row in rows]])
    }
    accounts = {}
    for _, number, said, email in rows:
        count, is_in, user = found.get(email, (0, False, None))
        if user is not None:
            accounts[number] = str(user)
        verdict.ok_spots += said == "ok"
        if said in {"ok", "in"} and (count != 1 or (said == "in" and not is_in)):
            verdict.lost_spots += 1
            verdict.tell(f"asked at the door and lost: {email}, told “{said}”, there {count} times")
        if said == "failed" and count:
            verdict.unexpected_spots += 1
            verdict.tell(f"refused at the door and there: {email}")
    return accounts


def _check_beats(connection: psycopg.Connection[Any], rows: list[Row], webinar_id: int, verdict: Verdict) -> None:
    users = [int(user) for _, user, *_ in rows]
    phases = [phase for _, _, phase, *_ in rows]
    spans = [f"{{[{floor(float(start) + 0.5)},{floor(float(end) + 0.5)})}}" for *_, start, end in rows]
    verdict.acked_beats += len(rows)
    for user, phase, seconds in connection.execute(_LOST_BEATS, [users, phases, spans, webinar_id]):
        verdict.lost_acks += 1
        verdict.tell(f"acknowledged and lost: person {user}, {phase}, seconds {seconds}")


def _check_questions(connection: psycopg.Connection[Any], rows: list[Row], webinar_id: int, verdict: Verdict) -> None:
    users, keys = [int(row[1]) for row in rows], [row[3] for row in rows]
    found = {key for (key,) in connection.execute(_FOUND_QUESTIONS, [users, keys, webinar_id])}
    for _, user, said, key in rows:
        verdict.ok_questions += said == "ok"
        if said == "ok" and key not in found:
            verdict.lost_questions += 1
            verdict.tell(f"asked and lost: person {user}, question {key}")
        if said == "failed" and key in found:
            verdict.unexpected_questions += 1
            verdict.tell(f"refused and there: person {user}, question {key}")


def _check_votes(connection: psycopg.Connection[Any], rows: list[Row], webinar_id: int, verdict: Verdict) -> None:
    users, polls = [int(row[1]) for row in rows], [int(row[3]) for row in rows]
    found = set(connection.execute(_FOUND_VOTES, [users, polls, webinar_id]))
    late = list({int(row[3]) for row in rows if row[2] == "late"})
    open_ones = {poll for (poll,) in connection.execute(_POLLS_NEVER_CLOSED, [late])}
    for (_, _, said, _), user, poll in zip(rows, users, polls, strict=True):
        if said == "late" and poll in open_ones:
            verdict.unexpected_votes += 1
            verdict.tell(f"refused as too late, and open: person {user}, poll {poll}")
        verdict.ok_votes += said == "ok"
        if said == "ok" and (user, poll) not in found:
            verdict.lost_votes += 1
            verdict.tell(f"voted and lost: person {user}, poll {poll}")
