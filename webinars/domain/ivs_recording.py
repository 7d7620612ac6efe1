"""From what AWS IVS recorded to the segments of a broadcast, as if our own ingest had stored them.

When the webinar is over, a worker takes the lease of the broadcast, copies the segments of every recording of the time
on air into the media storage, and commits all rows at once. From there on nothing is special: `recording` puts them
together. A killed worker leaves files that the next one writes over.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import now as system_clock
from django.utils.translation import gettext as _

from core.logging import get_logger
from core.time import when
from media.storages import media_storage
from media.storages.buckets import storage_troubles
from media.storages.live import LiveFile, replace_files
from media.storages.trees import delete_tree
from webinars import tasks
from webinars.domain.ivs_recording_files import (
    BrokenRecordingError,
    ForeignRecordingError,
    Piece,
    Recording,
    read_event,
    read_playlist,
    runs_of,
)
from webinars.domain.live_files import write_playlists
from webinars.domain.recording import (
    Clock,
    LeaseLost,
    Work,
    give_up_attempt,
    lease_length,
    live_prefix,
    new_edition,
    work_folder,
)
from webinars.enums import IngestKind
from webinars.ingest.base import IngestError
from webinars.ingest.packager import format_of
from webinars.models import Broadcast, Edition, PublishSession, Segment

if TYPE_CHECKING:
    from webinars.ingest.ivs import RecordingBucket

log = get_logger("webinars")
LOOKED_FOR_EVERY = timedelta(minutes=1)
RENDITION = "recorded"
EVENT_BYTES = 256 * 1024
PLAYLIST_BYTES = 16 * 1024 * 1024
MOST_RECORDINGS = 200  # of one time on air: a line that is cut every half minute
MOST_FILES = 200_000
PIECE_BYTES = 256 * 1024 * 1024
# "failed" is what AWS writes when it could not store everything.
EVENTS = ("recording-ended.json", "recording-failed.json", "recording-started.json")


class NotThereYet(Exception):  # noqa: N818 - a state, not an error of the program
    """AWS writes a recording minutes after the stream. The text says what is missing."""


class NoRecordingError(Exception):
    """There is nothing to wait for; the text is for staff."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording of the time on air. `is_partial`: AWS did not finish it."""

    prefix: str
    recording: Recording
    is_whole: bool
    is_partial: bool

    @property
    def folder(self) -> str:
        return f"{self.prefix}{self.recording.folder}/"


@dataclass(slots=True)
class Run:
    """An uninterrupted piece of the stream: what a publish session is to our own ingest."""

    source: Found
    pieces: list[Piece]
    missing: int = 0
    kept: list[tuple[int, Piece, int]] = field(default_factory=list)  # number, piece, bytes
    formats: dict[str, list[object]] = field(default_factory=dict)


def waiting_for_aws(*, now: datetime) -> list[int]:
    """Broadcasts whose recording AWS has, and we have not. Not where somebody has chosen a video by hand."""
    to_do = Edition.objects.filter(broadcast=OuterRef("pk"), handed_at=None, attempts__lt=settings.MEDIA_MAX_ATTEMPTS)
    found = (
        Broadcast.objects.filter(
            is_rehearsal=False, ended_at__isnull=False, epoch__isnull=False, recorded_at=None, webinar__video=None
        )
        .filter(webinar__ingest=IngestKind.IVS)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .filter(Exists(to_do) | ~Exists(Edition.objects.filter(broadcast=OuterRef("pk"))))
        .filter(~Exists(Segment.objects.filter(broadcast=OuterRef("pk"))))
    )
    return list(found.order_by("ended_at").values_list("pk", flat=True))


def tend_ivs(*, ring: Callable[[int], object], now: datetime) -> None:
    for broadcast_id in waiting_for_aws(now=now):
        ring(broadcast_id)


def fetch_recording(*, broadcast_id: int, clock: Clock = system_clock) -> bool:
    """False when there was nothing to do, nothing there yet, or it did not work out: the edition says what."""
    work = _claim(broadcast_id, clock=clock)
    if work is None:
        return False
    try:
        with work_folder(work) as folder:
            runs = _bring(work, folder)
            _commit(work, runs)
    except LeaseLost:
        log.warning("ivs.lease_lost", broadcast=broadcast_id)
        return False
    except NoRecordingError as error:
        _give_up(work, str(error))
        return False
    except Exception as error:
        if isinstance(error, (NotThereYet, IngestError, *storage_troubles())):
            _come_back(work, error)
            return False
        give_up_attempt(work, error)
        log.exception("ivs.attempt_failed", broadcast=broadcast_id, attempt=work.edition.attempts)
        raise
    write_playlists(broadcast_id=broadcast_id)
    log.info("ivs.fetched", broadcast=broadcast_id, runs=len(runs), pieces=sum(len(run.kept) for run in runs))
    return True


