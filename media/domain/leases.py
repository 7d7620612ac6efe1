"""Who is preparing which video. A worker holds a lease that it renews while it works; a dead one's runs out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from core.logging import get_logger
from media.domain.videos import forget_working_version, note_tree, ring
from media.enums import Stage, VideoError, VideoStatus
from media.models import Video

log = get_logger("media")
Clock = Callable[[], datetime]
# Often enough for a bar that moves, seldom enough for a job of an hour.
RENEW_AFTER = timedelta(seconds=2)


class LeaseLost(Exception):  # noqa: N818 - a state, not an error of the program
    """Another worker, a new source or a deletion took the video away."""


@dataclass
class Lease:
    """A claim on one video. `version` is the worker's name and the folder it writes to, so no two workers share one."""

    video: Video
    version: str
    clock: Clock
    _renewed_at: datetime = field(init=False)
    _ends_at: datetime = field(init=False)
    _stage: Stage | None = None

    def __post_init__(self) -> None:
        self._renewed_at = self.clock()
        self._ends_at = self._renewed_at + timedelta(seconds=settings.MEDIA_LEASE_SECONDS)

    @property
    def prefix(self) -> str:
        return f"videos/{self.video.key}/{self.version}"

    def beat(self, stage: Stage, percent: float) -> None:
        """Writes progress and renews, at most every two seconds within a stage. Raises `LeaseLost`."""
        now = self.clock()
        if stage == self._stage and now - self._renewed_at < RENEW_AFTER:
            return
        self._stage, self._renewed_at = stage, now
        try:
            kept = self._renew(stage, percent, now=now)
        except (OperationalError, InterfaceError) as error:
            # PostgreSQL restarts: an hour of work is not thrown away for it. The next beat tries a new connection.
            connection.close()
            if now >= self._ends_at:
                raise LeaseLost from error
            log.warning("media.lease_not_renewed", video=self.video.pk, error=str(error))
            return
        if not kept:
            raise LeaseLost

    def _renew(self, stage: Stage, percent: float, *, now: datetime) -> bool:
        until = now + timedelta(seconds=settings.MEDIA_LEASE_SECONDS)
        kept = Video.objects.filter(pk=self.video.pk, worker=self.version, status=VideoStatus.TRANSCODING).update(
            lease_until=until, progress_percent=max(0, min(99, int(percent))), stage=stage, updated_at=now
        )
        self._ends_at = until
        return bool(kept)


def claim_video(*, video_id: int, clock: Clock) -> Lease | None:
    """Conditional update: of two workers that hear the same bell one gets nothing. Notes the folder before any byte."""
    now, version = clock(), uuid4().hex[:12]
    with transaction.atomic():
        claimed = Video.objects.filter(pk=video_id, status=VideoStatus.QUEUED).update(
            status=VideoStatus.TRANSCODING,
            worker=version,
            lease_until=now + timedelta(seconds=settings.MEDIA_LEASE_SECONDS),
            attempts=F("attempts") + 1,
            progress_percent=0,
            stage="",
            updated_at=now,
        )
        if not claimed:
            return None
        lease = Lease(video=Video.objects.get(pk=video_id), version=version, clock=clock)
        note_tree(prefix=lease.prefix, video=lease.video, now=now)
    return lease


@transaction.atomic
def reject_source(*, lease: Lease, code: VideoError, message: str) -> None:
    """Final: the same file would fail again."""
    _end(lease, status=VideoStatus.FAILED, error_code=code, error_message=message)


@transaction.atomic
def give_up_attempt(*, lease: Lease, code: VideoError, message: str) -> bool:
    """Back into the queue, or failed after the last attempt. True when it will be tried again."""
    again = lease.video.attempts < settings.MEDIA_MAX_ATTEMPTS
    if again:
        _end(lease, status=VideoStatus.QUEUED)
    else:
        _end(lease, status=VideoStatus.FAILED, error_code=code, error_message=message)
    return again


@transaction.atomic
def hand_back(*, lease: Lease) -> None:
    """The worker is being stopped: this was no attempt, and the next worker need not wait for the lease to run out."""
    _end(lease, status=VideoStatus.QUEUED, attempts=max(0, lease.video.attempts - 1))
    ring(lease.video.pk)


def _end(lease: Lease, **changes: object) -> None:
    """Nothing happens when the lease is no longer ours: somebody else decides then."""
    now = lease.clock()
    forget_working_version(Video(key=lease.video.key, worker=lease.version), now=now)
    Video.objects.filter(pk=lease.video.pk, worker=lease.version).update(
        worker="", lease_until=None, progress_percent=0, stage="", queued_at=now, updated_at=now, **changes
    )


def release_expired(*, now: datetime) -> int:
    """Videos of dead workers: tried again, or failed when it was the last attempt. Returns how many."""
    released = 0
    for video in Video.objects.filter(status=VideoStatus.TRANSCODING, lease_until__lt=now):
        with transaction.atomic():
            last = video.attempts >= settings.MEDIA_MAX_ATTEMPTS
            changed = Video.objects.filter(pk=video.pk, worker=video.worker, lease_until__lt=now).update(
                status=VideoStatus.FAILED if last else VideoStatus.QUEUED,
                error_code=VideoError.INTERRUPTED if last else "",
                error_message=VideoError.INTERRUPTED.label if last else "",
                worker="",
                lease_until=None,
                progress_percent=0,
                stage="",
                queued_at=now,
                updated_at=now,
            )
            if changed:
                released += 1
                forget_working_version(video, now=now)
                if not last:
                    ring(video.pk)
    return released
