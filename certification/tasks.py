"""Celery doorbells of credit. What is to be done stands in PostgreSQL, and a lost bell costs some minutes."""

from celery import shared_task

from core.clock import asked_now


@shared_task(name="certification.grant_credits", expires=240)
def grant_credits() -> int:
    """Run every five minutes: who did something lately and has earned credit that nobody has to ask for."""
    from certification.domain.granting import grant_credits as work

    return work(now=asked_now())


@shared_task(name="certification.grant_all_credits", expires=3_600)
def grant_all_credits() -> int:
    """Run once a day: everybody, because not everything that changes a decision leaves its time."""
    from certification.domain.granting import grant_credits as work

    return work(now=asked_now(), everybody=True)


@shared_task(name="certification.publish_heads", expires=3_600)
def publish_heads() -> int:
    """Run every hour; each ledger's head is published once a day."""
    from certification.domain.publishing import publish_heads as work

    return len(work(now=asked_now()))
