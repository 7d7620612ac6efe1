"""Changing a lecture that people have watched: the threshold follows at once, the recording does not change silently.

What was watched is bound to the recording by refusing to exchange it (docs/decisions/0004).
"""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from webinars.domain.completion import doorbell
from webinars.domain.thresholds import apply_threshold
from webinars.models import PlaySession, WatchRecord, Webinar


class RecordingInUseError(Exception):
    """The text is for the author."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "People have watched this recording. If the new video is the same recording, encoded again, tick "
                "“same recording”. Otherwise add a new lesson for it: what was watched would count for another lecture."
            )
        )


def is_watched(*, webinar_id: int) -> bool:
    """An open player counts: what it has watched may still be on its way."""
    return (
        WatchRecord.objects.filter(webinar=webinar_id).exists()
        or PlaySession.objects.filter(webinar=webinar_id).exists()
    )


def check_recording(*, webinar_id: int, video_id: int | None, same_recording: bool) -> None:
    """Raises RecordingInUseError where the video of a watched lecture would become another recording, or none."""
    if not same_recording and _video_of(webinar_id) != video_id and is_watched(webinar_id=webinar_id):
        raise RecordingInUseError


@transaction.atomic
def save_webinar(
    *,
    webinar: Webinar,
    same_recording: bool = False,
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> Webinar:
    """Completes whoever has watched enough by the new settings; nobody's completion is taken away.

    The row is locked against new players, which would otherwise open between the question and the answer.
    """
    before = Webinar.objects.select_for_update().get(pk=webinar.pk)
    check_recording(webinar_id=webinar.pk, video_id=webinar.video_id, same_recording=same_recording)
    webinar.save(update_fields=["video", "completion_percent", "updated_at"])
    was, is_now = (_settings_of(one) for one in (before, webinar))
    if was == is_now:
        return webinar
    details = {"before": was, "after": is_now, "same_recording": same_recording}
    audit.record("webinar.changed", actor=actor, subject=webinar, request=request, details=details, now=now)
    if apply_threshold([webinar], now=now):
        transaction.on_commit(doorbell.ring)
    return webinar


def _video_of(webinar_id: int) -> int | None:
    return Webinar.objects.values_list("video_id", flat=True).get(pk=webinar_id)


def _settings_of(webinar: Webinar) -> dict[str, int | None]:
    return {"video": webinar.video_id, "completion_percent": webinar.completion_percent}
