"""Messages of which nobody here knows whether they left: the provider is asked, where it can be.

One that has nothing, and says so for certain, makes it planned again, but only when so much time has passed that nobody
can still be handing it over. What cannot be asked (SMTP) stays unknown for good: sent twice is worse than not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.logging import get_logger
from reminders.domain import consent
from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery
from reminders.transports import all_transports
from reminders.transports.base import Accepted, Refused, Transport

log = get_logger("reminders")
BATCH = 100
SETTLED_AFTER = timedelta(minutes=30)  # a call of a provider ends long before
ASKED_FOR = timedelta(days=2)


@dataclass(slots=True)
class Reconciled:
    sent: int = 0
    failed: int = 0
    planned: int = 0
    unknown: int = 0


def reconcile(*, now: datetime) -> Reconciled:
    """A batch of each transport that can be asked, those asked longest ago first."""
    found = Reconciled()
    for transport in all_transports():
        if transport.can_look_up:
            _ask(transport, _unknown(transport, now=now), found, now=now)
    return found


def _unknown(transport: Transport, *, now: datetime) -> Iterable[Delivery]:
    """`claimed_at` is when the message was handed over. Those that ended last come last, and the first are left after a
    while.
    """
    rows = Delivery.objects.filter(
        state=DeliveryState.UNKNOWN,
        channel=transport.channel,
        transport=transport.name,
        claimed_at__gt=now - ASKED_FOR,
        ended_at__lte=now - timedelta(minutes=1),
    )
    return rows.select_related("user").order_by("claimed_at", "pk")[:BATCH]


def _ask(transport: Transport, deliveries: Iterable[Delivery], found: Reconciled, *, now: datetime) -> None:
    for one in deliveries:
        try:
            answer = transport.look_up(one.key, one.provider_id, one.claimed_at or now, _address(one))
        except Exception:  # of this one: the others are asked
            log.exception("reminders.not_looked_up", delivery=one.pk, transport=transport.name)
            answer = None
        outcome = _learn(one, answer, now=now)
        setattr(found, outcome, getattr(found, outcome) + 1)


def _address(one: Delivery) -> str:
    """As it is today, where that is the one the message went to."""
    if one.channel == Channel.PUSH:
        return ""
    address = consent.address_of(one.user, one.channel)
    same = one.address_digest and bytes(one.address_digest) == consent.address_digest(one.channel, address)
    return address if same else ""


def _learn(one: Delivery, answer: Accepted | Refused | None, *, now: datetime) -> str:
    """The state that it has now. Conditional: a callback may have told in the meantime."""
    rows = Delivery.objects.filter(pk=one.pk, state=DeliveryState.UNKNOWN)
    if isinstance(answer, Accepted):
        if _is_anothers(one, answer.provider_id):
            return "unknown"
        rows.update(state=DeliveryState.SENT, provider_id=answer.provider_id or one.provider_id, ended_at=now, error="")
        return "sent"
    if not isinstance(answer, Refused):
        return "unknown"
    if not answer.is_temporary:
        rows.update(state=DeliveryState.FAILED, ended_at=now, error=answer.why[:300])
        return "failed"
    if one.claimed_at is None or one.claimed_at > now - SETTLED_AFTER:
        return "unknown"
    if one.expires_at <= now:
        rows.update(state=DeliveryState.FAILED, ended_at=now, error="the provider has nothing, and it was too late")
        return "failed"
    rows.update(state=DeliveryState.PLANNED, due_at=now, ended_at=None, error="the provider had nothing")
    return "planned"


def _is_anothers(one: Delivery, provider_id: str) -> bool:
    """Who is asked by address names what went there at the time: that may be another message to the same person."""
    same = Delivery.objects.filter(transport=one.transport, provider_id=provider_id)
    return bool(provider_id) and same.exclude(pk=one.pk).exists()
