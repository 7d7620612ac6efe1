"""Files of a running broadcast: written whole and at once, and again while it runs."""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.storage import Storage

from media.storages.base import CONTENT_TYPES
from media.storages.buckets import bucket_of, storage_troubles

if TYPE_CHECKING:
    from media.storages.s3 import Bucket

AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class LiveFile:
    name: str
    content: bytes

    @property
    def kind(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def cache_control(self) -> str:
        """A shared cache may hold a playlist for a second: thousands of viewers then cost the origin one request."""
        return "public, max-age=1" if self.kind == "m3u8" else "max-age=86400, immutable"


def replace_files(storage: Storage, files: Sequence[LiveFile]) -> None:
    """A reader sees the old content or the new one, never a part. Over a network several go at once.

    A storage that does not take them raises OSError, whatever it is: who broadcasts waits and tries again.
    """
    bucket = bucket_of(storage)
    if bucket is None:
        for file in files:
            _replace(Path(storage.path(file.name)), file.content)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for done in [threads.submit(_put, bucket, file) for file in files]:
            done.result()


def _put(bucket: "Bucket", file: LiveFile) -> None:
    try:
        bucket.client.put_object(
            Bucket=bucket.name,
            Key=file.name,
            Body=file.content,
            ContentType=CONTENT_TYPES[file.kind],
            CacheControl=file.cache_control,
        )
    except storage_troubles() as error:
        raise OSError(f"{file.name} was not stored: {error}") from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        temporary = Path(name)
        temporary.chmod(0o644)  # as the storage does: nginx reads it
        temporary.replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
