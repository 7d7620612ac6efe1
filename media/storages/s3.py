"""What django-storages does not do for us on S3: streaming reads, batch deletes, cache headers, multipart uploads."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from storages.backends.s3 import S3Storage

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PART_URL_SECONDS = 3600
_BLOCK = 4 * 1024 * 1024
_GONE = {"NoSuchKey", "404", "NotFound"}


class Bucket:
    """One bucket, by its client. django-storages keeps a connection per thread, which this shares."""

    def __init__(self, storage: S3Storage) -> None:
        self.client: S3Client = storage.connection.meta.client
        self.name: str = storage.bucket_name

    def read(self, key: str) -> Iterator[bytes]:
        """Block by block; django-storages' own file would hold a lecture of several GB in memory."""
        try:
            body = self.client.get_object(Bucket=self.name, Key=key)["Body"]
        except ClientError as error:
            raise _as_os_error(error, key) from error
        yield from body.iter_chunks(_BLOCK)

    def download(self, key: str, path: Path, *, on_block: Callable[[int], None]) -> None:
        with path.open("wb") as target:
            for block in self.read(key):
                target.write(block)
                on_block(len(block))

    def head(self, key: str, size: int) -> bytes:
        try:
            return self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes=0-{size - 1}")["Body"].read()
        except ClientError as error:
            raise _as_os_error(error, key) from error

    def size(self, key: str) -> int | None:
        try:
            return self.client.head_object(Bucket=self.name, Key=key)["ContentLength"]
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise

    def put(self, path: Path, key: str, *, content_type: str) -> None:
        """Under a random version nothing ever changes, so CloudFront and browsers may keep it."""
        headers = {"ContentType": content_type, "CacheControl": "max-age=86400, immutable"}
        self.client.upload_file(str(path), self.name, key, ExtraArgs=headers)

    def delete_prefix(self, prefix: str) -> None:
        """A thousand a call. Matches the object itself and what lies in the folder, not `prefix-2`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=f"{prefix}/")
        for page in pages:
            names: list[Any] = [{"Key": found["Key"]} for found in page.get("Contents", ())]
            if names:
                self.client.delete_objects(Bucket=self.name, Delete={"Objects": names, "Quiet": True})
        self.client.delete_object(Bucket=self.name, Key=prefix)

    def begin(self, key: str) -> str:
        return self.client.create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]

    def part_url(self, key: str, upload_id: str, number: int) -> str:
        return self.client.generate_presigned_url(
            "upload_part",
            Params={"Bucket": self.name, "Key": key, "UploadId": upload_id, "PartNumber": number},
            ExpiresIn=PART_URL_SECONDS,
        )

    def parts(self, key: str, upload_id: str) -> dict[int, tuple[int, str]]:
        """Number → size and ETag of what S3 really has."""
        pages = self.client.get_paginator("list_parts").paginate(Bucket=self.name, Key=key, UploadId=upload_id)
        try:
            found = [part for page in pages for part in page.get("Parts", ())]
        except ClientError as error:
            if _code(error) == "NoSuchUpload":  # joined already, or removed by a lifecycle rule
                return {}
            raise
        return {part["PartNumber"]: (part["Size"], part["ETag"]) for part in found}

    def finish(self, key: str, upload_id: str, parts: dict[int, str]) -> None:
        listed: list[Any] = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(parts.items())]
        self.client.complete_multipart_upload(
            Bucket=self.name, Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed}
        )

    def abort(self, key: str, upload_id: str) -> None:
        """Unfinished parts cost money until this is called."""
        try:
            self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
        except ClientError as error:
            if _code(error) != "NoSuchUpload":
                raise


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _as_os_error(error: ClientError, key: str) -> OSError:
    return FileNotFoundError(key) if _code(error) in _GONE else OSError(f"S3: {_code(error)} for {key}")
