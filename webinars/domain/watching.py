"""Writing what people watch: play sessions, and the group commit of beats."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Device, User
from courses.domain.queries import lesson_availability
from courses.rules import get_enrolment_for, may_preview
from webinars.domain.beats import Beat, BeatResult
from webinars.domain.completion import doorbell
from webinars.domain.crediting import statement
from webinars.domain.resume import media_seconds, required_seconds
from webinars.enums import Phase, Refusal
from webinars.models import PlaySession, Webinar

logger = logging.getLogger(__name__)


class WatchError(Exception):
    """The play session was not started; `message` is for the doctor."""

    message = _("This webinar cannot be played now.")


class NotPlayableError(WatchError):
    message = _("The recording is not ready yet. Please come back later.")


class NotOpenError(WatchError):
    message = _("This lesson is not open now.")


class DeviceEndedError(WatchError):
    message = _("You were signed out on this device. Please sign in again.")


def start_play_session(*, webinar: Webinar, user: User, device: Device, now: datetime) -> PlaySession:
    """The caller has passed `rules.get_webinar_for`. Without an enrolment it is a preview by staff.

    Length and threshold are fixed here: a lecture replaced while somebody watches does not move their goal.
    """
    check_playable(webinar=webinar, user=user, device=device, now=now)
    video = webinar.video
    length = media_seconds(video.duration_seconds or 0) if video else 0
    return PlaySession.objects.create(
        user=user,
        webinar=webinar,
        phase=Phase.ON_DEMAND,
        device=device,
        enrolment=get_enrolment_for(user, webinar.lesson.course.programme),
        media_seconds=length,
        required_seconds=required_seconds(length, webinar.completion_percent),
        started_at=now,
    )


def renew_play_session(
    *, session_id: UUID, webinar: Webinar, user: User, device: Device, now: datetime
) -> PlaySession | None:
    """The same session, checked like a new one; None when it is over or not of this person, webinar and device."""
    check_playable(webinar=webinar, user=user, device=device, now=now)
    return PlaySession.objects.filter(pk=session_id, user=user, webinar=webinar, device=device, ended_at=None).first()


def check_playable(*, webinar: Webinar, user: User, device: Device, now: datetime) -> None:
    """Raises a WatchError. The caller has passed the door, which does not ask what is open today."""
    if device.ended_at is not None or device.user_id != user.pk:
        raise DeviceEndedError
    if webinar.video is None or not webinar.video.is_published:
        raise NotPlayableError
    is_open = lesson_availability(lesson=webinar.lesson, user_id=user.pk, now=now).is_open
    if not is_open and not may_preview(user, webinar.lesson.course.programme):
        raise NotOpenError


def record_beats(beats: Sequence[Beat], *, now: datetime) -> list[BeatResult]:
    """Credit a batch in one statement and one commit; the results are in the order of the beats.

    `now` is the server's receipt time. Safe to call with the same beats again, from any number of processes.
    """
    if not beats:
        return []
    try:
        # By itself the statement is its own transaction; BEGIN and COMMIT would be two more round trips a batch.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _record(beats, now)
    except (DataError, IntegrityError):
        # One beat that PostgreSQL cannot take (its person was deleted a moment ago) must not sink the others.
        if len(beats) == 1:
            logger.exception("A beat was refused by the database")
            return [BeatResult(Refusal.MALFORMED, None, None)]
        half = len(beats) // 2
        return [*record_beats(beats[:half], now=now), *record_beats(beats[half:], now=now)]


def _record(beats: Sequence[Beat], now: datetime) -> list[BeatResult]:
    users, webinars, sessions, _numbers, ranges, positions = zip(*beats, strict=True)
    positions = tuple(map(float, positions))  # a whole number would be sent as an int array
    columns = [list(column) for column in (range(len(beats)), sessions, users, webinars, ranges, positions)]
    with connection.cursor() as cursor:
        cursor.execute(
            statement(settings.MAX_PLAYBACK_RATE, settings.CREDIT_SLACK_SECONDS), [*columns, now, now, now, now]
        )
        rows = cursor.fetchall()
    results: list[BeatResult] = [_UNKNOWN] * len(beats)
    crossed = False
    for index, refusal, seen, reached_at in rows:
        done = None if seen is None else reached_at is not None
        results[index] = BeatResult(Refusal(refusal) if refusal else None, seen, done)
        crossed = crossed or reached_at == now
    if crossed:
        transaction.on_commit(doorbell.ring)
    return results


_UNKNOWN = BeatResult(Refusal.UNKNOWN_SESSION, None, None)
