"""What the scheduler runs, and what an operator may run by hand: planning and sending as a whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.db.models import Count, Q

from core.logging import get_logger
from reminders.domain import outbox
from reminders.domain.campaigns import rehearse_due, run_due
from reminders.domain.falling_back import plan_fallbacks, rehearse_fallbacks
from reminders.domain.outbox import CHUNK
from reminders.domain.planning import Rehearsal, plan, rehearse
from reminders.domain.revisions import notice_changes
from reminders.domain.sending import Clock, send_some
from reminders.enums import Channel, DeliveryState
from reminders.models import Delivery

log = get_logger("reminders")
Found = TypeVar("Found")
MOST_SENDERS = 4  # of a channel at once
ROUNDS_A_SENDER = 5


def plan_all(*, now: datetime) -> int:
    """Dates first: what was moved is planned by its new date. A part that fails holds up none of the others."""
    _guarded("reminders.changes_not_noticed", partial(notice_changes, now=now))
    planned = _guarded("reminders.nothing_planned", partial(plan, now=now)) or []
    followed = _guarded("reminders.no_fallbacks", partial(plan_fallbacks, now=now)) or 0
    begun = _guarded("reminders.no_campaigns", partial(run_due, now=now)) or 0
    return sum(one.number for one in planned) + followed + begun


def _guarded(failed: str, part: Callable[[], Found]) -> Found | None:
    """None where it fails, which is logged."""
    try:
        return part()
    except Exception:
        log.exception(failed)
        return None


def rehearse_all(*, now: datetime) -> Rehearsal:
    """What `plan_all` would plan, in the order of their times, by the dates that were noticed so far. Nothing is
    written, and what fails is named and holds up none of the others.
    """
    whole = Rehearsal()
    for part in (rehearse, rehearse_fallbacks, rehearse_due):
        found = part(now=now)
        whole.messages += found.messages
        whole.failed += found.failed
    whole.messages.sort(key=lambda one: (one.due_at, one.kind, one.user_id))
    return whole


def recover(*, now: datetime) -> outbox.Recovered:
    found = outbox.recover(now=now)
    if found.given_back or found.unknown:
        log.warning("reminders.recovered", given_back=found.given_back, unknown=found.unknown)
    return found


def channels_to_ring(*, now: datetime) -> Iterator[tuple[str, int]]:
    """Channels with something due, and how many should send by each at once. One query."""
    due = Count("pk", filter=Q(due_at__lte=now))
    rows = Delivery.objects.filter(state=DeliveryState.PLANNED, due_at__lte=now).order_by().values("channel")
    for row in rows.annotate(due=due):
        yield row["channel"], min(MOST_SENDERS, -(-row["due"] // (CHUNK * ROUNDS_A_SENDER)))


@dataclass(frozen=True, slots=True)
class Drained:
    """`is_held_up`: something is due still, and a provider's rate holds it up."""

    taken: int
    sent: int
    is_held_up: bool


def drain(*, clock: Clock) -> Drained:
    """In this process, until nothing is due that may go now."""
    taken = sent = 0
    is_held_up = False
    for channel in Channel:
        while (done := send_some(channel=channel, clock=clock)).taken:
            taken += done.taken
            sent += done.sent
        is_held_up |= done.is_held_up and outbox.due_number(channel=channel, now=clock()) > 0
    return Drained(taken, sent, is_held_up)
