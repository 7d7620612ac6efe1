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


@shared_task(name="reminders.send_phone_code", expires=600)
def send_phone_code(code_id: int) -> None:
    from reminders.domain.phone_codes import send as work

    work(code_id=code_id, now=asked_now())


@shared_task(name="reminders.tell_of_phone", expires=600)
def tell_of_phone(code_id: int) -> None:
    from reminders.domain.phone_codes import tell

    tell(code_id=code_id, now=asked_now())


@shared_task(name="reminders.sweep_phone_codes", expires=30)
def sweep_phone_codes() -> None:
    """Run every half minute: codes that should have been sent and were not, proofs of which nobody was told."""
    from reminders.domain.phone_codes import unsent, untold

    now = asked_now()
    for code_id in unsent(now=now):
        send_phone_code.delay(code_id)
    for code_id in untold(now=now):
        tell_of_phone.delay(code_id)
