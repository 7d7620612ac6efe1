"""Where the picture of a webinar that is on air comes from."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from media.domain.queries import VideoSources
from media.storages import grant_backend
from webinars.domain.ivs_live import playback_address
from webinars.domain.timelines import real_broadcast
from webinars.domain.watching import ElsewhereError, NotBegunError
from webinars.enums import IngestKind
from webinars.models import Webinar


@dataclass(frozen=True, slots=True)
class LiveSource:
    """Files that a grant for `key` opens. `epoch` is program time 0."""

    key: UUID
    epoch: datetime
    sources: VideoSources


def live_source(webinar: Webinar) -> LiveSource:
    """One query. Raises a WatchError where nothing of this webinar has been on air here.

    Of AWS IVS the address is kept; AWS itself is asked where nobody has asked for an hour.
    """
    broadcast = real_broadcast(webinar.pk)
    if broadcast is None or broadcast.epoch is None:
        raise ElsewhereError if webinar.ingest == IngestKind.EXTERNAL else NotBegunError
    if webinar.ingest == IngestKind.IVS:
        address = playback_address(webinar)
        if not address:
            raise NotBegunError
        return LiveSource(broadcast.key, broadcast.epoch, VideoSources(address, "", "", "", "", ()))
    url = grant_backend().url
    hls, audio = url(broadcast.key, "live/master.m3u8"), url(broadcast.key, "live/audio.m3u8")
    return LiveSource(broadcast.key, broadcast.epoch, VideoSources(hls, "", audio, "", "", ()))
