"""AWS Interactive Video Service: a private channel per webinar, recorded to S3 by AWS.

Nothing about the channel is kept here: it is found by its name, so no row can be out of step with AWS.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest, IngestError, Setup, StreamState
from webinars.ingest.ivs_tokens import Place
from webinars.models import Webinar

Found = TypeVar("Found")
LONGEST_STREAM = timedelta(hours=48)  # AWS ends it then
REVOKED_AT_ONCE = 20  # AWS takes no more in one call
_BLOCK = 1024 * 1024


def channel_name(webinar: Webinar) -> str:
    """With the site's own name: staging may be in the same account, and has a webinar 12 as well."""
    host = re.sub(r"[^a-z0-9]+", "-", urlsplit(settings.SITE_URL).hostname or "")
    return f"{host[:90]}-webinar-{webinar.pk}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where AWS puts the recordings of a channel: below `prefix`, by the minute in which they began."""

    bucket: str
    prefix: str
    channel_arn: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """Whatever tokens up to this version have opened for this viewer."""

    viewer: UUID
    channel_arn: str
    version: int


class IvsIngest(Ingest):
    kind = IngestKind.IVS

    def __init__(self, *, tries: int | None = None) -> None:
        """`tries`: 1 where the caller comes again by itself, and rather soon than late."""
        retries: dict[str, Any] = {"retries": {"total_max_attempts": tries}} if tries else {}
        self.client: Any = boto3.client(
            "ivs",
            region_name=settings.AWS_REGION,
            endpoint_url=settings.AWS_ENDPOINT_URL or None,
            config=Config(connect_timeout=2, read_timeout=5, **retries),
        )

    def setup(self, webinar: Webinar) -> Setup:
        channel = _asked(lambda: self._private_channel(webinar))
        return Setup(
            kind=self.kind,
            server=f"rtmps://{channel['ingestEndpoint']}:443/app/",
            key=_asked(lambda: self._stream_key(channel["arn"])),
            steps=(
                _("In OBS: Settings, Stream, service “Custom”."),
                _("Enter the server and the stream key, then start streaming."),
            ),
            settings=(
                (_("Video encoder"), _("H.264 (x264)")),
                (_("Keyframe interval"), _("2 seconds")),
                (_("Audio encoder"), _("AAC, 128 kbit/s")),
            ),
        )

    def state(self, webinar: Webinar) -> StreamState:
        arn = _asked(lambda: self._channel(webinar))["arn"]
        try:
            stream = self.client.get_stream(channelArn=arn)["stream"]
        except ClientError as error:
            if _code(error) in {"ChannelNotBroadcasting", "ResourceNotFoundException"}:
                return StreamState(is_live=False)
            raise IngestError(f"IVS: {_code(error)}") from error
        except BotoCoreError as error:
            raise IngestError(f"IVS: {error}") from error
        figures = {"health": stream.get("health", ""), "viewers": stream.get("viewerCount", 0)}
        return StreamState(is_live=stream.get("state") == "LIVE", figures=figures)

    def playback_url(self, webinar: Webinar) -> str:
        return self.place(webinar).url

    def place(self, webinar: Webinar) -> Place:
        """Of a channel that plays nothing without a token. Raises `IngestError` where it cannot be made so."""
        channel = _asked(lambda: self._private_channel(webinar))
        return Place(channel["arn"], str(channel["playbackUrl"]))

    def revoke(self, revocations: Sequence[Revocation]) -> set[UUID]:
        """At most `REVOKED_AT_ONCE`. Whose sessions AWS ends now; the others it refused to.

        Without a version AWS would end only those of version 0.
        """
        sessions = [
            {
                "channelArn": one.channel_arn,
                "viewerId": str(one.viewer),
                "viewerSessionVersionsLessThanOrEqualTo": one.version,
            }
            for one in revocations
        ]
        answer = _asked(lambda: self.client.batch_start_viewer_session_revocation(viewerSessions=sessions))
        refused = {error["viewerId"] for error in answer.get("errors", ())}
        return {one.viewer for one in revocations if str(one.viewer) not in refused}

    def end(self, webinar: Webinar) -> None:
        arn = _asked(lambda: self._channel(webinar))["arn"]
        try:
            self.client.stop_stream(channelArn=arn)
        except ClientError as error:
            if _code(error) not in {"ChannelNotBroadcasting", "ResourceNotFoundException"}:
                raise IngestError(f"IVS: {_code(error)}") from error

    def shelf(self, webinar: Webinar) -> Shelf | None:
        """None where AWS records nothing: there is no channel, or it has no recording configuration."""
        return _asked(lambda: self._shelf(webinar))

    def _shelf(self, webinar: Webinar) -> Shelf | None:
        channel = self._found(channel_name(webinar))
        configuration = channel.get("recordingConfigurationArn") if channel else ""
        if channel is None or not configuration:
            return None
        found = self.client.get_recording_configuration(arn=configuration)["recordingConfiguration"]
        account, _, identity = channel["arn"].split(":", 4)[4].partition(":channel/")
        bucket = found["destinationConfiguration"]["s3"]["bucketName"]
        return Shelf(bucket, f"ivs/v1/{account}/{identity}/", channel["arn"])

    def _private_channel(self, webinar: Webinar) -> dict[str, Any]:
        """One that was made open to everybody is closed, which AWS refuses while a stream comes in."""
        if not settings.LIVE_IVS_PLAYBACK_PRIVATE_KEY:
            raise IngestError("IVS: LIVE_IVS_PLAYBACK_PRIVATE_KEY is not set")
        channel = self._channel(webinar)
        if not channel.get("authorized"):
            try:
                self.client.update_channel(arn=channel["arn"], authorized=True)
            except ClientError as error:
                if _code(error) != "ConflictException":
                    raise
                raise IngestError("IVS: the channel is open to everybody; stop the stream to close it") from error
        return channel

    def _channel(self, webinar: Webinar) -> dict[str, Any]:
        """Made where it is missing. Two at once would make two: the first in AWS's own order is everybody's."""
        name = channel_name(webinar)
        channel = self._found(name)
        if channel is None:
            recording = {"recordingConfigurationArn": settings.LIVE_IVS_RECORDING_ARN}
            self.client.create_channel(
                name=name,
                latencyMode="LOW",
                type="STANDARD",
                authorized=True,
                **(recording if settings.LIVE_IVS_RECORDING_ARN else {}),
            )
            channel = self._found(name)
        if channel is None:
            raise IngestError("IVS made no channel")
        return channel

    def _found(self, name: str) -> dict[str, Any] | None:
        pages = self.client.get_paginator("list_channels").paginate(filterByName=name)
        for page in pages:
            for one in page["channels"]:
                if one["name"] == name:
                    channel: dict[str, Any] = self.client.get_channel(arn=one["arn"])["channel"]
                    return channel
        return None

    def _stream_key(self, channel_arn: str) -> str:
        keys = self.client.list_stream_keys(channelArn=channel_arn)["streamKeys"]
        if not keys:
            return str(self.client.create_stream_key(channelArn=channel_arn)["streamKey"]["value"])
        return str(self.client.get_stream_key(arn=keys[0]["arn"])["streamKey"]["value"])


