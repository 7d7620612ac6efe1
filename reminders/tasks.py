"""Doorbells of messages. What is to be done stands in PostgreSQL: a lost bell costs seconds, until the sweep."""

from datetime import timedelta

from celery import shared_task

from core.clock import asked_now

CHAIN = timedelta(seconds=55)


@shared_task(name="reminders.plan", expires=60)
def plan() -> int:
    """Run every minute: dates that changed, what comes due within minutes, channels that did not reach anybody."""
    from reminders.domain.running import plan_all

    number = plan_all(now=asked_now())
    drain.delay()
    return number


@shared_task(name="reminders.drain", expires=10)
def drain() -> None:
    """Rung when something was planned, and run every ten seconds: what dead workers left, and who sends what is due."""
    from reminders.domain.running import channels_to_ring, recover

    now = asked_now()
    recover(now=now)
    until = (now + CHAIN).timestamp()
    for channel, senders in channels_to_ring(now=now):
        for _ in range(senders):
            send.delay(channel, until)


@shared_task(name="reminders.send", expires=60)
def send(channel: str, until: float) -> None:
    """One handful, then to the end of the queue: a doctor who waits for a sign-in e-mail never waits for 15,000 others.

    A chain ends by itself (`until` is a Unix time), or every bell would add one that never stops.
    """
    from reminders.domain.sending import send_some

    done = send_some(channel=channel, clock=asked_now)
    if asked_now().timestamp() < until:
        if done.is_held_up:
            send.apply_async((channel, until), countdown=1)
        elif done.taken:
            send.delay(channel, until)


@shared_task(name="reminders.reconcile", expires=60)
def reconcile() -> None:
    """Run every minute: the provider is asked about messages that may have left."""
    from reminders.domain.reconciling import reconcile as work

    work(now=asked_now())


@shared_task(name="reminders.tidy", expires=3600)
def tidy() -> None:
    """Daily: what messages said and where they went is forgotten after its time."""
    from reminders.domain.retention import tidy as work

    work(now=asked_now())
