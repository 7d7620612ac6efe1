"""What providers tell about messages, and people about themselves (STOP, START), by callbacks.

Callbacks come twice, late, and in any order. So a thing told is kept once, by its own number; the times it leaves at a
delivery are the earliest that were told; and what a person says counts by when they said it. Nothing told takes
anything back, but for one: who names a message by our key is right about the provider's number.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from accounts.domain.erasure import NOWHERE
from reminders.domain import consent
from reminders.enums import Channel, ConsentSource, DeliveryState, Outcome, SuppressionReason
from reminders.models import Delivery, ProviderEvent
from reminders.transports.base import Told, Transport

KEPT = timedelta(days=90)  # what is told again after this would be taken for new, and changes nothing then
BATCH = 10_000
# That a provider says such a thing proves that it had the message.
IT_LEFT = frozenset(set(Outcome) - {Outcome.FAILED, Outcome.STARTED})
COLUMNS = {
    Outcome.DELIVERED: ("delivered_at",),
    Outcome.BOUNCED: ("bounced_at",),
    Outcome.FAILED: ("bounced_at",),
    Outcome.READ: ("delivered_at", "read_at"),
    Outcome.CLICKED: ("delivered_at",),  # filters of mail follow every link; `links.follow` knows who did
    Outcome.COMPLAINED: ("delivered_at",),
}
# Of a message that is planned again it was said that the provider has nothing: it had.
HANDED_OVER = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN})
# Pictures of an e-mail that are loaded so soon after it left are loaded by a machine on the way.
MACHINES = timedelta(seconds=10)
IN_DOUBT = HANDED_OVER | {DeliveryState.PLANNED, DeliveryState.CLAIMED}
# LEAST passes over NULL, so a time is set once, and only an earlier one moves it.
SETTLE = """
UPDATE reminders_delivery AS d SET
  delivered_at = LEAST(d.delivered_at, v.delivered_at),
  bounced_at = LEAST(d.bounced_at, v.bounced_at),
  read_at = LEAST(d.read_at, v.read_at),
  error = CASE WHEN v.error <> '' THEN v.error ELSE d.error END,
  provider_id = CASE WHEN d.provider_id = '' THEN v.provider_id ELSE d.provider_id END,
  claim = CASE WHEN v.state <> '' THEN NULL ELSE d.claim END,
  ended_at = CASE WHEN v.state <> '' THEN %(now)s ELSE d.ended_at END,
  state = CASE WHEN v.state <> '' THEN v.state ELSE d.state END
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(provider_ids)s::text[], %(errors)s::text[],
            %(delivered)s::timestamptz[], %(bounced)s::timestamptz[], %(read)s::timestamptz[])
  AS v(id, state, provider_id, error, delivered_at, bounced_at, read_at)
WHERE d.id = v.id
"""
KEEP = """
INSERT INTO reminders_providerevent (transport, event_id, delivery_id, outcome, happened_at, received_at, details)
SELECT %(transport)s, e.event_id, e.delivery_id, e.outcome, e.happened_at, %(now)s, e.details::jsonb
FROM unnest(%(event_ids)s::text[], %(delivery_ids)s::bigint[], %(outcomes)s::text[], %(times)s::timestamptz[],
            %(details)s::text[]) AS e(event_id, delivery_id, outcome, happened_at, details)
