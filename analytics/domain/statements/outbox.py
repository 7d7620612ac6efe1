"""Who has which statement in hand, and what became of it.

A claim lasts some minutes and then counts no more: whoever died with it has maybe sent, and the next one sends the same
statements again, which the store knows by their ids. Of somebody who is not in the programme now nothing is claimed.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts.domain.erasure import NOWHERE
from accounts.models import User
from analytics.enums import DEAD_STATEMENTS, StatementState
from analytics.models import Pseudonym, Statement, StatementFeed
from courses.enums import OPEN_ENROLMENTS

CLAIM_LASTS = timedelta(minutes=5)  # longer than one worker is at a handful (`sending.MOST_SECONDS`)
MOST_TRIES = 30  # about three days
BODY_LASTS = timedelta(days=30)
_CLAIM = """
UPDATE analytics_statement SET claim = %(claim)s, claimed_at = %(now)s
WHERE id = ANY (ARRAY(
    SELECT s.id FROM analytics_statement s
    JOIN accounts_user u ON u.id = s.user_id AND u.is_active AND u.erasure_asked_at IS NULL
    JOIN courses_enrolment e ON e.user_id = s.user_id AND e.programme_id = s.programme_id AND e.status = ANY(%(open)s)
    WHERE s.state = 'waiting' AND s.due_at <= %(now)s AND (s.claimed_at IS NULL OR s.claimed_at <= %(over)s)
    ORDER BY s.due_at, s.happened_at, s.id LIMIT %(limit)s FOR UPDATE OF s SKIP LOCKED
))
RETURNING id
"""
_SETTLE = """
UPDATE analytics_statement s SET state = v.state, claim = NULL, claimed_at = NULL, error = v.why,
    attempts = s.attempts + 1, due_at = coalesce(v.due_at, s.due_at),
    ended_at = CASE WHEN v.state = 'waiting' THEN NULL ELSE %(now)s END
FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(whys)s::text[], %(dues)s::timestamptz[])
    AS v (id, state, why, due_at)
WHERE s.id = v.id AND s.state = 'waiting' AND (s.claim = %(claim)s OR v.state = 'sent')
"""
_FORGET = """
WITH gone AS (
    DELETE FROM analytics_statement s WHERE s.state = 'waiting' AND NOT EXISTS (
        SELECT FROM accounts_user u JOIN courses_enrolment e ON e.user_id = u.id
        WHERE u.id = s.user_id AND u.is_active AND u.erasure_asked_at IS NULL
            AND e.programme_id = s.programme_id AND e.status = ANY(%(open)s)
    ) RETURNING s.verb, s.body
), held_again AS (
    UPDATE analytics_statement SET voided_at = NULL
    WHERE id IN (SELECT (body -> 'object' ->> 'id')::uuid FROM gone WHERE verb = 'voided')
)
SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """`due_at`: of one that goes on waiting."""

    statement_id: uuid.UUID
    state: StatementState
    why: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    claim: uuid.UUID
    statements: list[Statement]


def claim_due(*, limit: int, now: datetime) -> Claimed:
    """Two workers at once get different ones and wait for none."""
    claim = uuid.uuid4()
    values: dict[str, Any] = {
        "claim": claim,
        "now": now,
        "over": now - CLAIM_LASTS,
        "limit": limit,
        "open": sorted(OPEN_ENROLMENTS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        ids = [row[0] for row in cursor.fetchall()]
    return Claimed(claim, list(Statement.objects.filter(pk__in=ids).order_by("due_at", "happened_at", "pk")))


def settle(*, claim: uuid.UUID, endings: Collection[Ending], now: datetime) -> int:
    """What the store said. That it has one is so whoever asks; anything else only of what is still ours."""
    values: dict[str, Any] = {
        "claim": claim,
        "now": now,
        "ids": [one.statement_id for one in endings],
        "states": [one.state.value for one in endings],
        "whys": [one.why[:300] for one in endings],
        "dues": [one.due_at for one in endings],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)
        return int(cursor.rowcount)


def give_back(*, claim: uuid.UUID) -> int:
    """What was claimed and not tried."""
    return Statement.objects.filter(claim=claim, state=StatementState.WAITING).update(claim=None, claimed_at=None)


def pseudonyms(users: Iterable[int]) -> dict[int, uuid.UUID]:
    """Drawn where there is none yet; two who draw at once end up with the same one."""
    wanted = set(users)
    known = dict(Pseudonym.objects.filter(user__in=wanted).values_list("user", "name"))
    if missing := wanted - set(known):
        Pseudonym.objects.bulk_create([Pseudonym(user_id=one) for one in sorted(missing)], ignore_conflicts=True)
        known |= dict(Pseudonym.objects.filter(user__in=missing).values_list("user", "name"))
    return known


@transaction.atomic
def forget_those_who_left() -> int:
    """What waits of people who are not in the programme any more is neither sent nor kept. How many they were.

    Somebody who comes back has it made again by the next look at everything; also what was to be taken back.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"open": sorted(OPEN_ENROLMENTS)})
        gone: int = cursor.fetchone()[0]
    Pseudonym.objects.filter(user__in=User.objects.filter(email__endswith=f"@{NOWHERE}")).delete()
    return gone


@transaction.atomic
def forget_all() -> int:
    """What waits, when there is no store any more. Should there be one again, everything is looked at anew."""
    StatementFeed.objects.all().delete()
    return Statement.objects.filter(state=StatementState.WAITING).delete()[0]


def empty_sent(*, now: datetime) -> int:
    """What the store has had for a month is kept by its id alone, by which the same fact is known and taken back."""
    sent = Statement.objects.filter(state=StatementState.SENT, ended_at__lt=now - BODY_LASTS)
    return sent.exclude(body={}).update(body={})


def retry(*, which: Q, now: datetime) -> int:
    """Those that were refused or given up, from the beginning."""
    return Statement.objects.filter(which, state__in=DEAD_STATEMENTS).update(
        state=StatementState.WAITING, due_at=now, ended_at=None, attempts=0, error="", claim=None, claimed_at=None
    )
