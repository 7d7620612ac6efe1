"""One video from its source to published renditions. Runs in a worker for minutes to hours."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now as system_clock

from core.logging import get_logger
from media.domain.leases import Clock, Lease, LeaseLost, claim_video, give_up_attempt, hand_back, reject_source
from media.domain.videos import OLD_VERSION_GRACE, remove_tree
from media.enums import RenditionKind, Stage, VideoError, VideoStatus
from media.ffmpeg.binary import FfmpegError
from media.ffmpeg.encode import (
    MP4_NAME,
    SOUND_KBITS,
    Encoder,
    encode_picture,
    encode_sound,
    mp4_rung,
    package_mp4,
    package_sound,
)
from media.ffmpeg.ladder import Rung, ladder_for
from media.ffmpeg.playlists import Stream, write_master
from media.ffmpeg.probe import Source, SourceRejected, in_clock_words, probe
from media.ffmpeg.stills import POSTER_NAME, SPRITE_VTT_NAME, make_poster, make_sprite
from media.models import Rendition, StoredTree, Video
from media.storages import media_storage
from media.storages.buckets import storage_troubles
from media.storages.trees import fetch, store_tree

log = get_logger("media")
# Rough shares of the time, so that the bar moves evenly. Ends of the stages in percent.
FETCHED, PROBED, SOUND_DONE, PICTURE_DONE, STILLS_DONE, STORED = 4, 5, 10, 92, 94, 99
# A header may round; a missing end of the file is more.
MISSING_SECONDS, MISSING_SHARE = 2.0, 0.01
# Work folders of other apps, who look after them.
OTHERS_FOLDERS = "recording-"


@dataclass(frozen=True)
class Prepared:
    """A finished version on this machine's disk."""

    source: Source
    rungs: tuple[Rung, ...]
    streams: tuple[Stream, ...]
    folder: Path

    @property
    def duration_seconds(self) -> float:
        """Of the picture as encoded, which is what players count and beats refer to."""
        return next(stream.duration_seconds for stream in self.streams if stream.rung)