@transaction.atomic
def _claim(broadcast_id: int, *, clock: Clock) -> Work | None:
    now = clock()
    if broadcast_id not in waiting_for_aws(now=now):
        return None
    broadcast = Broadcast.objects.select_for_update(of=("self",)).select_related("webinar").get(pk=broadcast_id)
    if broadcast.lease_until is not None and broadcast.lease_until >= now:
        return None
    edition = broadcast.editions.filter(handed_at=None).last() or new_edition(broadcast, now=now)
    edition.attempts += 1
    edition.save(update_fields=["attempts"])
    broadcast.lease_until = now + lease_length()
    broadcast.save(update_fields=["lease_until"])
    return Work(broadcast, edition, broadcast.lease_until, clock)


def patience_ends(broadcast: Broadcast) -> datetime:
    assert broadcast.ended_at is not None  # noqa: S101 - by `waiting_for_aws`
    return broadcast.ended_at + timedelta(minutes=settings.LIVE_IVS_PATIENCE_MINUTES)


def _bring(work: Work, folder: Path) -> list[Run]:
    from webinars.ingest.ivs import IvsIngest, RecordingBucket

    shelf = IvsIngest().shelf(work.broadcast.webinar)
    if shelf is None:
        raise NoRecordingError(
            _("AWS does not record this webinar's channel (LIVE_IVS_RECORDING_ARN). Choose a video for the lesson.")
        )
    bucket = RecordingBucket(shelf)
    runs = [run for found in _recordings(work, bucket) for run in _runs(work, bucket, found)]
    _check_size(bucket, runs)
    if not any(run.pieces for run in runs):
        raise NotThereYet(_("AWS has stored no picture of the time on air."))
    _copy(work, bucket, runs, folder / "piece.ts")
    return [run for run in runs if run.kept]


def _recordings(work: Work, bucket: "RecordingBucket") -> list[Found]:
    """Of the time on air, in order. Raises NotThereYet where AWS still writes."""
    broadcast = work.broadcast
    assert broadcast.epoch is not None and broadcast.ended_at is not None  # noqa: S101, PT018 - by `waiting_for_aws`
    is_late = work.clock() >= patience_ends(broadcast)
    found: list[Found] = []
    for prefix in bucket.recordings(since=broadcast.epoch, until=broadcast.ended_at):
        work.beat()
        one = _found(bucket, prefix, is_late=is_late)
        if one is None or one.recording.started_at >= broadcast.ended_at:
            continue
        if one.recording.ended_at is not None and one.recording.ended_at < broadcast.epoch:
            continue
        if not one.is_whole and not is_late:
            raise NotThereYet(_("AWS has not finished the recording yet."))
        found.append(one)
        if len(found) > MOST_RECORDINGS:
            raise NoRecordingError(_("AWS has stored more than %(n)d recordings of it.") % {"n": MOST_RECORDINGS})
    if not found:
        raise NotThereYet(_("AWS has stored no recording of it yet."))
    return sorted(found, key=lambda one: one.recording.started_at)


def _found(bucket: "RecordingBucket", prefix: str, *, is_late: bool) -> Found | None:
    """A folder that is no recording of this channel is none of ours; one that cannot be read is left out, late."""
    for name in EVENTS:
        text = bucket.small_file(f"{prefix}events/{name}", most=EVENT_BYTES)
        if text is None:
            continue
        try:
            recording = read_event(text, channel_arn=bucket.shelf.channel_arn)
        except ForeignRecordingError:
            log.warning("ivs.foreign_recording", prefix=prefix)
            return None
        except BrokenRecordingError as error:
            log.warning("ivs.broken_recording", prefix=prefix, name=name, error=str(error))
            if is_late:
                return None
            raise NotThereYet(_("A recording at AWS cannot be read: %(why)s.") % {"why": error}) from error
        return Found(prefix, recording, name != EVENTS[2], name != EVENTS[0])
    return None


def _runs(work: Work, bucket: "RecordingBucket", found: Found) -> list[Run]:
    broadcast = work.broadcast
    assert broadcast.epoch is not None and broadcast.ended_at is not None  # noqa: S101, PT018 - by `waiting_for_aws`
    text = bucket.small_file(f"{found.prefix}{found.recording.playlist}", most=PLAYLIST_BYTES)
    try:
        pieces = read_playlist((text or b"").decode(errors="replace"), started_at=found.recording.started_at)
    except BrokenRecordingError as error:
        log.warning("ivs.broken_playlist", prefix=found.prefix, error=str(error))
        if work.clock() < patience_ends(broadcast):
            raise NotThereYet(_("A recording at AWS cannot be read: %(why)s.") % {"why": error}) from error
        return []
    runs = runs_of(pieces, since=broadcast.epoch, until=broadcast.ended_at)
    return [Run(found, run) for run in runs]


