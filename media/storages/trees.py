"""Files and folders in a storage that is a disk or a bucket."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from media.storages.base import CONTENT_TYPES
from media.storages.buckets import bucket_of


def fetch(storage: Storage, name: str, folder: Path, *, on_block: Callable[[int], None]) -> Path:
    """A local file with the content: the stored one itself, or a copy in `folder` read block by block."""
    bucket = bucket_of(storage)
    if bucket:
        copy = folder / f"source{Path(name).suffix}"
        bucket.download(name, copy, on_block=on_block)
        return copy
    path = Path(storage.path(name))
    if not path.is_file():
        raise FileNotFoundError(name)
    return path


def head_of(storage: Storage, name: str, size: int) -> bytes:
    bucket = bucket_of(storage)
    if bucket:
        return bucket.head(name, size)
    with storage.open(name) as file:
        return bytes(file.read(size))


def store_tree(storage: Storage, folder: Path, prefix: str, *, on_file: Callable[[int], None]) -> None:
    """Copies every file; playlists after the segments they name, the master last."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda p: (p.name == "master.m3u8", p.suffix == ".m3u8")):
        store_file(storage, path, f"{prefix}/{path.relative_to(folder).as_posix()}")
        on_file(path.stat().st_size)


def store_file(storage: Storage, path: Path, name: str) -> None:
    bucket = bucket_of(storage)
    if bucket:
        content_type = CONTENT_TYPES.get(path.suffix.removeprefix("."), "application/octet-stream")
        bucket.put(path, name, content_type=content_type)
        return
    with path.open("rb") as file:
        _save(storage, name, File(file))


def store_text(storage: Storage, text: str, name: str) -> None:
    content = ContentFile(text.encode())
    content.content_type = CONTENT_TYPES[name.rpartition(".")[2]]  # type: ignore[attr-defined]  # read by S3Storage
    _save(storage, name, content)


def _save(storage: Storage, name: str, content: File) -> None:  # type: ignore[type-arg]  # not generic at run time
    saved = storage.save(name, content)
    if saved != name:  # the storage made room by another name: names here are random, so something is badly wrong
        storage.delete(saved)
        raise FileExistsError(name)


def delete_tree(storage: Storage, prefix: str) -> None:
    """A file, or a folder with all it holds. Nothing there is fine: a crash may have come before the first byte."""
    bucket = bucket_of(storage)
    if bucket:
        bucket.delete_prefix(prefix)
        return
    path = Path(storage.path(prefix))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    _remove_empty_parents(path, Path(storage.path("")))


def _remove_empty_parents(path: Path, root: Path) -> None:
    for parent in path.parents:
        if parent == root or not parent.is_relative_to(root):
            return
        try:
            parent.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # not empty
            return
