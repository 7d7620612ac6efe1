"""Broadcasts and the publishers behind them: who may go on air, what is safely stored, when it is over.

Lock order: webinar, broadcast, publish session. The webinar is locked only where its own dates may change.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from webinars.domain.schedule import doors_open_at, end_webinar, go_live
from webinars.domain.stream_keys import find_key, may_stream, named_webinar
from webinars.domain.stream_notices import note
from webinars.enums import IngestKind, StreamProblem
from webinars.ingest.studio import SessionOver, StreamRefused
from webinars.models import Broadcast, PublishSession, Segment, StreamKey, Webinar

LEASE = timedelta(seconds=10)
FIRST_LEASE = timedelta(seconds=30)  # behind nginx a process has to start first
ABANDONED_AFTER = timedelta(minutes=30)  # without a publisher, after the planned end
KEEPS_TRYING = timedelta(minutes=10)  # programs that connect again by themselves wait longer each time
REHEARSAL_OVER_AFTER = timedelta(minutes=10)  # without a publisher


class RehearsalError(Exception):
    message = _("A webinar that is live or over cannot be rehearsed.")


def open_publish_session(*, raw_key: str, front: str, now: datetime) -> PublishSession:
    """Raises `StreamRefused`; the presenter's page says why. What was committed before a refusal stays."""
    key = find_key(raw_key)
    if key is None:
        _tell_about_wrong_key(raw_key, now=now)
        raise StreamRefused(StreamProblem.WRONG_KEY)
    with transaction.atomic():
        refused = _refusal(key, now=now)
        session = None if refused else _open(key, front=front, now=now)
        StreamKey.objects.filter(pk=key.pk).update(used_at=now)
    if session is None:
        problem = refused or StreamProblem.ALREADY_LIVE
        note(webinar_id=key.webinar_id, problem=problem, detail=key.presenter.get_full_name(), now=now)
        raise StreamRefused(problem)
    return session


def _tell_about_wrong_key(raw_key: str, *, now: datetime) -> None:
    webinar_id = named_webinar(raw_key)
    if webinar_id is not None and Webinar.objects.filter(pk=webinar_id, starts_at__isnull=False).exists():
        note(webinar_id=webinar_id, problem=StreamProblem.WRONG_KEY, now=now)


def _refusal(key: StreamKey, *, now: datetime) -> StreamProblem | None:
    webinar = Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=key.webinar_id)
    if not StreamKey.objects.filter(pk=key.pk, revoked_at=None).exists() or not may_stream(key.presenter, key.webinar):
        return StreamProblem.WRONG_KEY
    doors = doors_open_at(webinar)
    is_open = webinar.is_rehearsal or webinar.live_at is not None or (doors is not None and now >= doors)
    over = webinar.cancelled_at is not None or webinar.ended_at is not None
    if webinar.starts_at is None or over or not is_open or webinar.ingest != IngestKind.RTMP:
        return StreamProblem.NOT_TIME_YET
    return None


def _open(key: StreamKey, *, front: str, now: datetime) -> PublishSession | None:
    """None when somebody else is on air and stays there."""
    webinar = Webinar.objects.get(pk=key.webinar_id)
    broadcast = _broadcast_for(webinar, now=now)
    running = PublishSession.objects.select_for_update().filter(broadcast=broadcast, ended_at=None).first()
    if running is not None and not _give_way(running, key, webinar, now=now):
        return None
    last = PublishSession.objects.filter(broadcast=broadcast).aggregate(last=Max("number"))["last"] or 0
    return PublishSession.objects.create(
        broadcast=broadcast,
        stream_key=key,
        presenter=key.presenter,
        number=last + 1,
        started_at=now,
        lease_until=now + (LEASE if front == "listen" else FIRST_LEASE),
        health={"front": front},
    )


def _broadcast_for(webinar: Webinar, *, now: datetime) -> Broadcast:
    """The open one, or a new one. A rehearsal that was switched off gives way to the real thing."""
    rehearsal = webinar.is_rehearsal and webinar.live_at is None
    found = Broadcast.objects.select_for_update().filter(webinar=webinar, ended_at=None).first()
    if found is not None and found.is_rehearsal == rehearsal:
        return found
    if found is not None:
        _end_broadcast(found, now=now)
    if not rehearsal:
        # Its publisher was let in, sent nothing, and a rehearsal came between: there is only one real one.
        empty = Broadcast.objects.filter(webinar=webinar, is_rehearsal=False, epoch=None).first()
        if empty is not None:
            empty.ended_at, empty.started_at = None, now
            empty.save(update_fields=["ended_at", "started_at"])
            return empty
    return Broadcast.objects.create(webinar=webinar, is_rehearsal=rehearsal, started_at=now)


