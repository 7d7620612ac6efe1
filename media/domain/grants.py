"""Lets one signed-in browser at one video for some minutes."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse

from media.models import Video
from media.storages import Grant, grant_backend


def issue(response: HttpResponse, *, video: Video, user_id: int, device_id: UUID | None, now: datetime) -> datetime:
    """Sets the media cookie and says when it ends. Whether this person may see the video is the caller's question."""
    expires_at = now + timedelta(seconds=settings.MEDIA_GRANT_SECONDS)
    grant = Grant(key=video.key, user_id=user_id, device_id=device_id, expires_at=expires_at)
    grant_backend().issue(response, grant=grant, now=now)
    return expires_at
