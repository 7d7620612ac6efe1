"""Somebody opens the player."""

from datetime import datetime

from accounts.models import Device, User
from tests.reminders.factories import NOW
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar


def play(webinar: Webinar, user: User, *, phase: Phase = Phase.ON_DEMAND, at: datetime = NOW) -> PlaySession:
    device = Device.objects.create(
        user=user, session_key=f"k{user.pk}-{phase}", name="Phone", created_at=NOW, last_seen_at=NOW, method="link"
    )
    return PlaySession.objects.create(
        user=user,
        webinar=webinar,
        phase=phase,
        epoch=NOW if phase == Phase.LIVE else None,
        device=device,
        media_seconds=3600,
        required_seconds=3240,
        started_at=at,
    )
