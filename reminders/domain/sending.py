"""From due to gone: claim, look once more, word it, hand it over, write down what the provider said."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from core.logging import get_logger
from reminders.domain import consent, latency, notices, outbox
from reminders.domain.checking import Verdict, check, has_way_out
from reminders.domain.composing import compose
from reminders.domain.outbox import CHUNK, Claimed, Ending, Leaving
from reminders.domain.rates import RATES
from reminders.enums import Channel, DeliveryState, SkipReason, SuppressionReason
from reminders.models import Delivery, InboxItem
from reminders.transports import transport_for
from reminders.transports.base import Accepted, Outgoing, Refused, Result, Transport, Uncertain

log = get_logger("reminders")
# After the first, second … refusal that may pass.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 25, 60))
MOST_TRIES = 5
LONGEST_PAUSE = 300.0
Worded = list[tuple[Delivery, Outgoing]]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Round:
    """`taken`: how many were claimed. Of none, nothing is due or the provider's rate is used up: for `wait` seconds."""

    taken: int = 0
    sent: int = 0
    is_held_up: bool = False
    wait: float = field(default=0.0, compare=False)


def send_some(*, channel: str, limit: int = CHUNK, clock: Clock) -> Round:
    """One handful of one channel, to its end. `clock` is asked at each step: a provider may take its time."""
    transport = transport_for(channel)
    granted = RATES.take(_bucket(transport), rate=transport.rate, wanted=limit) if transport else limit
    if transport and not granted:
        return Round(is_held_up=True, wait=RATES.wait(_bucket(transport), rate=transport.rate, wanted=limit))
    claimed = outbox.claim_due(channel=channel, limit=granted, now=clock())
    unused = granted - len(claimed.deliveries)
    sent = 0
    if claimed.deliveries:
        worded = _worded(claimed, channel=channel, clock=clock)
        unused += len(claimed.deliveries) - len(worded)
        if channel == Channel.INBOX:
            sent = _put_into_inbox(claimed.claim, worded, now=clock())
        elif transport is not None:
            sent = _hand_over(claimed.claim, worded, transport, clock=clock)
    if transport is not None:
        RATES.give_back(_bucket(transport), unused)
    return Round(len(claimed.deliveries), sent)


def _bucket(transport: Transport) -> str:
    """One provider may carry several channels, each at its own rate."""
    return f"{transport.name}:{transport.channel}"


def _worded(claimed: Claimed, *, channel: str, clock: Clock) -> Worded:
    """What remains after the check, with its words. The rest is skipped or waits."""
    now = clock()
    if not has_way_out(channel):
        reasons = dict.fromkeys((one.pk for one in claimed.deliveries), SkipReason.NO_WAY)
        outbox.skip(claim=claimed.claim, reasons=reasons, now=now)
        return []
    verdict = _checked(claimed.claim, claimed.deliveries, channel=channel, now=now)
    outbox.skip(claim=claimed.claim, reasons=verdict.skip, now=now)
    outbox.give_back(claim=claimed.claim, due=dict(verdict.later), now=now)
    words = _composed(claimed.claim, verdict.go, now=now)
    reasons = {one: found for one, found in words.items() if isinstance(found, SkipReason)}
    outbox.skip(claim=claimed.claim, reasons=reasons, now=now)
    return [(one, found) for one in verdict.go if isinstance(found := words.get(one.pk), Outgoing)]


def _checked(claim: uuid.UUID, deliveries: Sequence[Delivery], *, channel: str, now: datetime) -> Verdict:
    """What fails of one kind and programme holds up no other: each of those is asked about for itself, then each
    message. What fails still is tried again later.
    """
    try:
        with transaction.atomic():
            return check(deliveries, channel=channel, now=now)
    except Exception as error:
        if len(deliveries) == 1:
            (one,) = deliveries
            log.exception("reminders.not_checked", delivery=one.pk, kind=one.kind, programme=one.programme_id)
            _postpone(claim, one, why=f"could not be checked: {type(error).__name__}", now=now)
            return Verdict()
    groups: dict[tuple[int, str], list[Delivery]] = defaultdict(list)
    for one in deliveries:
        groups[one.programme_id, one.kind].append(one)
    found = Verdict()
    for part in groups.values() if len(groups) > 1 else [[one] for one in deliveries]:
        verdict = _checked(claim, part, channel=channel, now=now)
        found.go += verdict.go
        found.skip |= verdict.skip
        found.later |= verdict.later
    return found


def _composed(claim: uuid.UUID, deliveries: Sequence[Delivery], *, now: datetime) -> dict[int, Outgoing | SkipReason]:
    """One that cannot be worded spoils no other: then each is tried for itself, and it is tried again later."""
    if not deliveries:
        return {}
    try:
        with transaction.atomic():
            return compose(deliveries, now=now)
    except Exception as error:
        if len(deliveries) > 1:
            return {pk: found for one in deliveries for pk, found in _composed(claim, [one], now=now).items()}
        (one,) = deliveries
        log.exception("reminders.not_worded", delivery=one.pk, kind=one.kind)
        _postpone(claim, one, why=f"could not be worded: {type(error).__name__}", now=now)
        return {}


