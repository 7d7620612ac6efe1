"""Dates of webinars as they were announced. A change below is noticed by looking: nobody there knows of messages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from reminders.models import ScheduleRevision
from webinars.models import Webinar

LOOKED_BACK = timedelta(days=1)  # a webinar whose hour has passed and that never began may still be moved


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is none where the date was announced for the first time."""

    revision: ScheduleRevision
    before: ScheduleRevision | None

    @property
    def was_moved(self) -> bool:
        return self.before is not None and not self.was_cancelled and self.before.starts_at != self.revision.starts_at

    @property
    def was_cancelled(self) -> bool:
        return self.before is not None and self.revision.is_cancelled and not self.before.is_cancelled


# What stands at a webinar differs from its newest revision: the next one. A date that was taken away altogether counts
# as cancelled at the date it had. One on the air is changed no more, but nobody may have looked at it since it was. Two
# schedulers at once: the number is unique, so one of them writes and tells it.
NOTICE = """
    INSERT INTO reminders_schedulerevision (webinar_id, number, title, starts_at, minutes, is_cancelled, noticed_at)
    SELECT w.id, coalesce(newest.number + 1, 0), lesson.title, coalesce(w.starts_at, newest.starts_at),
        w.planned_minutes, w.cancelled_at IS NOT NULL OR w.starts_at IS NULL, %(now)s
    FROM webinars_webinar w
    JOIN courses_lesson lesson ON lesson.id = w.lesson_id
    LEFT JOIN LATERAL (
        SELECT * FROM reminders_schedulerevision r WHERE r.webinar_id = w.id ORDER BY r.number DESC LIMIT 1
    ) AS newest ON true
    WHERE w.ended_at IS NULL AND (
            w.live_at IS NULL
            OR w.starts_at IS NOT NULL AND w.cancelled_at IS NULL AND newest.starts_at IS DISTINCT FROM w.starts_at
        )
        AND (w.starts_at > %(since)s OR newest.starts_at > %(since)s)
        AND (newest.id IS NOT NULL OR (w.starts_at IS NOT NULL AND w.cancelled_at IS NULL))
        AND (newest.title, newest.starts_at, newest.minutes, newest.is_cancelled) IS DISTINCT FROM (
            lesson.title, coalesce(w.starts_at, newest.starts_at), w.planned_minutes,
            w.cancelled_at IS NOT NULL OR w.starts_at IS NULL)
    ORDER BY w.id
    ON CONFLICT (webinar_id, number) DO NOTHING
    RETURNING id
"""


@transaction.atomic
def notice_changes(*, now: datetime) -> list[Change]:
    """Writes what changed since the last look, and returns it: each change is returned once, whoever looks.

    Three queries at most. In the caller's transaction a change and what is planned of it stand or fall together.
    """
    with connection.cursor() as cursor:
        cursor.execute(NOTICE, {"now": now, "since": now - LOOKED_BACK})
        ids = [number for (number,) in cursor.fetchall()]
    if not ids:
        return []
    revisions = list(
        ScheduleRevision.objects.filter(pk__in=ids)
        .select_related("webinar__lesson__course__programme")
        .order_by("webinar_id")
    )
    numbers = {(one.webinar_id, one.number - 1) for one in revisions if one.number}
    earlier = ScheduleRevision.objects.filter(webinar_id__in={webinar for webinar, _ in numbers})
    before = {(one.webinar_id, one.number): one for one in earlier} if numbers else {}
    return [Change(one, before.get((one.webinar_id, one.number - 1))) for one in revisions]


def current(webinar_ids: Collection[int]) -> dict[int, ScheduleRevision]:
    """The newest of each that has one. One query."""
    newest = (
        ScheduleRevision.objects.filter(webinar_id__in=webinar_ids)
        .order_by("webinar_id", "-number")
        .distinct("webinar_id")
    )
    return {one.webinar_id: one for one in newest}


def announced(webinars: Iterable[Webinar]) -> dict[int, ScheduleRevision]:
    """For calendars: the newest of each; where nobody has looked at a webinar yet, or not since it was changed, what
    the next look will write. One query, and it writes nothing. Needs the lesson beside the webinar.
    """
    listed = list(webinars)
    found = current([webinar.pk for webinar in listed])
    for webinar in listed:
        newest = found.get(webinar.pk)
        if webinar.starts_at is not None and webinar.ended_at is None and not _says(newest, webinar):
            found[webinar.pk] = ScheduleRevision(
                webinar=webinar,
                number=newest.number + 1 if newest else 0,
                title=webinar.lesson.title,
                starts_at=webinar.starts_at,
                minutes=webinar.planned_minutes,
                is_cancelled=webinar.cancelled_at is not None,
                noticed_at=webinar.updated_at,
            )
    return found


def _says(revision: ScheduleRevision | None, webinar: Webinar) -> bool:
    return revision is not None and (
        revision.title,
        revision.starts_at,
        revision.minutes,
        revision.is_cancelled,
    ) == (webinar.lesson.title, webinar.starts_at, webinar.planned_minutes, webinar.cancelled_at is not None)