def _give_way(running: PublishSession, key: StreamKey, webinar: Webinar, *, now: datetime) -> bool:
    """The same presenter comes back before the old connection is known to be dead; others need leave to take over."""
    if running.presenter_id == key.presenter_id or running.lease_until < now or running.must_end:
        _end_session(running, StreamProblem(running.must_end or StreamProblem.INTERRUPTED), now=now)
        return True
    if webinar.allows_takeover and not _was_thrown_out(key, running, now=now):
        _end_session(running, StreamProblem.TAKEN_OVER, now=now)
        note(
            webinar_id=webinar.pk,
            problem=StreamProblem.TAKEN_OVER,
            detail=key.presenter.get_full_name(),
            now=now,
        )
        return True
    return False


def _was_thrown_out(key: StreamKey, running: PublishSession, *, now: datetime) -> bool:
    """By who is on now, while this program keeps trying: two of them would throw each other out for ever."""
    own = PublishSession.objects.filter(broadcast=running.broadcast, stream_key=key).order_by("-number").first()
    if own is None or own.ended_because != StreamProblem.TAKEN_OVER or own.ended_at is None:
        return False
    return max(own.ended_at, key.used_at or own.ended_at) > now - KEEPS_TRYING


def lock_session(session_id: UUID) -> PublishSession:
    """Part of the caller's transaction, which stores a segment: raises `SessionOver` when another one has the air.

    Held while the files are written, so nobody who lost the air can write over a file of who has it now.
    """
    seen = PublishSession.objects.select_related("broadcast__webinar").get(pk=session_id)
    if seen.broadcast.webinar.live_at is None and not seen.broadcast.is_rehearsal:
        Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=seen.broadcast.webinar_id)
    Broadcast.objects.select_for_update(no_key=True).get(pk=seen.broadcast_id)
    session = (
        PublishSession.objects.select_for_update(of=("self",), no_key=True).select_related(*_CHECKED).get(pk=session_id)
    )
    _check_running(session)
    return session


_CHECKED = ("broadcast__webinar__lesson__course__programme", "presenter")  # what `_check_running` looks at


def _check_running(session: PublishSession) -> None:
    if session.ended_at is not None:
        raise SessionOver(session.ended_because)
    if session.must_end:
        raise SessionOver(session.must_end)
    webinar = session.broadcast.webinar
    if session.broadcast.ended_at or webinar.ended_at or webinar.cancelled_at:
        raise SessionOver
    if session.presenter is not None and not may_stream(session.presenter, webinar):
        raise SessionOver(StreamProblem.WRONG_KEY)


def next_number(broadcast: Broadcast) -> int:
    last = Segment.objects.filter(broadcast=broadcast).aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


@transaction.atomic
def add_segment(
    *,
    session: PublishSession,
    program_at: datetime,
    seconds: float,
    renditions: Mapping[str, tuple[float, int]],
    now: datetime,
) -> Segment:
    """The first one of a broadcast is program time 0, and takes a real webinar on air. Raises `SessionOver`.

    A packager whose clock lags behind what is there already is moved behind it once, with all that follows.
    """
    session = lock_session(session.pk)
    broadcast = session.broadcast
    if broadcast.epoch is None:
        broadcast.epoch = program_at
    start = (program_at - broadcast.epoch).total_seconds() + session.shift_seconds
    if start < broadcast.program_seconds:
        session.shift_seconds += broadcast.program_seconds - start
        start = broadcast.program_seconds
    segment = Segment.objects.create(
        broadcast=broadcast,
        publish_session=session,
        number=next_number(broadcast),
        program_start=start,
        seconds=seconds,
        renditions={name: list(entry) for name, entry in renditions.items()},
    )
    broadcast.program_seconds = start + seconds
    broadcast.save(update_fields=["epoch", "program_seconds"])
    session.lease_until = now + LEASE
    session.save(update_fields=["shift_seconds", "lease_until"])
    if not broadcast.is_rehearsal and broadcast.webinar.live_at is None:
        go_live(webinar_id=broadcast.webinar_id, actor=session.presenter, now=now)
    return segment


@transaction.atomic
def report_health(
    *,
    session_id: UUID,
    health: Mapping[str, Any],
    problems: list[tuple[StreamProblem, str]],
    now: datetime,
) -> None:
    """Renews the lease and leaves the figures for the presenter's page. Raises `SessionOver`.

    Locked before it is read: a first segment may be writing its formats beside the figures at this moment.
    """
    session = (
        PublishSession.objects.select_for_update(of=("self",), no_key=True).select_related(*_CHECKED).get(pk=session_id)
    )
    _check_running(session)
    kept = {name: session.health[name] for name in ("front", "formats") if name in session.health}
    said = [{"problem": problem.value, "detail": detail} for problem, detail in problems]
    PublishSession.objects.filter(pk=session_id, ended_at=None).update(
        health={**health, **kept, "problems": said}, reported_at=now, lease_until=now + LEASE
    )
    for problem, detail in problems:
        note(webinar_id=session.broadcast.webinar_id, problem=problem, detail=detail, now=now)


