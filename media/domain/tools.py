"""What other apps need of the media tools."""

from media.ffmpeg.binary import ffmpeg_path

__all__ = ["ffmpeg_path"]
