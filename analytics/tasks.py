"""Celery doorbells of figures. What changed stands in the domain's tables: a lost bell makes them late, no more."""

from celery import shared_task

from core.clock import asked_now


@shared_task(name="analytics.refresh_rollups", expires=55)
def refresh_rollups() -> int:
    """Run every minute: webinars in which anything happened since."""
    from analytics.domain.rollups.refreshing import refresh_all

    return refresh_all(now=asked_now()).rows


@shared_task(name="analytics.sweep_rollups", expires=3_600)
def sweep_rollups() -> int:
    """Run once a day: months that come, and all that the minutes do not see."""
    from analytics.domain.rollups.refreshing import sweep

    return sweep(now=asked_now()).rows


@shared_task(name="analytics.make_statements", expires=280)
def make_statements() -> int:
    """Run every five minutes: what happened since, for the learning record store."""
    from analytics.domain.statements.making import make_all

    return make_all(now=asked_now())


@shared_task(name="analytics.make_all_statements", expires=3_600)
def make_all_statements() -> int:
    """Run once a day: what the minutes do not see: late marks, people who came back. And what may go goes."""
    from analytics.domain.statements.making import make_all
    from analytics.domain.statements.outbox import empty_sent

    now = asked_now()
    empty_sent(now=now)
    return make_all(now=now, whole=True)


@shared_task(name="analytics.send_statements", expires=25)
def send_statements() -> int:
    """Run every half a minute. A few thousand at a time: then another task has its turn."""
    from analytics.domain.statements.sending import send_due

    return send_due(clock=asked_now, most=2_000).sent
