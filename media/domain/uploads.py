"""Files on their way in, in parts that survive a closed laptop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from media.domain.videos import SourceRefused, accept_source, check_source, create_video, note_tree, source_key_for
from media.enums import UploadStatus, VideoStatus
from media.models import StoredTree, Upload, UploadPart, Video
from media.storages import media_storage
from media.storages.parts import PartRejected, part_store

MIB = 2**20
MOST_PARTS = 10_000


class UploadClosed(Exception):  # noqa: N818 - a state, like the ones below
    """The upload was finished, cancelled or given up."""


class UploadIncomplete(Exception):  # noqa: N818
    """Parts are missing; `missing` lists the first of them."""

    def __init__(self, missing: list[int]) -> None:
        super().__init__(_("Parts of the file are missing. Continue the upload."))
        self.missing = missing


@dataclass(frozen=True)
class PartTarget:
    """Where a part goes. An empty `url` means our own part address."""

    url: str
    size: int


def begin_upload(
    *, user: User, name: str, size: int, fingerprint: str, now: datetime, title: str = "", video: Video | None = None
) -> Upload:
    """Continues the person's open upload of the same file, else starts one, with a new video unless one is given."""
    check_source(name=name, size=size)
    same = Upload.objects.filter(
        created_by=user, status=UploadStatus.OPEN, fingerprint=fingerprint, size_bytes=size, name=name
    )
    upload = (same.filter(video=video) if video else same).order_by("-created_at").first()
    if not upload:
        upload = _start(user=user, name=name, size=size, fingerprint=fingerprint, now=now, title=title, video=video)
    _touch(upload, now=now)
    _prepare(upload)
    return upload


def _start(
    *, user: User, name: str, size: int, fingerprint: str, now: datetime, title: str, video: Video | None
) -> Upload:
    try:
        with transaction.atomic():
            video = video or create_video(title=title.strip() or Path(name).stem, created_by=user, now=now)
            key = source_key_for(video, name)
            note_tree(prefix=key, video=video, now=now)
            upload = Upload.objects.create(
                video=video,
                created_by=user,
                name=name[:255],
                size_bytes=size,
                part_bytes=part_bytes_for(size),
                fingerprint=fingerprint[:200],
                storage_key=key,
                created_at=now,
                active_at=now,
            )
            idle = (VideoStatus.EMPTY, VideoStatus.READY, VideoStatus.FAILED)
            Video.objects.filter(pk=video.pk, status__in=idle).update(
                status=VideoStatus.UPLOADING, error_code="", error_message="", updated_at=now
            )
    except IntegrityError as error:
        raise SourceRefused(
            _("Another upload for this video is still open. Continue it or cancel it first.")
        ) from error
    return upload


def _prepare(upload: Upload) -> None:
    """After the commit that notes what the store may hold from now on. Repeated for an upload that died in between."""
    store = part_store(media_storage())
    if not store.direct or not upload.direct_id:
        upload.direct_id = store.begin(upload.storage_key)
        upload.save(update_fields=["direct_id"])


