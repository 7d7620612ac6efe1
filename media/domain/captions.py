"""Captions: taken in any common form, kept as WebVTT beside the versions."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils.text import slugify

from media.domain.videos import OLD_VERSION_GRACE, note_tree
from media.ffmpeg.captions import CaptionsRejected, to_webvtt
from media.models import Caption, StoredTree, Video
from media.storages import media_storage
from media.storages.trees import store_text

__all__ = ["CaptionsRejected", "remove_caption", "set_caption"]


def set_caption(*, video: Video, language: str, label: str, data: bytes, now: datetime) -> Caption:
    """Replaces captions in the same language. Raises `CaptionsRejected` with the reason in plain words.

    Stored under a new name each time, so no player keeps an old file from its cache.
    """
    text, cues = to_webvtt(data)
    path = f"captions/{slugify(language) or 'x'}-{uuid4().hex[:8]}.vtt"
    prefix = f"videos/{video.key}/{path}"
    note_tree(prefix=prefix, video=video, now=now)
    store_text(media_storage(), text, prefix)
    with transaction.atomic():
        old = Caption.objects.select_for_update().filter(video=video, language=language).first()
        if old:
            _retire(video, old.path, now=now)
            old.delete()
        return Caption.objects.create(video=video, language=language, label=label, path=path, cues=cues, created_at=now)


@transaction.atomic
def remove_caption(*, caption: Caption, now: datetime) -> None:
    _retire(caption.video, caption.path, now=now)
    caption.delete()


def _retire(video: Video, path: str, *, now: datetime) -> None:
    StoredTree.objects.filter(prefix=f"videos/{video.key}/{path}").update(remove_after=now + OLD_VERSION_GRACE)
