"""The outbox: who has which message in hand, and what became of it. Every change is one conditional statement.

    planned → claimed → sending → sent | failed | unknown
    planned, claimed → skipped; claimed, sending → planned

A worker claims a handful, and while they are *claimed* nothing has left: a crash gives them back. Before anything is
handed to a provider the rows become *sending*, in a transaction of their own; from there on only the provider knows, so
a crash makes them *unknown*, and nothing that is unknown is ever sent again without its word. Each step names the
claim: who was too slow and lost it, changes nothing and hands nothing over. Only the provider's answer is taken from
the very worker that was handing over, however late. So there is at most one message for a key, whatever dies when.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q

from reminders.enums import DeliveryState, SkipReason
from reminders.models import Delivery

CHUNK = 200
CLAIM_LASTS = timedelta(minutes=2)
SENDING_LASTS = timedelta(minutes=5)  # longer than nearly every call of a provider takes
WHY_LENGTH = 300

# The array is worked out once: `IN (SELECT … LIMIT)` may be asked again for every row, and then claims more.
_CLAIM = """
UPDATE reminders_delivery SET state = 'claimed', claim = %(claim)s, claimed_at = %(now)s
WHERE id = ANY (ARRAY(
    SELECT id FROM reminders_delivery WHERE state = 'planned' AND due_at <= %(now)s AND channel = %(channel)s
    ORDER BY is_urgent DESC, due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
))
RETURNING id
"""
_BEGIN = """
UPDATE reminders_delivery d SET state = 'sending', claimed_at = %(now)s, lost_claim = NULL, transport = %(transport)s,
    address_digest = v.digest, template_id = v.template, segments = v.segments
FROM unnest(%(ids)s::bigint[], %(digests)s::bytea[], %(templates)s::bigint[], %(segments)s::int[])
    AS v (id, digest, template, segments)
WHERE d.id = v.id AND d.state = 'claimed' AND d.claim = %(claim)s
RETURNING d.id
"""
_INTO_INBOX = """
UPDATE reminders_delivery d SET state = 'sent', claim = NULL, transport = 'inbox', template_id = v.template,
    ended_at = %(now)s, delivered_at = %(now)s, tries = d.tries + 1
FROM unnest(%(ids)s::bigint[], %(templates)s::bigint[]) AS v (id, template)
WHERE d.id = v.id AND d.state = 'claimed' AND d.claim = %(claim)s
RETURNING d.id
"""
# One who comes back late with the provider's answer is believed: it is what was missing. "Accepted" is so whoever asks;
# that it was refused is so for the last hand-over alone. Of somebody who was erased meanwhile nothing new is kept.
_SETTLE = """
UPDATE reminders_delivery d SET state = v.state, claim = NULL, lost_claim = NULL, error = v.why,
    provider_id = CASE WHEN EXISTS (SELECT FROM accounts_user u WHERE u.id = d.user_id AND u.is_active)
        THEN v.provider_id ELSE '' END,
    due_at = coalesce(v.due_at, d.due_at), tries = d.tries + 1,
    ended_at = CASE WHEN v.state = 'planned' THEN NULL ELSE %(now)s END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(provider_ids)s::text[], %(whys)s::text[], %(dues)s::timestamptz[])
    AS v (id, state, provider_id, why, due_at)
WHERE d.id = v.id AND (d.state = 'sending' AND d.claim = %(claim)s
    OR d.state = 'unknown' AND (v.state = 'sent' OR d.lost_claim = %(claim)s))
