"""Where the picture of a webinar that is on air comes from."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Device
from media.domain.queries import VideoSources
from media.storages import grant_backend
from webinars.domain.ivs_live import place_of
from webinars.domain.ivs_viewers import address_for
from webinars.domain.timelines import real_broadcast
from webinars.domain.watching import ElsewhereError, NotBegunError
from webinars.enums import IngestKind
from webinars.ingest.ivs_tokens import Place
from webinars.models import Webinar


@dataclass(frozen=True, slots=True)
class LiveSource:
    """Files that a grant for `key` opens. `epoch` is program time 0.

    With a `place` they are AWS's, and nothing in `sources` plays: every loading needs an address of its own.
    """

    key: UUID
    epoch: datetime
    sources: VideoSources
    place: Place | None = None


def live_source(webinar: Webinar) -> LiveSource:
    """One query. Raises a WatchError where nothing of this webinar has been on air here.

    Of AWS IVS the address is kept; AWS itself is asked where nobody has asked for an hour.
    """
    broadcast = real_broadcast(webinar.pk)
    if broadcast is None or broadcast.epoch is None:
        raise ElsewhereError if webinar.ingest == IngestKind.EXTERNAL else NotBegunError
    if webinar.ingest == IngestKind.IVS:
        place = place_of(webinar)
        if place is None:
            raise NotBegunError
        return LiveSource(broadcast.key, broadcast.epoch, VideoSources(place.url, "", "", "", "", ()), place)
    url = grant_backend().url
    hls, audio = url(broadcast.key, "live/master.m3u8"), url(broadcast.key, "live/audio.m3u8")
    return LiveSource(broadcast.key, broadcast.epoch, VideoSources(hls, "", audio, "", "", ()))


def address_of(live: LiveSource, *, webinar: Webinar, device: Device, now: datetime) -> str:
    """What this device plays. The caller has passed `check_playable`, at `now` or later, as for a grant."""
    if live.place is None:
        return live.sources.hls
    return address_for(live.place, epoch=live.epoch, webinar=webinar, device=device, now=now)
