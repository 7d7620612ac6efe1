"""Who may work on videos, and the only doors to them. Watching is no question for this app: `domain.grants.issue`.

This app knows no programmes. Whoever works on all of them (the permission to delete videos) sees every video; other
staff see what they uploaded and what an app above shares with them, so that colleagues can stand in for each other and
one programme's moderators cannot look into another's lectures.
"""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from accounts.models import User
from media.models import Upload, Video

Person = User | AnonymousUser
SharedVideos = Callable[[User], QuerySet[Video]]
_shared: list[SharedVideos] = []


def share_videos(with_staff: SharedVideos) -> None:
    """For `AppConfig.ready()` of an app that uses videos: those one of the staff works on, whoever uploaded them."""
    _shared.append(with_staff)


def may_upload(user: Person) -> bool:
    return isinstance(user, User) and user.is_staff and user.has_perm("media.add_video")


def uploader(user: Person) -> User:
    """The person, when they may upload; else 403."""
    if not isinstance(user, User) or not may_upload(user):
        raise PermissionDenied
    return user


def videos_for(user: Person) -> QuerySet[Video]:
    if not isinstance(user, User) or not user.is_staff or not user.has_perm("media.view_video"):
        return Video.objects.none()
    if user.has_perm("media.delete_video"):
        return Video.objects.all()
    seen = Q(created_by=user)
    for videos in _shared:
        seen |= Q(pk__in=videos(user).order_by().values("pk"))
    return Video.objects.filter(seen)


def get_video_for(user: Person, video_id: int) -> Video:
    """404 for an absent or foreign one."""
    try:
        return videos_for(user).get(pk=video_id)
    except (Video.DoesNotExist, OverflowError) as absent:
        raise Http404 from absent


def get_upload_for(user: Person, upload_id: UUID) -> Upload:
    """Only one's own: the parts of a file come from the browser that has it. 404 otherwise."""
    try:
        return Upload.objects.select_related("video").get(pk=upload_id, created_by=uploader(user))
    except Upload.DoesNotExist as absent:
        raise Http404 from absent