@transaction.atomic
def end_publish_session(*, session_id: UUID, because: str = "", detail: str = "", now: datetime) -> None:
    """Idempotent. The broadcast goes on: only "End webinar" ends it."""
    session = PublishSession.objects.select_for_update(of=("self",)).select_related("broadcast").get(pk=session_id)
    if session.ended_at is not None:
        return
    _end_session(session, because, now=now)
    if because and session.broadcast.ended_at is None:
        note(webinar_id=session.broadcast.webinar_id, problem=because, detail=detail, now=now)


def _end_session(session: PublishSession, because: str, *, now: datetime) -> None:
    session.ended_at, session.ended_because = max(now, session.started_at), because
    session.save(update_fields=["ended_at", "ended_because"])


def _end_broadcast(broadcast: Broadcast, *, now: datetime) -> None:
    """The broadcast's row first: a segment that is being kept holds it, and waits for its session next."""
    broadcast.ended_at = max(now, broadcast.started_at)
    broadcast.save(update_fields=["ended_at"])
    PublishSession.objects.filter(broadcast=broadcast, ended_at=None).update(ended_at=now)


def current_broadcast(webinar_id: int) -> Broadcast | None:
    """The one on air, or waiting for its publisher to come back."""
    return Broadcast.objects.filter(webinar_id=webinar_id, ended_at=None).first()


def current_session(webinar_id: int) -> PublishSession | None:
    return PublishSession.objects.filter(broadcast__webinar_id=webinar_id, ended_at=None).first()


def program_now(webinar: Webinar, now: datetime) -> float | None:
    """The live edge in program time; None while nothing is on air. Times of day would be two seconds ahead of it."""
    broadcast = Broadcast.objects.filter(webinar=webinar, is_rehearsal=False, ended_at=None).first()
    if broadcast is None or broadcast.epoch is None:
        return None
    if webinar.ingest == IngestKind.IVS:  # no segment passes through us: by the clock, some seconds ahead
        return (now - broadcast.epoch).total_seconds()
    return broadcast.program_seconds


@transaction.atomic
def set_rehearsal(
    *, webinar_id: int, on: bool, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Webinar:
    """Switching it off ends a rehearsal that runs, and its stream."""
    webinar = Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=webinar_id)
    if on and (webinar.live_at or webinar.ended_at or webinar.cancelled_at or not webinar.starts_at):
        raise RehearsalError
    if webinar.is_rehearsal == on:
        return webinar
    webinar.is_rehearsal = on
    webinar.save(update_fields=["is_rehearsal", "updated_at"])
    if not on:
        for broadcast in Broadcast.objects.filter(webinar=webinar, is_rehearsal=True, ended_at=None):
            _end_broadcast(broadcast, now=now)
    audit.record("webinar.rehearsal", actor=actor, subject=webinar, request=request, details={"on": on}, now=now)
    return webinar


def sweep_sessions(*, now: datetime) -> int:
    """Sessions whose process died without a word. Returns how many."""
    swept = 0
    for found in PublishSession.objects.filter(ended_at=None, lease_until__lt=now):
        with transaction.atomic():
            session = (
                PublishSession.objects.select_for_update(of=("self",))
                .select_related("broadcast")
                .filter(pk=found.pk, ended_at=None, lease_until__lt=now)
                .first()
            )
            if session is None:
                continue
            swept += 1
            _end_session(session, session.must_end or StreamProblem.INTERRUPTED, now=now)
            if session.broadcast.ended_at is None:
                problem = StreamProblem.INTERRUPTED
                note(webinar_id=session.broadcast.webinar_id, problem=problem, now=now)
    return swept


def sweep_broadcasts(*, now: datetime) -> int:
    """Those that nobody ends: 30 minutes after the planned end without a publisher; rehearsals after ten."""
    swept = 0
    publishing = PublishSession.objects.filter(broadcast=OuterRef("pk"), ended_at=None)
    silent = Broadcast.objects.filter(~Exists(publishing), ended_at=None).exclude(webinar__ingest=IngestKind.IVS)
    for broadcast in silent.select_related("webinar"):
        last = broadcast.publish_sessions.aggregate(last=Max("ended_at"))["last"] or broadcast.started_at
        webinar = broadcast.webinar
        if broadcast.is_rehearsal or webinar.cancelled_at is not None:
            if now - last > REHEARSAL_OVER_AFTER:
                swept += _end_silent(broadcast, now=now)
            continue
        planned = (webinar.starts_at or broadcast.started_at) + timedelta(minutes=webinar.planned_minutes)
        if webinar.live_at is not None and now - planned > ABANDONED_AFTER and now - last > ABANDONED_AFTER:
            end_webinar(webinar_id=webinar.pk, actor=None, now=now)
            swept += 1
    return swept


@transaction.atomic
def _end_silent(broadcast: Broadcast, *, now: datetime) -> bool:
    """False when a publisher came in the moment before: opening a session takes the same lock."""
    locked = Broadcast.objects.select_for_update(no_key=True).get(pk=broadcast.pk)
    if locked.ended_at is not None or locked.publish_sessions.filter(ended_at=None).exists():
        return False
    _end_broadcast(locked, now=now)
    return True
