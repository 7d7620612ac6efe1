"""When a webinar is what: its state is worked out from its dates, and these functions are what sets the dates."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from webinars import tasks
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind, RecordingPolicy, WebinarState
from webinars.models import Broadcast, Webinar


class ScheduleError(Exception):
    """The change was not made; `message` is for the person who wanted it."""

    message = _("This cannot be done now.")


class CancelledError(ScheduleError):
    message = _("This webinar was cancelled.")


class NotScheduledError(ScheduleError):
    message = _("This lecture has no live webinar.")


class EndedError(ScheduleError):
    message = _("This webinar has ended.")


class NotLiveError(ScheduleError):
    message = _("This webinar is not live.")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The dates a page needs to change state by itself."""

    state: WebinarState
    doors_open_at: datetime | None
    starts_at: datetime | None
    planned_end_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None


def schedule_of(webinar: Webinar, *, now: datetime) -> Schedule:
    starts = webinar.starts_at
    return Schedule(
        state=state_of(webinar, now=now),
        doors_open_at=doors_open_at(webinar),
        starts_at=starts,
        planned_end_at=starts + timedelta(minutes=webinar.planned_minutes) if starts else None,
        live_at=webinar.live_at,
        ended_at=webinar.ended_at,
    )


def doors_open_at(webinar: Webinar) -> datetime | None:
    return webinar.starts_at - timedelta(minutes=webinar.doors_minutes) if webinar.starts_at else None


def state_of(webinar: Webinar, *, now: datetime) -> WebinarState:
    """Needs the video beside the webinar. A recorded lecture has one state for ever."""
    if webinar.starts_at is None:
        return WebinarState.RECORDED
    if webinar.cancelled_at is not None:
        return WebinarState.CANCELLED
    if webinar.ended_at is not None:
        return WebinarState.RECORDING_READY if is_recording_open(webinar, now=now) else WebinarState.ENDED
    if webinar.live_at is not None:
        return WebinarState.LIVE
    doors = doors_open_at(webinar)
    return WebinarState.DOORS_OPEN if doors and now >= doors else WebinarState.SCHEDULED


def is_recording_open(webinar: Webinar, *, now: datetime) -> bool:
    """A recording that was released by hand has its date set to that moment, so two policies are one comparison."""
    if webinar.video is None or not webinar.video.is_published:
        return False
    if webinar.starts_at is None or webinar.recording_policy == RecordingPolicy.AUTOMATIC:
        return True
    return webinar.recording_opens_at is not None and now >= webinar.recording_opens_at


@transaction.atomic
def go_live(*, webinar_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime) -> Webinar:
    """On air for everybody. Idempotent. A rehearsal that still runs ends with it; its seconds count for nobody."""
    webinar = _locked(webinar_id)
    _check_coming(webinar)
    if webinar.live_at is not None:
        return webinar
    Broadcast.objects.filter(webinar=webinar, is_rehearsal=True, ended_at=None).update(ended_at=now)
    webinar.live_at, webinar.is_rehearsal = now, False
    webinar.save(update_fields=["live_at", "is_rehearsal", "updated_at"])
    _announce(webinar, actor=actor, request=request, action="webinar.went_live", now=now)
    return webinar


@transaction.atomic
def end_webinar(*, webinar_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime) -> Webinar:
    """Over for good: the recording is put together next. Idempotent."""
    webinar = _locked(webinar_id)
    if webinar.live_at is None:
        raise NotLiveError
    if webinar.ended_at is not None:
        return webinar
    webinar.ended_at = now
    webinar.save(update_fields=["ended_at", "updated_at"])
    Broadcast.objects.filter(webinar=webinar, ended_at=None).update(ended_at=now)
    _announce(webinar, actor=actor, request=request, action="webinar.ended", now=now)
    transaction.on_commit(tasks.tend_recordings.delay, robust=True)
    return webinar


@transaction.atomic
def cancel_webinar(
    *, webinar_id: int, reason: str, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Webinar:
    webinar = _locked(webinar_id)
    _check_coming(webinar)
    if webinar.live_at is not None:
        raise ScheduleError
    webinar.cancelled_at = now
    webinar.save(update_fields=["cancelled_at", "updated_at"])
    _announce(webinar, actor=actor, request=request, action="webinar.cancelled", now=now, reason=reason)
    return webinar


@transaction.atomic
def release_recording(
    *, webinar_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Webinar:
    webinar = _locked(webinar_id)
    if webinar.ended_at is None:
        raise NotLiveError
    webinar.recording_opens_at = now
    webinar.save(update_fields=["recording_opens_at", "updated_at"])
    _announce(webinar, actor=actor, request=request, action="webinar.recording_released", now=now)
    return webinar


def _locked(webinar_id: int) -> Webinar:
    """The lock is on the webinar alone: its video may be prepared by a worker at the same time."""
    return Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video").get(pk=webinar_id)


def _check_coming(webinar: Webinar) -> None:
    if webinar.starts_at is None:
        raise NotScheduledError
    if webinar.cancelled_at is not None:
        raise CancelledError
    if webinar.ended_at is not None:
        raise EndedError


def _announce(
    webinar: Webinar, *, actor: User | None, request: HttpRequest | None, action: str, now: datetime, reason: str = ""
) -> None:
    details = {"reason": reason} if reason else {}
    audit.record(action, actor=actor, subject=webinar, request=request, details=details, now=now)
    announce_state(webinar, now=now)


def announce_state(webinar: Webinar, *, now: datetime) -> None:
    """Pages that are open change by themselves. Part of the caller's transaction."""
    payload = {"state": state_of(webinar, now=now).value}
    post_event(webinar_id=webinar.pk, kind=EventKind.STATE, audience=Audience.ALL, payload=payload, now=now)
