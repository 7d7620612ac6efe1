"""Checks finished streams, measures them, and writes the master playlist from what was measured.

ffmpeg's own master declares configured rates: 1.59 Mb/s where 2.03 were measured. A player that believes it stalls.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from media.ffmpeg.encode import AUDIO_FOLDER, PLAYLIST
from media.ffmpeg.ladder import Rung

MASTER_NAME = "master.m3u8"
AUDIO_CODEC = "mp4a.40.2"
_EXTINF = re.compile(r"^#EXTINF:([\d.]+),[^\n]*\n([^#\n]+)$", re.MULTILINE)
_SPS = re.compile(rb"\x00\x00\x01[\x27\x47\x67](...)", re.DOTALL)


class IncompleteStream(Exception):  # noqa: N818 - a state of the result, not of the program
    """A stream that must not be published."""


@dataclass(frozen=True)
class Stream:
    """A measured media playlist. Rates are bits per second over whole segments, transport overhead included."""

    name: str
    duration_seconds: float
    bandwidth_peak: int
    bandwidth_average: int
    bytes: int
    codecs: str
    rung: Rung | None = None

    @property
    def path(self) -> str:
        return f"{self.name}/{PLAYLIST}"


def measure(folder: Path, *, name: str, rung: Rung | None = None) -> Stream:
    """Reads the playlist and every segment's size; raises `IncompleteStream` when anything is missing or empty."""
    playlist = folder / name / PLAYLIST
    text = playlist.read_text(encoding="utf-8") if playlist.is_file() else ""
    segments = [(float(seconds), uri) for seconds, uri in _EXTINF.findall(text)]
    if not segments or not text.rstrip().endswith("#EXT-X-ENDLIST"):
        raise IncompleteStream(f"{name}: the playlist has no end")
    sizes = []
    for seconds, uri in segments:
        segment = playlist.parent / uri
        size = segment.stat().st_size if segment.is_file() else 0
        if not size or seconds <= 0:
            raise IncompleteStream(f"{name}: segment {uri} is missing or empty")
        sizes.append((seconds, size))
    duration = sum(seconds for seconds, _ in sizes)
    total = sum(size for _, size in sizes)
    average = -int(-8 * total // duration)
    # The remainder at the end may be a fraction of a second, where headers alone look like a high rate.
    peak = max((-int(-8 * size // seconds) for seconds, size in sizes if seconds >= 1), default=average)
    first = playlist.parent / segments[0][1]
    return Stream(
        name=name,
        duration_seconds=duration,
        bandwidth_peak=max(peak, average),
        bandwidth_average=average,
        bytes=total,
        codecs=f"{video_codec(first)},{AUDIO_CODEC}" if rung else AUDIO_CODEC,
        rung=rung,
    )


def video_codec(segment: Path) -> str:
    """`avc1.PPCCLL` as the encoder really wrote it: profile and level depend on the size it was given."""
    with av.open(str(segment), options={"format_whitelist": "mpegts", "protocol_whitelist": "file"}) as container:
        for packet in container.demux(video=0):
            found = _SPS.search(bytes(packet))
            if found:
                return f"avc1.{found.group(1).hex()}"
    raise IncompleteStream(f"{segment.parent.name}: no picture parameters in the first segment")


def master_playlist(streams: Sequence[Stream]) -> str:
    """Lowest picture first, because native players start with the first entry; sound only last.

    The sound-only entry names no picture codec: hls.js leaves it out of its automatic choice, native ones use it last.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for stream in sorted(streams, key=lambda s: (s.rung is None, s.bandwidth_peak)):
        facts = [f"BANDWIDTH={stream.bandwidth_peak}", f"AVERAGE-BANDWIDTH={stream.bandwidth_average}"]
        if stream.rung:
            facts.append(f"RESOLUTION={stream.rung.width}x{stream.rung.height}")
        facts.append(f'CODECS="{stream.codecs}"')
        if stream.rung:
            facts.append(f"FRAME-RATE={stream.rung.frame_rate:.3f}")
        lines += [f"#EXT-X-STREAM-INF:{','.join(facts)}", stream.path]
    return "\n".join(lines) + "\n"


def write_master(folder: Path, *, rungs: Sequence[Rung], with_audio: bool) -> list[Stream]:
    streams = [measure(folder, name=rung.name, rung=rung) for rung in rungs]
    if with_audio:
        streams.append(measure(folder, name=AUDIO_FOLDER))
    (folder / MASTER_NAME).write_text(master_playlist(streams), encoding="utf-8")
    return streams
