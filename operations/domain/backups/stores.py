"""Where backups lie: a directory, or a prefix of a bucket. The manifest comes last, so that half a backup is none."""

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from operations.domain.backups.errors import BackupError, NotABackupError

DUMP, MANIFEST, PARTIAL = ".dump", ".json", ".partial"
OURS = re.compile(r"rounds-\d{8}T\d{6}Z")  # as `making` names them; what else lies there is somebody's own
ABANDONED_SECONDS = 86_400  # a partial file that nobody wrote to for so long is of a backup that was killed


class Store(Protocol):
    def names(self) -> list[str]:
        """Of complete backups, oldest first: names begin with the time."""

    def halves(self, *, before: datetime) -> list[str]:
        """Dumps of ours whose manifest never came, as when the machine went in between; untouched since `before`."""

    def put(self, name: str, *, dump: Path, manifest: str) -> None:
        """Takes the dump away from where it is. All or nothing."""

    def read_manifest(self, name: str) -> str: ...

    def local_dump(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """The dump as a file on this machine, for as long as it is needed."""

    def work(self) -> contextlib.AbstractContextManager[Path]:
        """A path to write a dump to; what is left there in the end is removed."""

    def remove(self, name: str) -> None: ...


class Folder:
    """A directory, readable by its owner alone: a dump holds every doctor's name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __str__(self) -> str:
        return str(self.directory)

    def names(self) -> list[str]:
        return sorted(path.stem for path in self.directory.glob(f"*{MANIFEST}") if path.with_suffix(DUMP).exists())

    def halves(self, *, before: datetime) -> list[str]:
        """The dump is looked for first: its manifest may come between the two looks, and then it is none."""
        dumps = [path for path in self.directory.glob(f"*{DUMP}") if OURS.fullmatch(path.stem)]
        old = [path for path in dumps if path.stat().st_mtime < before.timestamp()]
        return sorted(path.stem for path in old if not path.with_suffix(MANIFEST).exists())

    def put(self, name: str, *, dump: Path, manifest: str) -> None:
        partial = self.directory / f"{name}{MANIFEST}{PARTIAL}"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(manifest)
            file.flush()
            os.fsync(file.fileno())
        with dump.open("rb") as written:
            os.fsync(written.fileno())
        dump.replace(self.directory / f"{name}{DUMP}")
        partial.replace(self.directory / f"{name}{MANIFEST}")
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read_manifest(self, name: str) -> str:
        try:
            return (self.directory / f"{name}{MANIFEST}").read_text()
        except (FileNotFoundError, UnicodeDecodeError) as error:
            raise NotABackupError(f"There is no readable manifest {name}{MANIFEST} in {self.directory}.") from error

    @contextlib.contextmanager
    def local_dump(self, name: str) -> Iterator[Path]:
        path = self.directory / f"{name}{DUMP}"
        if not path.is_file():
            raise NotABackupError(f"{path} is missing.")
        yield path

    @contextlib.contextmanager
    def work(self) -> Iterator[Path]:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in self.directory.glob(f"*{PARTIAL}"):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(suffix=PARTIAL, dir=self.directory)
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """The manifest first: what is left after a crash in between is no backup, instead of half of one."""
        (self.directory / f"{name}{MANIFEST}").unlink(missing_ok=True)
        (self.directory / f"{name}{DUMP}").unlink(missing_ok=True)


class Bucket:
    """A prefix of an S3 bucket. An object appears there whole or not at all, so nothing needs a temporary name."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def _client(self) -> Any:
        return boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL or None, region_name=settings.AWS_REGION)

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[Any]:
        try:
            yield self._client
        except (BotoCoreError, ClientError) as error:
            raise BackupError(f"{self} does not answer as it should: {error}") from error

    def names(self) -> list[str]:
        keys = self._written()
        names = {key.removesuffix(MANIFEST) for key in keys if key.endswith(MANIFEST) and "/" not in key}
        return sorted(name for name in names if f"{name}{DUMP}" in keys)

    def halves(self, *, before: datetime) -> list[str]:
        """An upload that was cut off is no object: the bucket's own lifecycle removes its parts."""
        keys = self._written()
        old = [key.removesuffix(DUMP) for key, at in keys.items() if key.endswith(DUMP) and at < before]
        return sorted(name for name in old if OURS.fullmatch(name) and f"{name}{MANIFEST}" not in keys)

    def _written(self) -> dict[str, datetime]:
        with self._speaking() as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            items = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(self.prefix): item["LastModified"] for item in items}

    def put(self, name: str, *, dump: Path, manifest: str) -> None:
        with self._speaking() as client:
            client.upload_file(str(dump), self.bucket, f"{self.prefix}{name}{DUMP}")
            client.put_object(Bucket=self.bucket, Key=f"{self.prefix}{name}{MANIFEST}", Body=manifest.encode())

    def read_manifest(self, name: str) -> str:
        with self._speaking() as client:
            body: bytes = client.get_object(Bucket=self.bucket, Key=f"{self.prefix}{name}{MANIFEST}")["Body"].read()
        return body.decode(errors="replace")

    @contextlib.contextmanager
    def local_dump(self, name: str) -> Iterator[Path]:
        with self.work() as path:
            with self._speaking() as client:
                client.download_file(self.bucket, f"{self.prefix}{name}{DUMP}", str(path))
            yield path

    @contextlib.contextmanager
    def work(self) -> Iterator[Path]:
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        directory = tempfile.mkdtemp(prefix="backup-", dir=settings.VAR_DIR)
        try:
            yield Path(directory) / "dump"
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def remove(self, name: str) -> None:
        with self._speaking() as client:
            client.delete_object(Bucket=self.bucket, Key=f"{self.prefix}{name}{MANIFEST}")
            client.delete_object(Bucket=self.bucket, Key=f"{self.prefix}{name}{DUMP}")


def store_at(address: str) -> Store:
    parts = urlsplit(address)
    if parts.scheme == "s3" and parts.netloc:
        return Bucket(parts.netloc, parts.path)
    if parts.scheme:
        raise BackupError(f"Backups lie in a directory or below s3://bucket/prefix, not at {address}.")
    return Folder(Path(address).expanduser().resolve())
