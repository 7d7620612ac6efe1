"""Doorbells of messages. What is to be done stands in PostgreSQL: a lost bell costs seconds, until the sweep."""

from celery import shared_task

from core.clock import asked_now


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
    from reminders.domain.chains import begin
    from reminders.domain.running import recover

    now = asked_now()
    recover(now=now)
    for channel, until, chain in begin(now=now):
        send.delay(channel, until, chain)


@shared_task(name="reminders.send", expires=60)
def send(channel: str, until: float, chain: str = "") -> None:
    """One handful of a chain, then to the end of the queue. `until` is a Unix time; a chain has a name of its own."""
    from reminders.domain.chains import go_on

    wait = go_on(channel=channel, until=until, chain=chain, clock=asked_now)
    if wait is not None:
        send.apply_async((channel, until, chain), countdown=wait)


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