def _check_size(bucket: "RecordingBucket", runs: Iterable[Run]) -> None:
    """Asked before anything is fetched. Pieces that S3 has not are noted as missing."""
    total, sizes = 0, {}
    for run in runs:
        folder = run.source.folder
        if folder not in sizes:
            sizes[folder] = bucket.sizes(folder, most=MOST_FILES)
        there = [piece for piece in run.pieces if 0 < sizes[folder].get(piece.name, 0) <= PIECE_BYTES]
        run.missing += len(run.pieces) - len(there)
        run.pieces = there
        total += sum(sizes[folder][piece.name] for piece in there)
    if total > settings.LIVE_IVS_MAX_GIB * 2**30:
        raise NoRecordingError(
            _("The recording at AWS is larger than %(n)d GiB (LIVE_IVS_MAX_GIB).") % {"n": settings.LIVE_IVS_MAX_GIB}
        )


def _copy(work: Work, bucket: "RecordingBucket", runs: Iterable[Run], path: Path) -> None:
    """Numbered through the broadcast, whatever AWS calls them. One piece is in memory at a time."""
    storage, prefix, number = media_storage(), live_prefix(work.broadcast.key), 0
    for run in runs:
        for piece in run.pieces:
            work.beat()
            bucket.fetch(f"{run.source.folder}{piece.name}", path)
            run.formats = run.formats or _formats(path)
            content = path.read_bytes()
            replace_files(storage, [LiveFile(f"{prefix}/{RENDITION}/{number}.ts", content)])
            run.kept.append((number, piece, len(content)))
            number += 1


def _formats(path: Path) -> dict[str, list[object]]:
    """Nothing where this piece is damaged: the next one may say it."""
    try:
        with av.open(str(path), options={"format_whitelist": "mpegts", "protocol_whitelist": "file"}) as container:
            rate = container.streams.video[0].guessed_rate if container.streams.video else None
        found = format_of(path, frame_rate=round(rate or 0))
    except (av.error.FFmpegError, ValueError) as error:
        log.warning("ivs.damaged_piece", error=str(error))
        return {}
    return {RENDITION: [found.width, found.height, found.frame_rate, found.codecs]}


@transaction.atomic
def _commit(work: Work, runs: Iterable[Run]) -> None:
    broadcast = Broadcast.objects.select_for_update(of=("self",)).get(pk=work.broadcast.pk)
    if broadcast.lease_until != work.lease_until or broadcast.segments.exists() or broadcast.epoch is None:
        raise LeaseLost
    first = broadcast.publish_sessions.count()
    for index, run in enumerate(runs, first + 1):
        last = run.kept[-1][1]
        ended_at = last.at + timedelta(seconds=last.seconds)
        session = PublishSession.objects.create(
            broadcast=broadcast,
            number=index,
            started_at=run.kept[0][1].at,
            lease_until=ended_at,
            ended_at=ended_at,
            health={
                "front": "ivs",
                "formats": run.formats,
                "missing": run.missing,
                "is_partial": run.source.is_partial,
            },
        )
        Segment.objects.bulk_create(
            [
                Segment(
                    broadcast=broadcast,
                    publish_session=session,
                    number=number,
                    program_start=(piece.at - broadcast.epoch).total_seconds(),
                    seconds=piece.seconds,
                    renditions={RENDITION: [piece.seconds, size]},
                )
                for number, piece, size in run.kept
            ],
            batch_size=1000,
        )
        broadcast.program_seconds = max(broadcast.program_seconds, (ended_at - broadcast.epoch).total_seconds())
    broadcast.lease_until = None
    broadcast.save(update_fields=["lease_until", "program_seconds"])
    Edition.objects.filter(pk=work.edition.pk).update(attempts=0, problem="")
    transaction.on_commit(lambda: tasks.put_together.delay(broadcast.pk), robust=True)


def _come_back(work: Work, error: Exception) -> None:
    """Looks again in a minute, which counts as no attempt, until the patience ends."""
    why = str(error) if isinstance(error, NotThereYet) else _("AWS does not answer (%(why)s).") % {"why": error}
    now, until = work.clock(), patience_ends(work.broadcast)
    if now >= until:
        _give_up(work, why)
        return
    words = _("%(why)s It is looked for every minute until %(when)s.") % {"why": why, "when": when(until)}
    _let_go(work, attempts=work.edition.attempts - 1, words=words, lease_until=now + LOOKED_FOR_EVERY)


def _give_up(work: Work, words: str) -> None:
    log.error("ivs.given_up", broadcast=work.broadcast.pk, why=words)
    _let_go(work, attempts=settings.MEDIA_MAX_ATTEMPTS, words=words, lease_until=None)
    try:  # no row names what was copied
        delete_tree(media_storage(), live_prefix(work.broadcast.key))
    except storage_troubles() as error:
        log.warning("ivs.left_behind", broadcast=work.broadcast.pk, error=str(error))


@transaction.atomic
def _let_go(work: Work, *, attempts: int, words: str, lease_until: datetime | None) -> None:
    mine = Broadcast.objects.filter(pk=work.broadcast.pk, lease_until=work.lease_until)
    if mine.update(lease_until=lease_until):
        Edition.objects.filter(pk=work.edition.pk).update(attempts=attempts, problem=words[:300])