def part_bytes_for(size: int) -> int:
    """The setting, or more where S3's limit of 10,000 parts needs it; whole MiB."""
    least = -(-size // MOST_PARTS)
    return max(settings.MEDIA_UPLOAD_PART_MIB, -(-least // MIB)) * MIB


def part_target(*, upload: Upload, number: int, now: datetime) -> PartTarget:
    _check_part(upload, number)
    _touch(upload, now=now)
    url = part_store(media_storage()).part_url(upload.storage_key, upload.direct_id, number)
    return PartTarget(url=url, size=upload.bytes_of_part(number))


def receive_part(*, upload: Upload, number: int, size: int, read: Callable[[int], bytes], now: datetime) -> UploadPart:
    """Stores a part that came through us; recorded only when it is safe on disk. A repeated part counts as done."""
    _check_part(upload, number)
    expected = upload.bytes_of_part(number)
    if size != expected:
        raise PartRejected(f"part {number} must have {expected} bytes, not {size}")
    done = UploadPart.objects.filter(upload=upload, number=number).first()
    if done:
        return done
    offset = (number - 1) * upload.part_bytes
    try:
        checksum = part_store(media_storage()).write(upload.storage_key, offset=offset, size=expected, read=read)
    except FileNotFoundError as error:  # cancelled meanwhile
        raise UploadClosed from error
    _touch(upload, now=now)
    part, _created = UploadPart.objects.get_or_create(
        upload=upload, number=number, defaults={"size_bytes": expected, "checksum": checksum}
    )
    return part


def finished_parts(*, upload: Upload) -> list[int]:
    """Numbers of the parts that are safe. Asks S3 where the browser writes there directly."""
    _note_direct_parts(upload)
    return list(upload.parts.values_list("number", flat=True))


def complete_upload(*, upload_id: UUID, now: datetime) -> Video:
    """All parts are there: the file is queued. Safe to repeat, also by two requests at once."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().select_related("video").get(pk=upload_id)
        if upload.status == UploadStatus.COMPLETE:
            return upload.video
        if upload.status != UploadStatus.OPEN:
            raise UploadClosed
        _note_direct_parts(upload)
        checksums = dict(upload.parts.values_list("number", "checksum"))
        missing = [number for number in range(1, upload.part_count + 1) if number not in checksums]
        store = part_store(media_storage())
        if missing and not store.is_finished(upload.storage_key, upload.size_bytes):
            raise UploadIncomplete(missing[:100])
        if not store.finish(upload.storage_key, upload.direct_id, checksums=checksums, size=upload.size_bytes):
            raise PartRejected("the stored file has another size than announced")
        upload.status, upload.active_at = UploadStatus.COMPLETE, now
        upload.save(update_fields=["status", "active_at"])
        accept_source(
            video_id=upload.video_id, name=upload.name, key=upload.storage_key, size=upload.size_bytes, now=now
        )
    upload.video.refresh_from_db()
    return upload.video


def cancel_upload(*, upload: Upload, now: datetime, status: UploadStatus = UploadStatus.CANCELLED) -> None:
    """The video goes back to what people can watch, or to no file at all."""
    with transaction.atomic():
        changed = Upload.objects.filter(pk=upload.pk, status=UploadStatus.OPEN).update(status=status, active_at=now)
        if not changed:
            raise UploadClosed
        StoredTree.objects.filter(prefix=upload.storage_key).update(remove_after=now)
        video = Video.objects.select_for_update().get(pk=upload.video_id)
        if video.status == VideoStatus.UPLOADING:
            video.status = VideoStatus.READY if video.is_published else VideoStatus.EMPTY
            video.updated_at = now
            video.save(update_fields=["status", "updated_at"])
    part_store(media_storage()).abort(upload.storage_key, upload.direct_id)


def expire_uploads(*, now: datetime) -> int:
    """Uploads that nobody continued for MEDIA_UPLOAD_DAYS."""
    since = now - timedelta(days=settings.MEDIA_UPLOAD_DAYS)
    abandoned = list(Upload.objects.filter(status=UploadStatus.OPEN, active_at__lt=since))
    for upload in abandoned:
        cancel_upload(upload=upload, now=now, status=UploadStatus.EXPIRED)
    return len(abandoned)


def _check_part(upload: Upload, number: int) -> None:
    if upload.status != UploadStatus.OPEN:
        raise UploadClosed
    if not 1 <= number <= upload.part_count:
        raise PartRejected(f"there is no part {number}: the file has {upload.part_count}")


def _note_direct_parts(upload: Upload) -> None:
    """S3 is the truth: a part of the wrong size does not count and is sent again."""
    if upload.status != UploadStatus.OPEN:
        return
    stored = part_store(media_storage()).parts(upload.storage_key, upload.direct_id)
    UploadPart.objects.bulk_create(
        (
            UploadPart(upload=upload, number=number, size_bytes=size, checksum=checksum)
            for number, (size, checksum) in stored.items()
            if 1 <= number <= upload.part_count and size == upload.bytes_of_part(number)
        ),
        update_conflicts=True,
        unique_fields=["upload", "number"],
        update_fields=["size_bytes", "checksum"],
    )


def _touch(upload: Upload, *, now: datetime) -> None:
    Upload.objects.filter(pk=upload.pk).update(active_at=now)
