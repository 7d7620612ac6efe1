"""Doorbells. What is to be done stands in PostgreSQL; a lost bell costs a minute, until the sweep."""

from celery import shared_task
from django.utils.timezone import now

BATCHES_PER_TASK = 40


@shared_task(name="accounts.tasks.send_sign_in", expires=600)
def send_sign_in(request_id: int) -> None:
    from accounts.domain.sign_in import send_request

    send_request(request_id=request_id, now=now())


@shared_task(name="accounts.tasks.send_invitations", expires=600)
def send_invitations() -> None:
    """Some thousand e-mails, then the next bell: a long import must not hold a worker for an hour."""
    from accounts.domain.invitations import send_queued

    for _ in range(BATCHES_PER_TASK):
        if not send_queued(now=now()):
            return
    send_invitations.delay()


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
