"""The files of the webinar's recording, for the copy: read from the site's storage, never written there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from django.core.files.storage import Storage

from media.models import Video
from media.storages import media_storage
from operations.domain.drill.copying import SPARE_BYTES, check_space

LEFT_OUT = (".mp4",)  # whole files: nobody downloads them while a webinar runs


def copy_recording(video: Video | None, *, into: Path) -> int:
    """What players load. Returns the bytes; nothing when there is no recording yet. Raises DrillError."""
    if video is None or not video.is_published:
        return 0
    storage = media_storage()
    top = f"videos/{video.key}/{video.published_version}"
    names = [name for name in _walk(storage, top) if not name.endswith(LEFT_OUT)]
    check_space(_existing(into), needed=sum(storage.size(name) for name in names) + SPARE_BYTES)
    copied = 0
    for name in names:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with storage.open(name) as source, target.open("wb") as written:
            shutil.copyfileobj(source, written, 1 << 20)
            copied += written.tell()
    return copied


def _walk(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(files):
        yield f"{folder}/{name}"
    for name in sorted(folders):
        yield from _walk(storage, f"{folder}/{name}")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
