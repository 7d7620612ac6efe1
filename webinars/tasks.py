"""Celery doorbells of the watch engine."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="webinars.settle_watch_records")
def settle_watch_records() -> int:
    """Rung when somebody reaches a threshold, and run every half minute for the doorbells that Redis lost."""
    from webinars.domain.completion import settle

    return settle(now=timezone.now())