RETURNING d.id
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    claim: uuid.UUID
    deliveries: list[Delivery]


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is known of a message in the moment in which it leaves."""

    delivery_id: int
    address_digest: bytes | None
    template_id: int | None
    segments: int | None


@dataclass(frozen=True, slots=True)
class Ending:
    """`state` sent, failed or unknown; or planned with another `due_at`."""

    delivery_id: int
    state: DeliveryState
    provider_id: str = ""
    why: str = ""
    due_at: datetime | None = None


def claim_due(*, channel: str, limit: int = CHUNK, now: datetime) -> Claimed:
    """The most urgent that are due, for nobody else. Two workers at once get different rows and wait for none."""
    claim = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"claim": claim, "now": now, "channel": channel, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    found = Delivery.objects.filter(pk__in=ids).select_related(
        "user", "programme__message_policy", "campaign", "fallback_of__fallback_of__fallback_of", "template"
    )
    return Claimed(claim, list(found.order_by("-is_urgent", "due_at", "pk")) if ids else [])


def give_back(*, claim: uuid.UUID, due: Mapping[int, datetime | None], why: str = "", now: datetime) -> int:
    """Planned again, at another time where one is given. Nothing has left."""
    given = 0
    for due_at in set(due.values()):
        ids = [one for one, at in due.items() if at == due_at]
        change: dict[str, object] = {"state": DeliveryState.PLANNED, "claim": None}
        if due_at is not None:
            change["due_at"] = due_at
        if why:
            change["error"] = why[:WHY_LENGTH]
        given += Delivery.objects.filter(pk__in=ids, state=DeliveryState.CLAIMED, claim=claim).update(**change)
    return given


def skip(*, claim: uuid.UUID, reasons: Mapping[int, SkipReason], now: datetime) -> int:
    """Not sent, for a reason."""
    skipped = 0
    for reason in sorted(set(reasons.values())):
        ids = [one for one, why in reasons.items() if why == reason]
        skipped += Delivery.objects.filter(pk__in=ids, state=DeliveryState.CLAIMED, claim=claim).update(
            state=DeliveryState.SKIPPED, claim=None, skip_reason=reason, ended_at=now
        )
    return skipped


def begin_sending(*, claim: uuid.UUID, leaving: Sequence[Leaving], transport: str, now: datetime) -> set[int]:
    """Those that may be handed over now, and must be: the last step before the provider. The others were lost."""
    values: dict[str, Any] = {
        "claim": claim,
        "now": now,
        "transport": transport,
        "ids": [one.delivery_id for one in leaving],
        "digests": [one.address_digest for one in leaving],
        "templates": [one.template_id for one in leaving],
        "segments": [one.segments for one in leaving],
    }
    # Durable, or nothing: within somebody else's transaction a crash would take this back after the message had left.
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)
        return {row[0] for row in cursor.fetchall()}


def mark_in_inbox(*, claim: uuid.UUID, leaving: Sequence[Leaving], now: datetime) -> set[int]:
    """Sent at once: in the transaction that puts them there, and only those whose claim still holds."""
    values: dict[str, Any] = {
        "claim": claim,
        "now": now,
        "ids": [one.delivery_id for one in leaving],
        "templates": [one.template_id for one in leaving],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INTO_INBOX, values)
        return {row[0] for row in cursor.fetchall()}


def settle(*, claim: uuid.UUID, endings: Collection[Ending], now: datetime) -> set[int]:
    """What the provider said. Returns those that were still ours to settle."""
    values: dict[str, Any] = {
        "claim": claim,
        "now": now,
        "ids": [one.delivery_id for one in endings],
        "states": [one.state.value for one in endings],
        "provider_ids": [one.provider_id[:200] for one in endings],
        "whys": [one.why[:WHY_LENGTH] for one in endings],
        "dues": [one.due_at for one in endings],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)
        return {row[0] for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Recovered:
    given_back: int
    unknown: int


@transaction.atomic
def recover(*, now: datetime) -> Recovered:
    """After workers that died. One that is only slow loses its claim as well, and finds that out before it sends."""
    leased = Delivery.objects.filter(claimed_at__isnull=False)
    given = leased.filter(state=DeliveryState.CLAIMED, claimed_at__lte=now - CLAIM_LASTS).update(
        state=DeliveryState.PLANNED, claim=None
    )
    lost = leased.filter(state=DeliveryState.SENDING, claimed_at__lte=now - SENDING_LASTS).update(
        state=DeliveryState.UNKNOWN,
        claim=None,
        lost_claim=F("claim"),
        ask_at=None,
        ended_at=now,
        error="the worker ended while it was handing over",
    )
    return Recovered(given, lost)


def drop(*, which: Q, now: datetime) -> int:
    """Withdraws what has not left yet. A worker that has it in its hands finds its claim gone. `which` joins nothing:
    an UPDATE across a join would also withdraw what is being handed over by now.
    """
    return Delivery.objects.filter(which, state__in=(DeliveryState.PLANNED, DeliveryState.CLAIMED)).update(
        state=DeliveryState.SKIPPED, skip_reason=SkipReason.STOPPED, claim=None, ended_at=now
    )


def retry(*, which: Q, with_unknown: bool = False, now: datetime) -> int:
    """Sends failed ones again that are still of use, unless the next channel has the message. `with_unknown`: those may
    arrive a second time.
    """
    states = [DeliveryState.FAILED, *([DeliveryState.UNKNOWN] if with_unknown else [])]
    carried_on = Exists(Delivery.objects.filter(fallback_of=OuterRef("pk")).exclude(state=DeliveryState.SKIPPED))
    return Delivery.objects.filter(which, ~carried_on, state__in=states, expires_at__gt=now).update(
        state=DeliveryState.PLANNED, due_at=now, ended_at=None, tries=0, lost_claim=None, provider_id="", error=""
    )


def due_number(*, channel: str, now: datetime) -> int:
    return Delivery.objects.filter(state=DeliveryState.PLANNED, due_at__lte=now, channel=channel).count()
