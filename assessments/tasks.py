"""Celery doorbells of tests. What is to be done stands in PostgreSQL, and a lost bell is found by a sweep."""

from celery import shared_task

from core.clock import asked_now


@shared_task(name="assessments.submit_overdue", expires=5)
def submit_overdue() -> int:
    """Run every five seconds: an attempt ends at its deadline, also when its browser is gone.

    More than one sweep's worth is handed in without waiting for the next one: a whole exam ends in the same second.
    """
    from assessments.domain.submitting import submit_overdue as work

    most, ended = 200, 0
    while (now := work(most=most)) > 0:
        ended += now
        if now < most:
            break
    return ended


@shared_task(name="assessments.refresh_rankings", expires=10)
def refresh_rankings() -> int:
    """Run every ten seconds; each ranking is made anew at most every half minute, and only when attempts changed."""
    from assessments.domain.ranking import refresh_due

    return refresh_due(now=asked_now())


@shared_task(name="assessments.mark_again", expires=30)
def mark_again() -> int:
    """Run every half minute: who was marked by a key that has been corrected since."""
    from assessments.domain.remarking import mark_again as work

    most, done = 1_000, 0
    while (now := work(most=most)) > 0:
        done += now
        if now < most:
            break
    return done


@shared_task(name="assessments.make_due_reports", expires=60)
def make_due_reports() -> int:
    """Rung when an author asks, and run every minute. Takes up to half a minute for a very large test."""
    from assessments.domain.analysis.due import make_due_reports as work

    return work(now=asked_now())
