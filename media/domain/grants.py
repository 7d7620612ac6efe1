"""Lets one signed-in browser at one video for some minutes."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse

from media.models import Video
from media.storages import Grant, grant_backend


def issue(response: HttpResponse, *, video: Video, user_id: int, device_id: UUID | None, now: datetime) -> datetime:
    """Sets the media cookie and says when it ends. Whether this person may see the video is the caller's question."""
    seconds = settings.MEDIA_GRANT_SECONDS
    return issue_key(response, key=video.key, user_id=user_id, device_id=device_id, seconds=seconds, now=now)


def issue_key(
    response: HttpResponse, *, key: UUID, user_id: int, device_id: UUID | None, seconds: int, now: datetime
) -> datetime:
    """The same for files that belong to no video yet: a broadcast's, for as short a time as its caller says."""
    expires_at = now + timedelta(seconds=seconds)
    grant = Grant(key=key, user_id=user_id, device_id=device_id, expires_at=expires_at)
    grant_backend().issue(response, grant=grant, now=now)
    return expires_at
