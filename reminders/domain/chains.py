"""Chains of senders: each sends one handful and goes to the end of the queue, until nothing is due any more.

A channel has `MOST_SENDERS` of them, however many bells ring: one without a place ends at once. So a provider that
hangs holds up a few processes, and none of those that send sign-in mail, which have another queue.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

from reminders.domain.places import LEASE_SECONDS, PLACES
from reminders.domain.running import MOST_SENDERS, channels_to_ring
from reminders.domain.sending import Clock, send_some

LASTS = timedelta(seconds=55)
LONGEST_WAIT = LEASE_SECONDS - 5  # longer, and it would lose its place; the next bell looks again


def begin(*, now: datetime) -> Iterator[tuple[str, float, str]]:
    """For each chain to begin: its channel, the Unix time at which it ends by itself, its own name."""
    until = (now + LASTS).timestamp()
    for channel, senders in channels_to_ring(now=now):
        for _ in range(senders):
            yield channel, until, uuid4().hex


def go_on(*, channel: str, until: float, chain: str, clock: Clock) -> float | None:
    """One handful. Returns the seconds after which the chain goes on; None: it has ended."""
    if not PLACES.take(channel, chain, most=MOST_SENDERS):
        return None
    goes_on = False
    try:
        with PLACES.kept(channel, chain, most=MOST_SENDERS):
            done = send_some(channel=channel, clock=clock)
        left = until - clock().timestamp()
        goes_on = bool(done.taken or done.is_held_up) and left > 0 and done.wait < min(left, LONGEST_WAIT)
        return done.wait if goes_on else None
    finally:
        if not goes_on:
            PLACES.free(channel, chain)
