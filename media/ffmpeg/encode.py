"""Makes the renditions: sound first, then every picture quality in one pass over the source.

One pass decodes the source once for all rungs, and the sound is encoded twice in all (32 and 64 kbit/s) instead of once
a rung: on two cores that is a fifth of the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from media.ffmpeg.binary import OWN_PLAYLIST, SAFE_INPUT, run_ffmpeg
from media.ffmpeg.ladder import KEYFRAME_SECONDS, SEGMENT_SECONDS, Rung
from media.ffmpeg.probe import Source

OnPosition = Callable[[float], None]
# Without it the muxer shifts each output by its own reordering delay, which depends on the frame rate: a switch from
# 240p5 to 720p would jump by a third of a second.
TS_OFFSET_SECONDS = 1
SAMPLE_RATE = 44100
AUDIO_FOLDER = "audio"
PLAYLIST = "index.m3u8"
MP4_NAME = "video.mp4"
SOUND_KBITS = (32, 64)


@dataclass(frozen=True)
class Encoder:
    """How hard ffmpeg may work. `threads` 0 lets each codec decide."""

    threads: int = 0
    nice: int = 10

    def run(self, arguments: Sequence[str | Path], on_position: OnPosition | None = None) -> None:
        run_ffmpeg(["-threads", str(self.threads), *arguments], nice=self.nice, on_position=on_position)


def encode_sound(
    encoder: Encoder, *, path: Path, source: Source, folder: Path, on_position: OnPosition | None = None
) -> dict[int, Path]:
    """Mono at each of SOUND_KBITS, exactly as long as the picture. A silent source gets a silent track.

    Every rung then has the same streams, which players need to switch between them, and a slide show plays everywhere.
    """
    length = f"{source.duration_seconds:.3f}"
    outputs = {kbit: folder / f"sound{kbit}.m4a" for kbit in SOUND_KBITS}
    if source.has_audio:
        head: list[str | Path] = [*SAFE_INPUT, "-i", path]
        graph = f"[0:a:0]aresample=async=1:first_pts=0,apad,atrim=end={length},asplit={len(outputs)}"
    else:
        head = ["-f", "lavfi", "-i", f"anullsrc=r={SAMPLE_RATE}:cl=mono"]
        graph = f"[0:a:0]atrim=end={length},asplit={len(outputs)}"
    graph += "".join(f"[s{kbit}]" for kbit in outputs)
    arguments = [*head, "-filter_complex", graph]
    for kbit, output in outputs.items():
        arguments += ["-map", f"[s{kbit}]", "-map_metadata", "-1", "-ac", "1", "-ar", str(SAMPLE_RATE)]
        arguments += ["-c:a", "aac", "-b:a", f"{kbit}k", output]
    encoder.run(arguments, on_position)
    return outputs


def encode_picture(
    encoder: Encoder,
    *,
    path: Path,
    source: Source,
    rungs: Sequence[Rung],
    sound: dict[int, Path],
    folder: Path,
    on_position: OnPosition | None = None,
) -> None:
    """Writes `<folder>/<rung>/index.m3u8` and its segments for every rung."""
    arguments: list[str | Path] = [*SAFE_INPUT, "-i", path]
    for kbit in SOUND_KBITS:
        arguments += ["-i", sound[kbit]]
    arguments += ["-filter_complex", _graph(source, rungs)]
    for rung in rungs:
        (folder / rung.name).mkdir()
        arguments += ["-map", f"[{rung.name}]", "-map", f"{1 + SOUND_KBITS.index(rung.audio_kbit)}:a"]
        arguments += _x264(rung, encoder.threads)
        arguments += ["-c:a", "copy", *_hls(folder / rung.name)]
    encoder.run(arguments, on_position)


def package_sound(encoder: Encoder, *, sound: Path, folder: Path) -> None:
    """The sound-only variant, for reviewing a lecture on the way. Copied, so it takes a second an hour."""
    (folder / AUDIO_FOLDER).mkdir()
    encoder.run(["-i", sound, "-map", "0:a", "-c", "copy", *_hls(folder / AUDIO_FOLDER)])


def package_mp4(encoder: Encoder, *, rung: Rung, folder: Path, on_position: OnPosition | None = None) -> None:
    """One file for old browsers and download: the rung's own frames in another box, not a second encode."""
    playlist = folder / rung.name / PLAYLIST
    encoder.run(
        [
            *(*OWN_PLAYLIST, "-i", playlist, "-map", "0:v", "-map", "0:a"),
            *("-c", "copy", "-map_metadata", "-1", "-movflags", "+faststart", folder / MP4_NAME),
        ],
        on_position,
    )


def mp4_rung(rungs: Sequence[Rung]) -> Rung:
    """The best one that is at most 360p."""
    return [rung for rung in rungs if rung.name in {"240p5", "240p15", "360p"}][-1]


def _graph(source: Source, rungs: Sequence[Rung]) -> str:
    """`fps` with a start at 0 fills a late first frame and turns variable frame rates into constant ones."""
    full_rate = max(rung.frame_rate for rung in rungs)
    filters = ["yadif=deint=interlaced"] if source.interlaced else []
    filters += [f"fps={full_rate}:start_time=0", "format=yuv420p", f"split={len(rungs)}"]
    parts = [f"[0:{source.video_index}]{','.join(filters)}{''.join(f'[in{rung.name}]' for rung in rungs)}"]
    for rung in rungs:
        slower = f"fps={rung.frame_rate}," if rung.frame_rate < full_rate else ""
        parts.append(f"[in{rung.name}]{slower}scale={rung.width}:{rung.height},setsar=1[{rung.name}]")
    return ";".join(parts)


def _x264(rung: Rung, threads: int) -> list[str]:
    """Constant quality under a cap: slides cost what they need, film is held to the rate."""
    return [
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-crf", "23"),
        *("-maxrate", f"{rung.video_kbit}k", "-bufsize", f"{2 * rung.video_kbit}k", "-threads", str(threads)),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})", "-sc_threshold", "0"),
    ]


def _hls(folder: Path) -> list[str | Path]:
    return [
        *("-map_metadata", "-1", "-output_ts_offset", str(TS_OFFSET_SECONDS), "-f", "hls"),
        *("-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod", "-hls_flags", "independent_segments"),
        # A table of contents every 0.1 s would be a fifth of the 240p stream; each segment starts with one anyway.
        *("-hls_segment_options", f"pat_period={SEGMENT_SECONDS}"),
        *("-hls_segment_filename", folder / "%05d.ts", folder / PLAYLIST),
    ]