ORDER BY e.event_id
ON CONFLICT (transport, event_id) DO NOTHING
RETURNING event_id
"""


@dataclass(slots=True)
class _Change:
    """What a delivery gets of everything that one callback told about it."""

    state: str = ""
    provider_id: str = ""
    error: str = ""
    times: dict[str, datetime] = field(default_factory=dict)


def take(transport: Transport, told: Sequence[Told], *, now: datetime) -> int:
    """Returns how many things were new. All of a callback or nothing: the provider tells it again then."""
    if not told:
        return 0
    once = {one.event_id: one for one in told}
    with transaction.atomic():
        deliveries = _deliveries(transport, once.values())
        about = {one.event_id: _about(one, deliveries) for one in once.values()}
        new = [once[event_id] for event_id in _keep(transport, once.values(), about, now=now)]
        _correct(transport, new, about, deliveries, now=now)
        _settle(new, about, now=now)
        # In one order of addresses, as people are locked; of one address as it was said.
        for one in sorted(new, key=lambda one: (consent.canonical(transport.channel, one.address), one.happened_at)):
            _heed(transport.channel, one, about[one.event_id], now=now)
    return len(new)


def _deliveries(transport: Transport, told: Iterable[Told]) -> list[Delivery]:
    """Locked in the order of their numbers, as everybody locks several. Of people who were erased nothing is kept."""
    keys = {one.key for one in told if one.key}
    numbers = {one.provider_id for one in told if one.provider_id}
    which = Q(key__in=keys) | Q(transport=transport.name, provider_id__in=numbers)
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True).filter(which, channel=transport.channel)
    return list(rows.exclude(user__email__endswith=f"@{NOWHERE}").order_by("pk"))


def _about(one: Told, deliveries: Sequence[Delivery]) -> Delivery | None:
    by_key = next((d for d in deliveries if one.key and d.key == one.key), None)
    return by_key or next((d for d in deliveries if one.provider_id and d.provider_id == one.provider_id), None)


def _keep(transport: Transport, told: Iterable[Told], about: dict[str, Delivery | None], *, now: datetime) -> list[str]:
    """The numbers of those that were not told before."""
    rows = [(one, about[one.event_id]) for one in told]
    parameters: dict[str, Any] = {
        "transport": transport.name,
        "now": now,
        "event_ids": [one.event_id[:200] for one, _ in rows],
        "delivery_ids": [delivery.pk if delivery else None for _, delivery in rows],
        "outcomes": [one.outcome.value for one, _ in rows],
        "times": [min(one.happened_at, now) for one, _ in rows],
        "details": [json.dumps(one.details) for one, _ in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, parameters)
        kept = {event_id for (event_id,) in cursor.fetchall()}
    return [one.event_id for one, _ in rows if one.event_id[:200] in kept]


def _correct(
    transport: Transport,
    new: Iterable[Told],
    about: dict[str, Delivery | None],
    deliveries: Sequence[Delivery],
    *,
    now: datetime,
) -> None:
    """A number that stands at another message than the one whose key comes with it was guessed there, when the
    provider was asked what it had for an address. Of that other one nobody knows again whether it was sent.
    """
    wrong = {
        one.pk
        for said in new
        if (right := about[said.event_id]) and said.key == right.key and said.provider_id
        for one in deliveries
        if one.pk != right.pk and (one.transport, one.provider_id) == (transport.name, said.provider_id)
    }
    if not wrong:
        return
    rows = Delivery.objects.filter(pk__in=wrong)
    rows.filter(state=DeliveryState.SENT, delivered_at=None, bounced_at=None, read_at=None).update(
        state=DeliveryState.UNKNOWN, ended_at=now, error="its number at the provider is another message's"
    )
    rows.update(provider_id="")


def _settle(new: Iterable[Told], about: dict[str, Delivery | None], *, now: datetime) -> None:
    changes: dict[int, _Change] = {}
    for one in new:
        delivery = about[one.event_id]
        if delivery is not None:
            _add(changes.setdefault(delivery.pk, _Change()), one, delivery, now=now)
    if not changes:
        return
    rows = sorted(changes.items())
    parameters: dict[str, Any] = {
        "now": now,
        "ids": [pk for pk, _ in rows],
        "states": [change.state for _, change in rows],
        "provider_ids": [change.provider_id for _, change in rows],
        "errors": [change.error for _, change in rows],
        "delivered": [change.times.get("delivered_at") for _, change in rows],
        "bounced": [change.times.get("bounced_at") for _, change in rows],
        "read": [change.times.get("read_at") for _, change in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, parameters)


def _add(change: _Change, one: Told, delivery: Delivery, *, now: datetime) -> None:
    at = min(one.happened_at, now)
    outcome = Outcome.DELIVERED if _is_by_machine(one, delivery) else one.outcome
    for column in COLUMNS.get(outcome, ()):
        change.times[column] = min(change.times.get(column, at), at)
    if one.outcome in {Outcome.BOUNCED, Outcome.FAILED}:
        said = " ".join(str(value) for value in one.details.values() if value)
        change.error = f"{one.outcome.value}: {said}"[:300] if said else one.outcome.value
    if delivery.state in IN_DOUBT and one.outcome in IT_LEFT:
        change.state = DeliveryState.SENT.value
        change.provider_id = change.provider_id or one.provider_id
    elif delivery.state in HANDED_OVER and one.outcome == Outcome.FAILED and not change.state:
        change.state = DeliveryState.FAILED.value
        change.provider_id = change.provider_id or one.provider_id


def _is_by_machine(one: Told, delivery: Delivery) -> bool:
    is_open = one.outcome == Outcome.READ and delivery.channel == Channel.EMAIL
    return is_open and delivery.claimed_at is not None and one.happened_at < delivery.claimed_at + MACHINES


def _heed(channel: Channel, one: Told, delivery: Delivery | None, *, now: datetime) -> None:
    """What it means for the address. That of the delivery counts: the person may have another one by now."""
    at = min(one.happened_at, now)
    if one.outcome == Outcome.STOPPED and one.address:
        source = ConsentSource.UNSUBSCRIBE if channel == Channel.EMAIL else ConsentSource.STOP
        consent.stop(channel=channel, address=one.address, source=source, said_at=at)
    elif one.outcome == Outcome.STARTED and one.address:
        consent.start(channel=channel, address=one.address, said_at=at)
    elif one.outcome == Outcome.COMPLAINED and one.address:
        consent.stop(channel=channel, address=one.address, source=ConsentSource.COMPLAINT, said_at=at)
    elif one.is_hard and one.outcome in {Outcome.BOUNCED, Outcome.FAILED}:
        digest = bytes(delivery.address_digest) if delivery and delivery.address_digest else b""
        digest = digest or (consent.address_digest(channel, one.address) if one.address else b"")
        if digest:
            consent.suppress(channel=channel, digest=digest, reason=SuppressionReason.HARD_BOUNCE, now=now)


def forget_old(*, now: datetime) -> int:
    """What was told long ago. What it said stands at the deliveries."""
    gone = 0
    while True:
        old = ProviderEvent.objects.filter(received_at__lt=now - KEPT).order_by("received_at")[:BATCH]
        number, _ = ProviderEvent.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
        gone += number
        if number < BATCH:
            return gone
