"""Whether a storage is a bucket, answered without boto3 where it is not: loading that costs every start 0.3 s."""

from typing import TYPE_CHECKING

from django.core.files.storage import FileSystemStorage, Storage

if TYPE_CHECKING:
    from media.storages.s3 import Bucket


def bucket_of(storage: Storage) -> "Bucket | None":
    if isinstance(storage, FileSystemStorage):
        return None
    from storages.backends.s3 import S3Storage

    from media.storages.s3 import Bucket

    return Bucket(storage) if isinstance(storage, S3Storage) else None


def storage_troubles() -> tuple[type[Exception], ...]:
    """Of a storage that is away or broken for the moment. `except` calls this only when something is wrong."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, BotoCoreError, ClientError)
