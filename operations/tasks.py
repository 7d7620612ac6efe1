"""Celery doorbells of the operators' side."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

logger = logging.getLogger(__name__)


@shared_task(name="operations.tell_incidents", expires=20)
def tell_incidents() -> None:
    """Run every 20 seconds: what Valkey lost stands at the head of every page again, and no page asks the database."""
    from operations.domain.status import keep_told

    keep_told(now=timezone.now())


@shared_task(name="operations.tend_capacity")
def tend_capacity() -> int:
    """Run every five minutes. Returns how many tasks are missing; does nothing where no cluster is named.

    The alarm is asked for even when AWS refuses the changes: that is when capacity is most likely not there.
    """
    if not settings.AUTOSCALE_CLUSTER:
        return 0
    from operations.domain.autoscaling.aws import report_missing
    from operations.domain.autoscaling.tending import apply_calendar, check_capacity
    from operations.domain.autoscaling.tiers import AutoscaleError

    now = timezone.now()
    try:
        for change in apply_calendar(now=now):
            logger.info("Capacity follows the calendar: %s", change)
    except AutoscaleError:
        logger.exception("The calendar could not be put into Auto Scaling")
    found = check_capacity(now=now)
    for one in found:
        if one.missing:
            logger.error("Capacity is not there: %s has %d of %d tasks", one.tier, one.running, one.wanted)
    report_missing(found, cluster=settings.AUTOSCALE_CLUSTER, now=now)
    return sum(one.missing for one in found)
