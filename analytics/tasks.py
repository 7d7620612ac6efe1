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
