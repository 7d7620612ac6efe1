"""Doorbells. What is to be done stands in PostgreSQL; a lost bell costs a minute, until the sweep."""

from datetime import timedelta

from celery import shared_task
from django.utils.timezone import now

CHAIN = timedelta(seconds=55)  # shorter than the sweep's minute, which starts the next one


@shared_task(name="accounts.tasks.send_sign_in", expires=600)
def send_sign_in(request_id: int) -> None:
    from accounts.domain.sign_in import send_request

    send_request(request_id=request_id, now=now())


@shared_task(name="accounts.tasks.send_invitations", expires=600)
def send_invitations(until: float | None = None) -> None:
    """One batch, then to the end of the queue: a doctor who waits for a sign-in e-mail never waits for 15,000 others.

    A chain of batches ends after `CHAIN` (`until` is a Unix time), or every sweep would add one that never stops.
    """
    from accounts.domain.invitations import send_queued

    until = (now() + CHAIN).timestamp() if until is None else until
    if send_queued(now=now()) and now().timestamp() < until:
        send_invitations.delay(until)


@shared_task(name="accounts.tasks.sweep", expires=60)
def sweep() -> None:
    """Every minute: what should have been sent and was not."""
    from accounts.domain.sign_in import unsent_requests

    for request_id in unsent_requests(now=now()):
        send_sign_in(request_id)
    send_invitations()


@shared_task(name="accounts.tasks.tidy", expires=3600)
def tidy() -> None:
    from accounts.domain.people import tidy_up

    tidy_up(now=now())
