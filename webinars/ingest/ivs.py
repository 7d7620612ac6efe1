"""AWS Interactive Video Service: a channel per webinar, recorded to S3 by AWS.

Nothing about the channel is kept here: it is found by its name, so no row can be out of step with AWS.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from webinars.enums import IngestKind
from webinars.ingest.base import Ingest, IngestError, Setup, StreamState
from webinars.models import Webinar

Found = TypeVar("Found")


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


def _asked(question: Callable[[], Found]) -> Found:
    try:
        return question()
    except ClientError as error:
        raise IngestError(f"IVS: {_code(error)}") from error
    except BotoCoreError as error:
        raise IngestError(f"IVS: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
