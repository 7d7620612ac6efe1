"""Where the parts of an upload go: straight into S3 by signed addresses, or through us into one file on disk."""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.storage import Storage

from media.storages.buckets import bucket_of

if TYPE_CHECKING:
    from media.storages.s3 import Bucket

_BLOCK = 256 * 1024


class PartRejected(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """The bytes of a part are not what was announced."""


class PartStore(ABC):
    """`direct` stores are written by the browser itself."""

    direct: bool

    @abstractmethod
    def begin(self, key: str) -> str:
        """Prepares for parts; the answer is the store's own id, empty when it needs none."""

    @abstractmethod
    def part_url(self, key: str, upload_id: str, number: int) -> str:
        """Where the browser sends a part; empty when it comes through us."""

    @abstractmethod
    def parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        """Parts that only the store knows of: number → size and checksum."""

    @abstractmethod
    def write(self, key: str, *, offset: int, size: int, read: Callable[[int], bytes]) -> str:
        """Stores one part and gives its checksum, with constant memory."""

    @abstractmethod
    def is_finished(self, key: str, size: int) -> bool:
        """Whether an earlier try joined the parts already and only its answer was lost."""

    @abstractmethod
    def finish(self, key: str, upload_id: str, *, checksums: dict[int, str], size: int) -> bool:
        """Makes the parts one file. Safe to repeat. False: the file has another size."""

    @abstractmethod
    def abort(self, key: str, upload_id: str) -> None:
        """Forgets unfinished parts."""


class LocalParts(PartStore):
    """Every part is written at its place in the final file, so finishing a 10 GB upload copies nothing."""

    direct = False

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def begin(self, key: str) -> str:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return ""

    def part_url(self, key: str, upload_id: str, number: int) -> str:
        return ""

    def parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        return {}

    def write(self, key: str, *, offset: int, size: int, read: Callable[[int], bytes]) -> str:
        digest = hashlib.sha256()
        descriptor = os.open(self._path(key), os.O_WRONLY)
        try:
            left = size
            while left:
                block = read(min(_BLOCK, left))
                if not block:
                    raise PartRejected(f"{left} bytes are missing")
                digest.update(block)
                _write_all(descriptor, block, offset + size - left)
                left -= len(block)
            os.fsync(descriptor)  # the part is reported as safe after this
        finally:
            os.close(descriptor)
        return digest.hexdigest()

    def is_finished(self, key: str, size: int) -> bool:
        """Never known: the file has its full size as soon as the last part is there, with holes before it."""
        return False

    def finish(self, key: str, upload_id: str, *, checksums: dict[int, str], size: int) -> bool:
        return self._path(key).stat().st_size == size

    def abort(self, key: str, upload_id: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return Path(self.storage.path(key))


class DirectParts(PartStore):
    direct = True

    def __init__(self, bucket: "Bucket") -> None:
        self.bucket = bucket

    def begin(self, key: str) -> str:
        return self.bucket.begin(key)

    def part_url(self, key: str, upload_id: str, number: int) -> str:
        return self.bucket.part_url(key, upload_id, number)

    def parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        return self.bucket.parts(key, upload_id)

    def write(self, key: str, *, offset: int, size: int, read: Callable[[int], bytes]) -> str:
        raise PartRejected("parts go to S3 directly")

    def is_finished(self, key: str, size: int) -> bool:
        return self.bucket.size(key) == size

    def finish(self, key: str, upload_id: str, *, checksums: dict[int, str], size: int) -> bool:
        if not self.is_finished(key, size):
            self.bucket.finish(key, upload_id, checksums)
        return self.is_finished(key, size)

    def abort(self, key: str, upload_id: str) -> None:
        self.bucket.abort(key, upload_id)


def part_store(storage: Storage) -> PartStore:
    bucket = bucket_of(storage)
    return DirectParts(bucket) if bucket else LocalParts(storage)


def _write_all(descriptor: int, block: bytes, offset: int) -> None:
    view = memoryview(block)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