def _postpone(claim: uuid.UUID, one: Delivery, *, why: str, now: datetime) -> None:
    """Nothing has left. After `MOST_TRIES` it has failed."""
    ending = ending_of(one, Refused(why, is_temporary=True), now=now)
    change: dict[str, object] = {"state": ending.state, "claim": None, "tries": one.tries + 1, "error": ending.why}
    if ending.state == DeliveryState.PLANNED:
        change["due_at"] = ending.due_at
    else:
        change["ended_at"] = now
    Delivery.objects.filter(pk=one.pk, state=DeliveryState.CLAIMED, claim=claim).update(**change)


def _put_into_inbox(claim: uuid.UUID, worded: Worded, *, now: datetime) -> int:
    """Sent and there in one transaction: the site itself is the provider."""
    leaving = [Leaving(one.pk, None, one.template_id, one.segments) for one, _ in worded]
    with transaction.atomic():
        mine = outbox.mark_in_inbox(claim=claim, leaving=leaving, now=now)
        InboxItem.objects.bulk_create(
            InboxItem(
                delivery=one,
                user_id=one.user_id,
                subject=said.subject[:200],
                body=said.text,
                button=said.places[0][:60] if said.places else "",
                label=said.places[1][:300] if len(said.places) > 1 else "",
                path=said.url[:200],
                made_at=now,
            )
            for one, said in worded
            if one.pk in mine
        )
    return len(mine)


def _hand_over(claim: uuid.UUID, worded: Worded, transport: Transport, *, clock: Clock) -> int:
    """In calls of as many as the provider takes at once; each is committed as *sending* right before it."""
    sent = 0
    for start in range(0, len(worded), transport.most):
        part = worded[start : start + transport.most]
        leaving = [
            Leaving(one.pk, _digest(one.channel, said.address), one.template_id, one.segments) for one, said in part
        ]
        mine = outbox.begin_sending(claim=claim, leaving=leaving, transport=transport.name, now=clock())
        part = [(one, said) for one, said in part if one.pk in mine]
        if not part:
            continue
        results = _send(transport, [said for _, said in part])
        now = clock()
        endings = [ending_of(one, result, now=now) for (one, _), result in zip(part, results, strict=True)]
        sent += _settle(claim, endings, now=now)
        _learn(part, results, transport, now=now)
    return sent


def _send(transport: Transport, messages: list[Outgoing]) -> list[Result]:
    """One that raises all the same, or answers for another number of messages, leaves nobody knowing."""
    began = time.monotonic()
    try:
        results = transport.send(messages)
    except Exception as error:
        log.exception("reminders.transport_failed", transport=transport.name)
        return [Uncertain(f"the transport failed: {type(error).__name__}")] * len(messages)
    finally:
        seconds = time.monotonic() - began
        latency.note(transport=transport.name, channel=transport.channel, seconds=seconds, messages=len(messages))
    if len(results) != len(messages):
        log.error("reminders.transport_miscounted", transport=transport.name)
        return [Uncertain("the transport answered for another number of messages")] * len(messages)
    return list(results)


def _settle(claim: uuid.UUID, endings: list[Ending], *, now: datetime) -> int:
    """A provider that gives one number to two messages must not undo what is known of the others."""
    try:
        with transaction.atomic():
            mine = outbox.settle(claim=claim, endings=endings, now=now)
    except IntegrityError:
        log.warning("reminders.provider_id_twice", deliveries=[one.delivery_id for one in endings])
        mine = outbox.settle(claim=claim, endings=[replace(one, provider_id="") for one in endings], now=now)
    return sum(one.state == DeliveryState.SENT for one in endings if one.delivery_id in mine)


def ending_of(one: Delivery, result: Result, *, now: datetime) -> Ending:
    """Only what was refused for a while is tried again, and only while it is of use."""
    if isinstance(result, Accepted):
        return Ending(one.pk, DeliveryState.SENT, provider_id=result.provider_id)
    if not isinstance(result, Refused):
        return Ending(one.pk, DeliveryState.UNKNOWN, why=result.why)
    if result.is_temporary and one.tries + 1 < MOST_TRIES:
        wait = max(BACKOFF[min(one.tries, len(BACKOFF) - 1)], timedelta(seconds=result.retry_after or 0))
        if now + wait < one.expires_at:
            return Ending(one.pk, DeliveryState.PLANNED, why=result.why, due_at=now + wait)
    return Ending(one.pk, DeliveryState.FAILED, why=result.why)


def _learn(part: Worded, results: Sequence[Result], transport: Transport, *, now: datetime) -> None:
    """What the answers say about addresses and about haste. The messages are settled already, whatever happens here."""
    pauses = [one.retry_after for one in results if isinstance(one, Refused) and one.is_temporary and one.retry_after]
    if pauses:
        RATES.pause(_bucket(transport), seconds=min(LONGEST_PAUSE, max(pauses)))
    gone = [endpoint for one in results if not isinstance(one, Uncertain) for endpoint in one.gone]
    if gone:
        notices.end_gone(gone, now=now)
    for (one, said), result in zip(part, results, strict=True):
        if not isinstance(result, Refused) or one.channel == Channel.PUSH:
            continue
        if result.is_stopped:
            consent.stop(channel=one.channel, address=said.address, said_at=now)
        elif result.is_hard:
            digest = consent.address_digest(one.channel, said.address)
            consent.suppress(channel=one.channel, digest=digest, reason=SuppressionReason.INVALID, now=now)


def _digest(channel: str, address: str) -> bytes | None:
    """Of browsers there are several in one address: none of them could be found by it."""
    return None if channel == Channel.PUSH else consent.address_digest(channel, address)
