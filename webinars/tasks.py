"""Celery doorbells of the watch engine."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="webinars.settle_watch_records")
def settle_watch_records() -> int:
    """Rung when somebody reaches a threshold, and run every half minute for the doorbells that Redis lost."""
    from webinars.domain.completion import settle

    return settle(now=timezone.now())


@shared_task(name="webinars.announce_tallies")
def announce_tallies() -> int:
    """Rung two seconds after a vote, and run every ten seconds for the doorbells that Redis lost."""
    from webinars.domain.tally_news import announce_due

    return announce_due(now=timezone.now())


@shared_task(name="webinars.sweep_broadcasts")
def sweep_broadcasts() -> None:
    """Dead publishers, broadcasts that nobody ends, and the ends of playlists. The ingest process does it faster."""
    from webinars.domain.broadcast_sweep import sweep

    sweep(now=timezone.now())