def transcode_video(*, video_id: int, clock: Clock = system_clock) -> bool:
    """Claims, prepares, publishes. False when there was nothing to claim or nothing was published.

    Takes a clock instead of a time, because it runs for long and renews its lease. An unexpected error is recorded on
    the video and raised on, so that it reaches the error log with its traceback.
    """
    lease = claim_video(video_id=video_id, clock=clock)
    if not lease:
        return False
    remove_left_folders()  # the sweep may run on another machine
    try:
        with workspace(lease.version) as folder:
            publish(lease, prepare(lease, folder))
    except LeaseLost:
        log.warning("media.lease_lost", video=video_id, version=lease.version)
    except SourceRejected as error:
        log.info("media.source_rejected", video=video_id, fault=error.code.value)
        reject_source(lease=lease, code=error.code, message=str(error))
    except (SystemExit, KeyboardInterrupt):
        hand_back(lease=lease)
        raise
    except Exception as error:
        code = VideoError.NO_SPACE if _is_full(error) else VideoError.FAILED
        again = give_up_attempt(lease=lease, code=code, message=f"{code.label} ({_reason(error)})")
        log.exception("media.attempt_failed", video=video_id, attempt=lease.video.attempts, again=again)
        if not isinstance(error, (FfmpegError, *storage_troubles())):
            raise
    else:
        log.info("media.published", video=video_id, version=lease.version)
        return True
    finally:
        remove_unpublished(lease)
    return False


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """A private folder that is gone afterwards; the sweep removes those of killed workers."""
    settings.MEDIA_WORK_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = settings.MEDIA_WORK_DIR / name
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders() -> int:
    """Work folders of this machine whose worker holds no lease. A folder is made after its lease: none is too young."""
    if not settings.MEDIA_WORK_DIR.is_dir():
        return 0
    folders = [folder for folder in settings.MEDIA_WORK_DIR.iterdir() if folder.is_dir()]
    working = set(Video.objects.filter(status=VideoStatus.TRANSCODING).values_list("worker", flat=True))
    left = [folder for folder in folders if folder.name not in working and not folder.name.startswith(OTHERS_FOLDERS)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def prepare(lease: Lease, folder: Path) -> Prepared:
    """Everything that happens before the first byte is stored."""
    encoder = Encoder(threads=settings.MEDIA_FFMPEG_THREADS, nice=settings.MEDIA_FFMPEG_NICE)
    path = _fetch_source(lease, folder)
    lease.beat(Stage.PROBING, FETCHED)
    source = probe(
        path,
        max_seconds=settings.MEDIA_MAX_VIDEO_HOURS * 3600,
        on_step=lambda: lease.beat(Stage.PROBING, FETCHED),
    )
    rungs = ladder_for(source, max_height=settings.MEDIA_LADDER_MAX_HEIGHT)
    result = folder / "result"
    result.mkdir()
    sound = encode_sound(
        encoder, path=path, source=source, folder=folder, on_position=_beats(lease, source, Stage.SOUND, PROBED)
    )
    encode_picture(
        encoder,
        path=path,
        source=source,
        rungs=rungs,
        sound=sound,
        folder=result,
        on_position=_beats(lease, source, Stage.PICTURE, SOUND_DONE),
    )
    _finish(encoder, lease, source=source, rungs=rungs, sound=sound[SOUND_KBITS[0]], folder=result)
    streams = tuple(write_master(result, rungs=rungs, with_audio=source.has_audio))
    prepared = Prepared(source=source, rungs=rungs, streams=streams, folder=result)
    check_length(source, prepared.duration_seconds)
    return prepared


def _fetch_source(lease: Lease, folder: Path) -> Path:
    total, done = lease.video.source_bytes or 1, 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        lease.beat(Stage.FETCHING, FETCHED * done / total)

    lease.beat(Stage.FETCHING, 0)
    try:
        return fetch(media_storage(), lease.video.source_key, folder, on_block=advance)
    except FileNotFoundError as error:
        raise SourceRejected(VideoError.SOURCE_MISSING) from error


def _beats(lease: Lease, source: Source, stage: Stage, start: int) -> Callable[[float], None]:
    end = {Stage.SOUND: SOUND_DONE, Stage.PICTURE: PICTURE_DONE}[stage]

    def beat(seconds: float) -> None:
        share = min(1.0, max(0.0, seconds / source.duration_seconds))
        lease.beat(stage, start + (end - start) * share)

    return beat


def _finish(
    encoder: Encoder, lease: Lease, *, source: Source, rungs: Sequence[Rung], sound: Path, folder: Path
) -> None:
    lease.beat(Stage.STILLS, PICTURE_DONE)
    if source.has_audio:
        package_sound(encoder, sound=sound, folder=folder)
    package_mp4(
        encoder,
        rung=mp4_rung(rungs),
        folder=folder,
        on_position=lambda _seconds: lease.beat(Stage.STILLS, PICTURE_DONE),
    )
    make_poster(encoder, rung=rungs[-1], duration_seconds=source.duration_seconds, folder=folder)
    make_sprite(encoder, rung=rungs[0], duration_seconds=source.duration_seconds, folder=folder)


def check_length(source: Source, seconds: float) -> None:
    """ffmpeg ends happily where the data end; only the header still knows how long the lecture was."""
    missing = source.duration_seconds - seconds
    if missing > max(MISSING_SECONDS, MISSING_SHARE * source.duration_seconds):
        found, announced = in_clock_words(seconds), in_clock_words(source.duration_seconds)
        raise SourceRejected(VideoError.TRUNCATED, f"{found} of {announced} could be read.")


def publish(lease: Lease, prepared: Prepared) -> None:
    """Stores everything, then switches over in one transaction: a viewer sees the old version or the whole new one."""
    total = sum(path.stat().st_size for path in prepared.folder.rglob("*") if path.is_file())
    stored = 0

    def advance(size: int) -> None:
        nonlocal stored
        stored += size
        lease.beat(Stage.STORING, STILLS_DONE + (STORED - STILLS_DONE) * stored / total)

    lease.beat(Stage.STORING, STILLS_DONE)
    store_tree(media_storage(), prepared.folder, lease.prefix, on_file=advance)
    with transaction.atomic():
        _switch(lease, prepared, now=lease.clock())


def _switch(lease: Lease, prepared: Prepared, *, now: datetime) -> None:
    video = Video.objects.select_for_update().filter(pk=lease.video.pk, worker=lease.version).first()
    if not video:
        raise LeaseLost
    if video.published_version:
        old = f"videos/{video.key}/{video.published_version}"
        StoredTree.objects.filter(prefix=old).update(remove_after=now + OLD_VERSION_GRACE)
    video.renditions.all().delete()
    Rendition.objects.bulk_create(renditions_of(video, lease.version, prepared))
    top = prepared.rungs[-1]
    video.status, video.published_version, video.published_at = VideoStatus.READY, lease.version, now
    video.published_source = video.source_key  # a new source would have taken the lease away
    video.duration_seconds, video.has_audio = prepared.duration_seconds, prepared.source.has_audio
    video.width, video.height = top.width, top.height
    video.worker, video.lease_until, video.stage, video.progress_percent = "", None, "", 100
    video.error_code, video.error_message, video.updated_at = "", "", now
    video.save()


def renditions_of(video: Video, version: str, prepared: Prepared) -> list[Rendition]:
    def rendition(kind: RenditionKind, name: str, path: str, rung: Rung | None = None, **extra: int) -> Rendition:
        size = {"width": rung.width, "height": rung.height, "frame_rate": rung.frame_rate} if rung else {}
        size_in_bytes = extra.pop("bytes", 0) or (prepared.folder / path).stat().st_size
        facts = {**size, **extra, "bytes": size_in_bytes}
        return Rendition(video=video, version=version, kind=kind, name=name, path=path, **facts)

    found = [
        rendition(
            RenditionKind.HLS if stream.rung else RenditionKind.AUDIO,
            stream.name,
            stream.path,
            stream.rung,
            bytes=stream.bytes,
            bandwidth_peak=stream.bandwidth_peak,
            bandwidth_average=stream.bandwidth_average,
        )
        for stream in prepared.streams
    ]
    found.append(rendition(RenditionKind.MP4, "mp4", MP4_NAME, mp4_rung(prepared.rungs)))
    found.append(rendition(RenditionKind.POSTER, "poster", POSTER_NAME, prepared.rungs[-1]))
    found.append(rendition(RenditionKind.SPRITE, "sprite", SPRITE_VTT_NAME))
    return found


def remove_unpublished(lease: Lease) -> None:
    """What was stored of a version that nobody will see. The lease is gone or given up by now.

    With the storage in trouble it is left to the sweep, which finds the tree in the database.
    """
    if Video.objects.filter(pk=lease.video.pk, published_version=lease.version).exists():
        return
    for tree in StoredTree.objects.filter(prefix=lease.prefix):
        try:
            remove_tree(tree)
        except storage_troubles() as error:
            log.warning("media.left_for_sweep", prefix=tree.prefix, error=str(error))


def _is_full(error: Exception) -> bool:
    full = 28  # ENOSPC
    return getattr(error, "errno", None) == full or (isinstance(error, FfmpegError) and error.no_space)


def _reason(error: Exception) -> str:
    """The last line of what ffmpeg said, or the kind of error: enough for an operator to search the log."""
    lines = str(error).strip().splitlines()
    return (lines[-1] if lines else type(error).__name__)[:300]
