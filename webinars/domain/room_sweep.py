"""The log of a room is for those who missed something. Once its webinar is long over, nobody comes back to it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from webinars.models import Room, RoomEvent


def remove_old_events(*, now: datetime) -> int:
    """Of webinars that ended LIVE_EVENT_DAYS ago, all events that are as old as that; those of a late follow-up stay.

    Each room by itself, under the lock that posting takes. `first_kept` is raised with it: whoever asks for what is
    gone is told to load the page again, not that nothing happened.
    """
    before = now - timedelta(days=settings.LIVE_EVENT_DAYS)
    rooms = Room.objects.filter(webinar__ended_at__lt=before, webinar__events__at__lt=before).order_by("pk").distinct()
    return sum(_remove(webinar_id, before) for webinar_id in rooms.values_list("pk", flat=True))


@transaction.atomic
def _remove(webinar_id: int, before: datetime) -> int:
    room = Room.objects.select_for_update().get(pk=webinar_id)
    events = RoomEvent.objects.filter(webinar=webinar_id)
    last = events.filter(at__lt=before).aggregate(last=Max("number"))["last"]
    if last is None:
        return 0
    room.first_kept = last + 1
    room.save(update_fields=["first_kept"])
    removed, _ = events.filter(number__lte=last).delete()
    return removed
