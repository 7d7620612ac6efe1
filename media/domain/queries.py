"""What other apps may know of a video."""

from dataclasses import dataclass

from media.enums import RenditionKind
from media.ffmpeg.encode import MP4_NAME
from media.ffmpeg.playlists import MASTER_NAME
from media.ffmpeg.stills import POSTER_NAME, SPRITE_VTT_NAME
from media.models import Video
from media.storages import grant_backend


class NotPublished(Exception):  # noqa: N818 - a state
    """There is nothing to watch yet."""


@dataclass(frozen=True)
class CaptionSource:
    language: str
    label: str
    url: str


@dataclass(frozen=True)
class VideoSources:
    """Addresses that work with a grant. `audio` is empty for a video without sound."""

    hls: str
    mp4: str
    audio: str
    poster: str
    sprite: str
    captions: tuple[CaptionSource, ...]


def sources(video: Video) -> VideoSources:
    """One query, for the captions. Raises `NotPublished`."""
    if not video.published_version:
        raise NotPublished
    backend = grant_backend()

    def url(name: str) -> str:
        return backend.url(video.key, f"{video.published_version}/{name}")

    return VideoSources(
        hls=url(MASTER_NAME),
        mp4=url(MP4_NAME),
        audio=url(f"{RenditionKind.AUDIO}/index.m3u8") if video.has_audio else "",
        poster=url(POSTER_NAME),
        sprite=url(SPRITE_VTT_NAME),
        captions=tuple(
            CaptionSource(language=c.language, label=c.label, url=backend.url(video.key, c.path))
            for c in video.captions.all()
        ),
    )
