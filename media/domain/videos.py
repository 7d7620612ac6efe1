"""Videos and their sources."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import Storage
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from media import tasks
from media.enums import UploadStatus, VideoError, VideoStatus
from media.ffmpeg.probe import SIGNATURE_BYTES, looks_like_video
from media.models import StoredTree, Upload, Video
from media.storages import media_storage
from media.storages.parts import part_store
from media.storages.trees import delete_tree, head_of

_KINDS = "mp4 m4v mov mkv webm avi ts mts m2ts mpg mpeg wmv asf flv ogv 3gp mxf dv"
SUFFIXES = frozenset(f".{kind}" for kind in _KINDS.split())
# People in the middle of the old version finish it: its addresses stay good for half a day.
OLD_VERSION_GRACE = timedelta(hours=12)
_BLOCK = 4 * 1024 * 1024


class SourceRefused(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """The file cannot be taken; the text says why, for the person who chose it."""


class NothingToRetry(Exception):  # noqa: N818
    """Only a failed video whose file is still there can be tried again."""


def create_video(*, title: str, created_by: User | None, now: datetime) -> Video:
    return Video.objects.create(title=title.strip()[:200], created_by=created_by, created_at=now, updated_at=now)


def rename_video(*, video: Video, title: str, now: datetime) -> None:
    """One column: a worker may be writing its progress at this moment."""
    Video.objects.filter(pk=video.pk).update(title=title.strip()[:200], updated_at=now)


def check_source(*, name: str, size: int) -> None:
    """What can be refused before a byte is sent."""
    if Path(name).suffix.lower() not in SUFFIXES:
        raise SourceRefused(_("“%(name)s” is not a video file. Choose an MP4, MOV, MKV or WebM file.") % {"name": name})
    if size <= 0:
        raise SourceRefused(_("The file is empty. Export the video again and choose the new file."))
    if size > settings.MEDIA_MAX_SOURCE_GIB * 2**30:
        raise SourceRefused(
            _("The file is larger than %(limit)s GB. Export the video with a lower bit rate.")
            % {"limit": settings.MEDIA_MAX_SOURCE_GIB}
        )


def store_source(
    *,
    path: Path,
    title: str,
    created_by: User | None,
    now: datetime,
    on_progress: Callable[[int], None] = lambda _bytes: None,
) -> Video:
    """Takes a file from this machine's disk and queues it. `on_progress` gets the bytes of each block."""
    check_source(name=path.name, size=path.stat().st_size)
    video = create_video(title=title or path.stem, created_by=created_by, now=now)
    key = source_key_for(video, path.name)
    note_tree(prefix=key, video=video, now=now)
    _copy_in(media_storage(), path, key, on_progress)
    accept_source(video_id=video.pk, name=path.name, key=key, size=path.stat().st_size, now=now)
    video.refresh_from_db()
    return video


def source_key_for(video: Video, name: str) -> str:
    """Generated: of the given name only a known suffix survives."""
    return f"sources/{video.key}/{uuid4().hex}{Path(name).suffix.lower()}"


def _copy_in(storage: Storage, path: Path, key: str, on_progress: Callable[[int], None]) -> None:
    """Through the part store, which writes block by block on disk and in parallel-safe parts on S3."""
    store = part_store(storage)
    if store.direct:
        from media.storages.trees import store_file

        store_file(storage, path, key)
        on_progress(path.stat().st_size)
        return
    store.begin(key)
    with path.open("rb") as file:

        def read(size: int) -> bytes:
            block = file.read(size)
            on_progress(len(block))
            return block

        store.write(key, offset=0, size=path.stat().st_size, read=read)


@transaction.atomic
def accept_source(*, video_id: int, name: str, key: str, size: int, now: datetime) -> None:
    """The file is complete: it replaces the former source and is queued, or refused at once when it is no video.

    Clearing the lease makes a worker that still prepares the former file stop at its next sign of life.
    """
    video = Video.objects.select_for_update().get(pk=video_id)
    is_video = looks_like_video(head_of(media_storage(), key, SIGNATURE_BYTES))
    StoredTree.objects.filter(prefix=video.source_key).update(remove_after=now)
    forget_working_version(video, now=now)
    video.source_name, video.source_key, video.source_bytes = name[:255], key, size
    video.attempts, video.progress_percent, video.stage = 0, 0, ""
    video.worker, video.lease_until = "", None
    video.error_code, video.error_message = "", ""
    video.updated_at = now
    if is_video:
        video.status, video.queued_at = VideoStatus.QUEUED, now
        ring(video.pk)
    else:
        video.status = VideoStatus.FAILED
        video.error_code, video.error_message = VideoError.NOT_A_VIDEO, str(VideoError.NOT_A_VIDEO.label)
        video.source_key = ""
        StoredTree.objects.filter(prefix=key).update(remove_after=now)
    video.save()


@transaction.atomic
def retry_video(*, video: Video, now: datetime) -> None:
    """Starts counting attempts anew. Conditional, so that two clicks queue it once."""
    changed = (
        Video.objects.filter(pk=video.pk, status=VideoStatus.FAILED)
        .exclude(source_key="")
        .update(
            status=VideoStatus.QUEUED,
            queued_at=now,
            attempts=0,
            progress_percent=0,
            stage="",
            error_code="",
            error_message="",
            updated_at=now,
        )
    )
    if not changed:
        raise NothingToRetry
    ring(video.pk)


@transaction.atomic
def delete_video(*, video: Video, now: datetime) -> None:
    """The rows go now, the files with the next sweep."""
    for upload in Upload.objects.filter(video=video, status=UploadStatus.OPEN):
        transaction.on_commit(partial(part_store(media_storage()).abort, upload.storage_key, upload.direct_id))
    StoredTree.objects.filter(video=video).update(remove_after=now)
    Video.objects.filter(pk=video.pk).delete()
    transaction.on_commit(tasks.sweep.delay, robust=True)


def ring(video_id: int) -> None:
    """After commit, or the worker looks too early. Without a broker the sweep finds the video a minute later."""
    transaction.on_commit(partial(tasks.transcode.delay, video_id), robust=True)


def note_tree(*, prefix: str, video: Video, now: datetime) -> None:
    """To be committed before the first byte is written there."""
    StoredTree.objects.create(prefix=prefix, video=video, created_at=now)


def forget_working_version(video: Video, *, now: datetime) -> None:
    """The half-made version of a worker that lost its lease."""
    if video.worker:
        StoredTree.objects.filter(prefix=f"videos/{video.key}/{video.worker}").update(remove_after=now)


def remove_tree(tree: StoredTree) -> None:
    """The files first: a crash between the two leaves a row that is swept again."""
    delete_tree(media_storage(), tree.prefix)
    tree.delete()
