"""Who has watched enough when the threshold falls under what they have seen: no beat of theirs will come to say so."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from webinars.domain.resume import media_seconds, required_seconds
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar

# Rows are locked in the order of the group commit, so that the two wait for each other instead of deadlocking.
_REACH = """
WITH wanted AS (
    SELECT * FROM unnest(%s::int8[], %s::int4[], %s::int4[]) AS n (webinar_id, length, required)
), due AS (
    SELECT r.id, n.required
    FROM webinars_watchrecord r JOIN wanted n ON n.webinar_id = r.webinar_id
    WHERE r.phase = %s AND r.reached_at IS NULL AND (
        SELECT coalesce(sum(upper(s) - lower(s)), 0)
        FROM unnest(r.coverage * int4multirange(int4range(0, n.length))) AS s
    ) >= n.required
    ORDER BY r.user_id, r.webinar_id, r.phase
    FOR UPDATE OF r
)
UPDATE webinars_watchrecord r SET reached_at = %s, required_seconds = due.required FROM due WHERE r.id = due.id
"""


@transaction.atomic
def apply_threshold(webinars: Iterable[Webinar], *, now: datetime) -> int:
    """Marks the records that hold enough of the recording as it is now. Returns how many; `settle` completes them.

    Players that are open on this very length follow as well; nobody's goal ever rises. Select the video with it.
    """
    found = [(one, *_goal(one)) for one in webinars if one.video and one.video.is_published]
    if not found:
        return 0
    ids, lengths, goals = ([one.pk for one, _, _ in found], [one[1] for one in found], [one[2] for one in found])
    with connection.cursor() as cursor:
        cursor.execute(_REACH, [ids, lengths, goals, Phase.ON_DEMAND, now])
        reached = int(cursor.rowcount)
    for webinar, length, goal in found:
        playing = PlaySession.objects.filter(
            webinar=webinar, phase=Phase.ON_DEMAND, ended_at=None, media_seconds=length, required_seconds__gt=goal
        )
        playing.update(required_seconds=goal)
        Webinar.objects.filter(pk=webinar.pk).update(counted_seconds=length)
    return reached


def apply_new_lengths(*, now: datetime) -> int:
    """Videos are published by an app that knows no webinars, so the sweep looks for lengths it has not seen yet."""
    webinars = Webinar.objects.exclude(video=None).exclude(video__published_version="").select_related("video")
    return apply_threshold([one for one in webinars if one.counted_seconds != _goal(one)[0]], now=now)


def _goal(webinar: Webinar) -> tuple[int, int]:
    length = media_seconds(webinar.video.duration_seconds or 0) if webinar.video else 0
    return length, required_seconds(length, webinar.completion_percent)
