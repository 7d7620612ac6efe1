"""Reads what a source is, with PyAV: the ffmpeg wheel brings no ffprobe."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error

from media.enums import VideoError
from media.ffmpeg.binary import FORMATS

_SIGNATURES: tuple[tuple[int, bytes], ...] = (
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (4, b"free"),
    (4, b"skip"),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (8, b"AVI "),
    (0, b"\x00\x00\x01"),  # MPEG program stream, raw H.264
    (0, b"\x00\x00\x00\x01"),
    (0, b"FLV\x01"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # Windows Media
    (0, b"OggS"),
    (0, b"\x06\x0e\x2b\x34"),  # MXF
    (0, b"\x1f\x07\x00"),  # DV
)
# MPEG transport streams start every packet with a G, camcorders put four bytes of time before it. One G alone would
# take a GIF, or a letter that begins with "Good evening", for a video.
_PACKETS = ((0, 188), (4, 196))
SIGNATURE_BYTES = 256


class SourceRejected(Exception):  # noqa: N818 - named after what happens, like the other refusals
    """The file itself is the problem: trying again changes nothing."""

    def __init__(self, code: VideoError, detail: str = "") -> None:
        super().__init__(f"{code.label} {detail}".strip())
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Source:
    """A readable video. `width` and `height` are what a viewer sees: after rotation and with square pixels."""

    duration_seconds: float
    width: int
    height: int
    frame_rate: float
    has_audio: bool
    video_index: int
    interlaced: bool


def looks_like_video(head: bytes) -> bool:
    """By the first bytes, whatever the file is called. Cheap enough for a request; `probe` has the last word."""
    if any(head[first : first + 1] == head[second : second + 1] == b"G" for first, second in _PACKETS):
        return True
    return any(head[offset : offset + len(magic)] == magic for offset, magic in _SIGNATURES)


def probe(path: Path, *, max_seconds: float, on_step: Callable[[], None] = lambda: None) -> Source:
    """Raises `SourceRejected` for what cannot become a lecture. Decodes only the first frame.

    A file without a duration in its header (browsers' recordings) is read through once: `on_step` is called meanwhile.
    """
    if path.stat().st_size == 0:
        raise SourceRejected(VideoError.EMPTY_FILE)
    with path.open("rb") as file:
        head = file.read(SIGNATURE_BYTES)
    if not looks_like_video(head):
        raise SourceRejected(VideoError.NOT_A_VIDEO)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=options) as container:
            return _describe(container, path, max_seconds=max_seconds, on_step=on_step)
    except av.error.InvalidDataError as error:
        # Cameras and editors write the index (moov) last: without it the end is missing, the rest may be fine.
        code = VideoError.TRUNCATED if head[4:8] in {b"ftyp", b"mdat", b"wide", b"free"} else VideoError.UNREADABLE
        raise SourceRejected(code) from error
    except av.error.FFmpegError as error:
        raise SourceRejected(VideoError.UNREADABLE, str(error)) from error


def _describe(
    container: av.container.InputContainer, path: Path, *, max_seconds: float, on_step: Callable[[], None]
) -> Source:
    # A cover picture in a sound file is a "video" stream too.
    videos = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    audios = [s for s in container.streams.audio if s.codec_context.sample_rate]
    if not videos:
        raise SourceRejected(VideoError.AUDIO_ONLY if audios else VideoError.NOT_A_VIDEO)
    video = videos[0]
    frame = _first_frame(container, video)
    duration = _duration(container, video) or _measured_duration(path, on_step)
    if duration < 1:
        raise SourceRejected(VideoError.TOO_SHORT)
    if duration > max_seconds:
        raise SourceRejected(
            VideoError.TOO_LONG, f"{in_clock_words(duration)} instead of at most {in_clock_words(max_seconds)}."
        )
    width, height = _displayed_size(frame, video)
    return Source(
        duration_seconds=duration,
        width=width,
        height=height,
        frame_rate=float(video.average_rate or video.guessed_rate or 25),
        has_audio=bool(audios),
        video_index=video.index,
        interlaced=bool(frame.interlaced_frame),
    )


def _first_frame(container: av.container.InputContainer, video: av.VideoStream) -> av.VideoFrame:
    """Passes over undecodable packets: a recording cut out of a stream may start between keyframes."""
    for packet in container.demux(video):
        try:
            for frame in packet.decode():
                return frame
        except av.error.InvalidDataError:
            continue
    raise SourceRejected(VideoError.NO_FRAMES)


def _displayed_size(frame: av.VideoFrame, video: av.VideoStream) -> tuple[int, int]:
    pixel_shape = video.sample_aspect_ratio or Fraction(1)
    width, height = round(frame.width * pixel_shape), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _duration(container: av.container.InputContainer, video: av.VideoStream) -> float:
    if video.duration and video.time_base:
        return float(video.duration * video.time_base)
    return container.duration / av.time_base if container.duration else 0.0


def _measured_duration(path: Path, on_step: Callable[[], None]) -> float:
    """Opened anew: the first frame was read from the other container. Costs one read of the file, no decoding."""
    first, last = None, 0.0
    with av.open(str(path), options={"format_whitelist": FORMATS, "protocol_whitelist": "file"}) as container:
        for count, packet in enumerate(container.demux(video=0)):
            if packet.pts is not None and packet.time_base is not None:
                at = float(packet.pts * packet.time_base)
                first = at if first is None else min(first, at)
                last = max(last, at + float((packet.duration or 0) * packet.time_base))
            if count % 1000 == 0:
                on_step()
    return last - (first or 0.0)


def in_clock_words(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
