"""Writing what people watch: play sessions, and the group commit of beats."""

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Device, User
from core import metrics
from core.prepared import Prepared
from core.ranges import seconds
from courses.domain.queries import lesson_availability
from courses.rules import get_enrolment_for, may_preview
from webinars.domain.beats import Beat, BeatResult
from webinars.domain.completion import doorbell
from webinars.domain.crediting import statement
from webinars.domain.registrations import has_place
from webinars.domain.resume import media_seconds, required_seconds
from webinars.domain.schedule import state_of
from webinars.domain.timelines import is_stale, real_broadcast, recording_map
from webinars.enums import IngestKind, Phase, Refusal, Restriction, WebinarState
from webinars.models import PlaySession, WatchRecord, Webinar
from webinars.rules import is_restricted

logger = logging.getLogger(__name__)


class WatchError(Exception):
    """The play session was not started; `message` is for the doctor."""

    message = _("This webinar cannot be played now.")


class NotPlayableError(WatchError):
    message = _("The recording is not ready yet. Please come back later.")


class NotBegunError(WatchError):
    message = _("This webinar has not begun yet.")


class CancelledError(WatchError):
    message = _("This webinar was cancelled.")


class ElsewhereError(WatchError):
    message = _("This webinar takes place in another meeting. Please join it by its link.")


class RemovedError(WatchError):
    message = _("A moderator has removed you from this webinar.")


class NotOpenError(WatchError):
    message = _("This lesson is not open now.")


class NotRegisteredError(WatchError):
    message = _("Please register for this webinar first: its page has the button.")


class DeviceEndedError(WatchError):
    message = _("You were signed out on this device. Please sign in again.")


# Of a live webinar only the length of a day is known. Live seconds alone complete nothing until there is a recording.
LIVE_SECONDS = 86_400


def start_play_session(
    *, webinar: Webinar, user: User, device: Device, now: datetime, version: str = ""
) -> PlaySession:
    """The caller has passed `rules.get_webinar_for`. Without an enrolment it is a preview by staff.

    Length and threshold are fixed here: a lecture replaced while somebody watches does not move their goal. `version`
    names the version of the video that the page plays, for a page older than the latest cut.
    """
    phase = check_playable(webinar=webinar, user=user, device=device, now=now)
    given = _live(webinar) if phase is Phase.LIVE else _on_demand(webinar, user=user, version=version)
    return PlaySession.objects.create(
        user=user,
        webinar=webinar,
        phase=phase,
        device=device,
        enrolment=get_enrolment_for(user, webinar.lesson.course.programme),
        started_at=now,
        **given,
    )


def _live(webinar: Webinar) -> dict[str, Any]:
    broadcast = real_broadcast(webinar.pk)
    if broadcast is None or broadcast.epoch is None:
        raise ElsewhereError if webinar.ingest == IngestKind.EXTERNAL else NotBegunError
    return {"epoch": broadcast.epoch, "media_seconds": LIVE_SECONDS, "required_seconds": LIVE_SECONDS}


def _on_demand(webinar: Webinar, *, user: User, version: str) -> dict[str, Any]:
    duration = (webinar.video.duration_seconds if webinar.video else None) or 0.0
    found = recording_map(webinar, version=version)
    if found is None:
        length = media_seconds(duration)
        return {"media_seconds": length, "required_seconds": required_seconds(length, webinar.completion_percent)}
    shown = found.shown(found.uncut_seconds if is_stale(webinar, version) else duration)
    length = max(1, seconds(shown))
    live = WatchRecord.objects.filter(user=user, webinar=webinar, phase=Phase.LIVE).values_list("coverage", flat=True)
    return {
        "media_seconds": length,
        "required_seconds": required_seconds(length, webinar.completion_percent),
        "shown": shown,
        "carried": found.program_to_uncut.ranges_to_recording(live.first() or ()),
    }


_open_session = Prepared[PlaySession](
    lambda session, user, webinar, device, phase: PlaySession.objects.filter(
        pk=session, user=user, webinar=webinar, device=device, phase=phase, ended_at=None
    )
)


def renew_play_session(
    *, session_id: UUID, webinar: Webinar, user: User, device: Device, now: datetime
) -> PlaySession | None:
    """The same session, checked like a new one; None when it is over, of another phase, or not of these three."""
    phase = check_playable(webinar=webinar, user=user, device=device, now=now)
    return _open_session.first(session=session_id, user=user.pk, webinar=webinar.pk, device=device.pk, phase=phase)


def check_playable(*, webinar: Webinar, user: User, device: Device, now: datetime) -> Phase:
    """What can be watched now, or a WatchError. The caller has passed the door, which does not ask what is open today.

    A rehearsal is no state of its own, so nothing of it is recorded. Staff may look at a recording before it opens.
    """
    if device.ended_at is not None or device.user_id != user.pk:
        raise DeviceEndedError
    state = state_of(webinar, now=now)

    def previews() -> bool:
        """Asked last: few are staff, and every player comes here twice a minute while it is live."""
        return may_preview(user, webinar.lesson.course.programme)

    if state in _NOT_YET:
        raise _NOT_YET[state]
    if state is WebinarState.LIVE:
        if is_restricted(user, webinar, Restriction.REMOVED):
            raise RemovedError
        if not has_place(webinar=webinar, user=user):
            raise NotRegisteredError
    elif webinar.video is None or not webinar.video.is_published or (state is WebinarState.ENDED and not previews()):
        raise NotPlayableError
    is_open = lesson_availability(lesson=webinar.lesson, user_id=user.pk, now=now).is_open
    if not is_open and not previews():
        raise NotOpenError
    return Phase.LIVE if state is WebinarState.LIVE else Phase.ON_DEMAND


_NOT_YET: dict[WebinarState, type[WatchError]] = {
    WebinarState.SCHEDULED: NotBegunError,
    WebinarState.DOORS_OPEN: NotBegunError,
    WebinarState.CANCELLED: CancelledError,
}


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
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            statement(settings.MAX_PLAYBACK_RATE, settings.CREDIT_SLACK_SECONDS), [now, *columns, *[now] * 5]
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
    _count(results, time.perf_counter() - started)
    return results


def _count(results: Sequence[BeatResult], seconds: float) -> None:
    """Once a batch: counting every beat by itself would cost what taking it in costs."""
    acked = sum(result.refusal is None for result in results)
    metrics.BEATS_RECEIVED.inc(len(results))
    metrics.BEATS_ACKED.inc(acked)
    metrics.BEATS_REFUSED.inc(len(results) - acked)
    metrics.COMMIT_SECONDS.observe(seconds)


_UNKNOWN = BeatResult(Refusal.UNKNOWN_SESSION, None, None)
