"""Messages of which nobody here knows whether they left: the provider is asked, where it can be.

One that has nothing, and says so for certain, makes it planned again, but only when so much time has passed that nobody
can still be handing it over. What cannot be asked (SMTP) stays unknown for good: sent twice is worse than not known.

Each is asked about after a minute, and then when it is half as old again: those that nobody can answer for never stand
before the others. A provider that takes its time to answer gets its share of `SECONDS` and no more.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Q
from django.db.models.functions import Coalesce

from core.logging import get_logger
from reminders.domain import consent
from reminders.domain.addresses import every_digest
from reminders.domain.places import PLACES
from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery, PhoneCode
from reminders.models.phone import GOOD_FOR
from reminders.transports import all_transports
from reminders.transports.base import Accepted, Refused, Transport

log = get_logger("reminders")
BATCH = 100
FIRST_AFTER = timedelta(minutes=1)
SECONDS = 40.0  # of all transports together, but for the question that is under way then
SETTLED_AFTER = timedelta(minutes=30)  # a call of a provider ends long before
ASKED_FOR = timedelta(days=2)
NEAR = timedelta(minutes=5)  # two messages to one address are not told apart by when a provider took them
IN_DOUBT = (DeliveryState.SENDING, DeliveryState.UNKNOWN)


@dataclass(slots=True)
class Reconciled:
    sent: int = 0
    failed: int = 0
    planned: int = 0
    unknown: int = 0


def reconcile(*, now: datetime, clock: Callable[[], float] = time.monotonic) -> Reconciled:
    """By one at a time: who comes while another one asks leaves at once. `clock` counts seconds."""
    found, me = Reconciled(), uuid4().hex
    if not PLACES.take("reconcile", me, most=1):
        return found
    try:
        with PLACES.kept("reconcile", me, most=1):
            asked = [transport for transport in all_transports() if transport.can_look_up]
            ends = clock()
            for transport in asked:
                ends += SECONDS / len(asked)
                _ask_all(transport, found, ends=ends, clock=clock, now=now)
    finally:
        PLACES.free("reconcile", me)
    return found


def _ask_all(
    transport: Transport, found: Reconciled, *, ends: float, clock: Callable[[], float], now: datetime
) -> None:
    """Until each was asked about that is to be, or the time is over."""
    while clock() < ends and (rows := _unknown(transport, now=now)):
        for one in rows:
            if clock() >= ends:
                return
            outcome = _ask(transport, one, now=now)
            setattr(found, outcome, getattr(found, outcome) + 1)


def _unknown(transport: Transport, *, now: datetime) -> list[Delivery]:
    """Those first whose turn has been longest. `claimed_at` is when the message was handed over; after a while nobody
    asks any more.
    """
    rows = Delivery.objects.filter(
        state=DeliveryState.UNKNOWN,
        channel=transport.channel,
        transport=transport.name,
        claimed_at__gt=now - ASKED_FOR,
    )
    rows = rows.filter(Q(ask_at__lte=now) | Q(ask_at=None, ended_at__lte=now - FIRST_AFTER))
    return list(rows.select_related("user").order_by(Coalesce("ask_at", "ended_at"), "pk")[:BATCH])


def _ask(transport: Transport, one: Delivery, *, now: datetime) -> str:
    """The state that it has then. When it is asked about again stands there before the question."""
    pause = max(FIRST_AFTER, (now - (one.claimed_at or now)) / 2)
    Delivery.objects.filter(pk=one.pk, state=DeliveryState.UNKNOWN).update(ask_at=now + pause)
    try:
        answer = transport.look_up(one.key, one.provider_id, one.claimed_at or now, _address(one))
    except Exception:  # of this one: the others are asked
        log.exception("reminders.not_looked_up", delivery=one.pk, transport=transport.name)
        answer = None
    return _learn(one, answer, now=now)


def _address(one: Delivery) -> str:
    """As it is today, where that is the one the message went to."""
    if one.channel == Channel.PUSH:
        return ""
    address = consent.address_of(one.user, one.channel)
    same = one.address_digest and bytes(one.address_digest) in every_digest(one.channel, address)
    return address if same else ""


def _learn(one: Delivery, answer: Accepted | Refused | None, *, now: datetime) -> str:
    """The state that it has now. Conditional: a callback may have told in the meantime."""
    rows = Delivery.objects.filter(pk=one.pk, state=DeliveryState.UNKNOWN)
    if isinstance(answer, Accepted):
        if _may_be_anothers(one, answer):
            return "unknown"
        number = (answer.provider_id or one.provider_id) if one.user.is_active else ""
        rows.update(state=DeliveryState.SENT, provider_id=number, ended_at=now, error="")
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
    rows.update(
        state=DeliveryState.PLANNED, due_at=now, ended_at=None, lost_claim=None, error="the provider had nothing"
    )
    return "planned"


def _may_be_anothers(one: Delivery, answer: Accepted) -> bool:
    """Who is asked by address names what went there at the time: that may be another message to the same telephone."""
    others = Delivery.objects.filter(transport=one.transport).exclude(pk=one.pk)
    if answer.provider_id and others.filter(provider_id=answer.provider_id).exists():
        return True
    if not answer.is_by_address:
        return False
    at = one.claimed_at or one.due_at
    nearby = others.filter(
        address_digest=one.address_digest, state__in=IN_DOUBT, claimed_at__range=(at - NEAR, at + NEAR)
    )
    codes = PhoneCode.objects.filter(number=one.user.phone, via=one.channel, asked_at__range=(at - GOOD_FOR, at + NEAR))
    return nearby.exists() or codes.exists()
