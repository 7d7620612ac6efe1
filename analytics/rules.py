"""The doors to what analytics keeps and shows."""

from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404

from accounts.models import Device, User
from webinars.models import PlaySession

# A page that stayed open for longer says nothing of use any more; its month may lie in cold storage.
SESSION_DAYS = 7


def get_play_session_for(
    user: User, *, session_id: UUID, webinar_id: int, device: Device, now: datetime
) -> PlaySession:
    """One's own open one on this device; 404 for every other, and for one of last week. One query."""
    found = PlaySession.objects.filter(
        pk=session_id,
        user=user,
        webinar=webinar_id,
        device=device,
        device__ended_at=None,
        ended_at=None,
        started_at__gt=now - timedelta(days=SESSION_DAYS),
    )
    session = found.first()
    if session is None:
        raise Http404
    return session
