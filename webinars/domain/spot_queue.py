"""What moderators hear of the queue at the door: its length, at most every two seconds, the last word included."""

from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, Sum

from core.limits import hit
from webinars import tasks
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind, SpotState
from webinars.models import SpotRequest, SpotWindow

EVERY_SECONDS = 2


def announce_queue(*, window_id: int, now: datetime) -> None:
    """After the commit. Within two seconds of the last announcement a worker says it a little later, once."""
    transaction.on_commit(lambda: _announce_or_later(window_id, now=now), robust=True)


def _announce_or_later(window_id: int, *, now: datetime) -> None:
    if hit(f"spot-queue:{window_id}", limit=1, window_seconds=EVERY_SECONDS):
        post_queue(window_id=window_id, now=now)
    elif hit(f"spot-queue-late:{window_id}", limit=1, window_seconds=EVERY_SECONDS):
        tasks.announce_spot_queue.apply_async((window_id,), countdown=EVERY_SECONDS)


def post_queue(*, window_id: int, now: datetime) -> None:
    webinar_id = SpotWindow.objects.values_list("webinar_id", flat=True).get(pk=window_id)
    post_event(
        webinar_id=webinar_id,
        kind=EventKind.SPOT_QUEUE,
        audience=Audience.MODERATORS,
        payload=queue_figures(webinar_id=webinar_id),
        now=now,
    )


def queue_figures(*, webinar_id: int) -> dict[str, int]:
    """Of all doors of the webinar together."""
    windows = SpotWindow.objects.filter(webinar=webinar_id).aggregate(
        approved=Sum("approved_count", default=0), capacity=Sum("capacity", default=0)
    )
    pending = SpotRequest.objects.filter(window__webinar=webinar_id).aggregate(
        pending=Count("pk", filter=Q(state=SpotState.PENDING))
    )
    return {**pending, **windows}
