"""AWS Interactive Video Service: a channel per webinar, recorded to S3 by AWS.

Nothing about the channel is kept here: it is found by its name, so no row can be out of step with AWS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest, IngestError, Setup, StreamState
from webinars.models import Webinar

Found = TypeVar("Found")
LONGEST_STREAM = timedelta(hours=48)  # AWS ends it then
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where AWS puts the recordings of a channel: below `prefix`, by the minute in which they began."""

    bucket: str
    prefix: str
    channel_arn: str


class IvsIngest(Ingest):
    kind = IngestKind.IVS

    def __init__(self, client: Any = None) -> None:
        self.client = client or boto3.client(
            "ivs", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None
        )

    def setup(self, webinar: Webinar) -> Setup:
        channel = _asked(lambda: self._channel(webinar))
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
        return str(_asked(lambda: self._channel(webinar))["playbackUrl"])

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
        channel = self._found(f"webinar-{webinar.pk}")
        configuration = channel.get("recordingConfigurationArn") if channel else ""
        if channel is None or not configuration:
            return None
        found = self.client.get_recording_configuration(arn=configuration)["recordingConfiguration"]
        account, _, identity = channel["arn"].split(":", 4)[4].partition(":channel/")
        bucket = found["destinationConfiguration"]["s3"]["bucketName"]
        return Shelf(bucket, f"ivs/v1/{account}/{identity}/", channel["arn"])

    def _channel(self, webinar: Webinar) -> dict[str, Any]:
        """Made where it is missing. Two at once would make two: the first in AWS's own order is everybody's."""
        name = f"webinar-{webinar.pk}"
        channel = self._found(name)
        if channel is None:
            recording = {"recordingConfigurationArn": settings.LIVE_IVS_RECORDING_ARN}
            self.client.create_channel(
                name=name,
                latencyMode="LOW",
                type="STANDARD",
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