class RecordingBucket:
    """What lies on a shelf. Raises `IngestError` where S3 does not answer."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.client: Any = boto3.client(
            "s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None
        )

    def recordings(self, *, since: datetime, until: datetime) -> Iterator[str]:
        """Prefixes of what began in this time or as long before it as a stream can last.

        Folder by folder: a list of all files would be thousands of segments.
        """
        day = (since - LONGEST_STREAM).date()
        while day <= until.date():
            for hour in self._folders(f"{self.shelf.prefix}{day.year}/{day.month}/{day.day}/"):
                for minute in self._folders(hour):
                    yield from self._folders(minute)
            day += timedelta(days=1)

    def _folders(self, prefix: str) -> list[str]:
        def asked() -> list[str]:
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.shelf.bucket, Prefix=prefix, Delimiter="/"
            )
            return [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ())]

        return _asked(asked)

    def sizes(self, prefix: str, *, most: int) -> dict[str, int]:
        """Name below the prefix → bytes. Stops after `most` files."""

        def asked() -> dict[str, int]:
            found: dict[str, int] = {}
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.shelf.bucket, Prefix=prefix)
            for page in pages:
                found |= {one["Key"].removeprefix(prefix): one["Size"] for one in page.get("Contents", ())}
                if len(found) > most:
                    break
            return found

        return _asked(asked)

    def small_file(self, key: str, *, most: int) -> bytes | None:
        """Its first `most` bytes; None where there is none."""
        try:
            body: bytes = self.client.get_object(Bucket=self.shelf.bucket, Key=key)["Body"].read(most)
        except ClientError as error:
            if _code(error) in {"NoSuchKey", "404"}:
                return None
            raise IngestError(f"IVS: {_code(error)}") from error
        except BotoCoreError as error:
            raise IngestError(f"IVS: {error}") from error
        return body

    def fetch(self, key: str, path: Path) -> None:
        def asked() -> None:
            body = self.client.get_object(Bucket=self.shelf.bucket, Key=key)["Body"]
            with path.open("wb") as target:
                for block in body.iter_chunks(_BLOCK):
                    target.write(block)

        _asked(asked)


def _asked(question: Callable[[], Found]) -> Found:
    try:
        return question()
    except ClientError as error:
        raise IngestError(f"IVS: {_code(error)}") from error
    except BotoCoreError as error:
        raise IngestError(f"IVS: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
