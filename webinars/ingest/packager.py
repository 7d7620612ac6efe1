"""One ffmpeg per publish session: FLV comes in by its standard input, segments of every quality come out in a folder.

The folder is private to the session. What is complete there in all qualities is handed on; viewers never see it.
"""

import asyncio
import contextlib
import re
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av

from core.processes import die_with_parent
from webinars.ingest import flv
from webinars.ingest.ladder import AUDIO, AUDIO_KBIT, SEGMENT_SECONDS, LiveRung
from webinars.ingest.playlists import AUDIO_CODEC, Format

SAMPLE_RATE = 44100
# All renditions start at the same time stamp; by itself each would be shifted by its own reordering delay.
TS_OFFSET_SECONDS = 1
LISTED = 300  # segments that stay in ffmpeg's own playlists: the storage may be away for ten minutes
WRITE_SECONDS = 15.0
FINISH_SECONDS = 10.0
# Below the real length of any stream: a publisher that sends nothing leaves the analysis waiting.
ANALYSIS = ("-analyzeduration", "5000000", "-probesize", "2000000", "-fpsprobesize", "0")
_ENTRY = re.compile(r"^#EXTINF:([\d.]+),[^\n]*\n([^#\n]+)$", re.MULTILINE)
_FIRST = re.compile(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)", re.MULTILINE)
_SPS = re.compile(rb"\x00\x00\x01[\x27\x47\x67](...)", re.DOTALL)


class PackagerError(Exception):
    """ffmpeg ended, or takes nothing any more."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A segment that is complete in every quality. `start` counts from the session's first frame."""

    index: int
    start: float
    seconds: float
    files: dict[str, tuple[Path, float]]


class Packager:
    def __init__(self, folder: Path, *, ffmpeg: str, rungs: Sequence[LiveRung], frame_rate: int, threads: int) -> None:
        self.folder = folder
        self.rungs = rungs
        self.command = [ffmpeg, *arguments(folder, rungs, frame_rate=frame_rate, threads=threads)]
        self.names = [*(rung.name for rung in rungs), AUDIO]
        self.process: asyncio.subprocess.Process | None = None
        self.taken = 0
        self._errors: IO[bytes] | None = None
        self._end = 0.0
        self._lists: dict[str, tuple[int, dict[int, float]]] = {}

    async def start(self) -> None:
        for name in self.names:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `finish`
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=self._errors,
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )
        await self.write(flv.FILE_HEADER)

    async def write(self, data: bytes) -> None:
        """Waits while ffmpeg is behind: the publisher's program then drops frames, and nothing piles up here."""
        stdin = self.process.stdin if self.process else None
        if stdin is None:
            raise PackagerError("not started")
        try:
            stdin.write(data)
            async with asyncio.timeout(WRITE_SECONDS):
                await stdin.drain()
        except (OSError, TimeoutError) as error:
            raise PackagerError(self.trouble()) from error

    def check(self) -> None:
        if self.process is None or self.process.returncode is not None:
            raise PackagerError(self.trouble())

    def trouble(self) -> str:
        """The end of what ffmpeg wrote. It never learns a key: it reads from a pipe and writes to a private folder."""
        if self._errors is None or self._errors.closed:
            return ""
        self._errors.seek(0, 2)
        self._errors.seek(max(0, self._errors.tell() - 1000))
        return self._errors.read().decode(errors="replace").strip()

    async def finish(self) -> None:
        """Lets ffmpeg write what it has, then makes sure that it is gone."""
        if self.process is None:
            return
        if self.process.stdin:
            self.process.stdin.close()
            # What ffmpeg did not take any more: it is ending anyway.
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(FINISH_SECONDS):
                    await self.process.stdin.wait_closed()
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def kill(self) -> None:
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    def close(self) -> None:
        self.kill()
        if self._errors:
            self._errors.close()

    def finished(self) -> list[Finished]:
        """What became complete in all qualities since it was last `taken`. Cheap while nothing has changed."""
        lists = [self._entries(name) for name in self.names]
        found = []
        index, start = self.taken, self._end
        while all(index in entries for entries in lists):
            lengths = dict(zip(self.names, (entries[index] for entries in lists), strict=True))
            seconds = lengths[self.names[0]]
            files = {name: (self.folder / name / f"{index}.ts", length) for name, length in lengths.items()}
            found.append(Finished(index, start, seconds, files))
            index, start = index + 1, start + seconds
        return found

    def take(self, done: Finished) -> None:
        """It is stored: the local copy goes."""
        self.taken, self._end = done.index + 1, done.start + done.seconds
        for path, _ in done.files.values():
            path.unlink(missing_ok=True)

    def _entries(self, name: str) -> dict[int, float]:
        path = self.folder / name / "index.m3u8"
        try:
            changed = path.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        known = self._lists.get(name)
        if known is None or known[0] != changed:
            text = path.read_text(encoding="utf-8")
            first = _FIRST.search(text)
            number = int(first[1]) if first else 0
            entries = {number + place: float(found[1]) for place, found in enumerate(_ENTRY.finditer(text))}
            known = self._lists[name] = changed, entries
        return known[1]


def arguments(folder: Path, rungs: Sequence[LiveRung], *, frame_rate: int, threads: int) -> list[str]:
    """Picture and sound begin at 0 together, at constant rates: all qualities are cut at the same instants."""
    given = ["-hide_banner", "-nostdin", "-loglevel", "error", "-nostats", "-copyts"]
    given += [*ANALYSIS, "-protocol_whitelist", "pipe", "-f", "flv", "-i", "pipe:0"]
    given += ["-filter_complex", _graph(rungs, frame_rate=frame_rate)]
    for place, rung in enumerate(rungs):
        given += ["-map", f"[v{place}]", "-map", f"[a{place}]", *_x264(rung, min(frame_rate, rung.frame_rate), threads)]
        given += [*_sound(rung.audio_kbit), *_hls(folder / rung.name)]
    return [*given, "-map", f"[a{len(rungs)}]", *_sound(AUDIO_KBIT), *_hls(folder / AUDIO)]


def _x264(rung: LiveRung, frame_rate: int, threads: int) -> list[str]:
    """Constant quality under a cap. Looking ahead is counted in frames: at 5 a second the usual ten are 2 s late."""
    return [
        *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-crf", "23"),
        *("-maxrate", f"{rung.video_kbit}k", "-bufsize", f"{2 * rung.video_kbit}k", "-threads", str(threads)),
        *("-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})", "-sc_threshold", "0"),
        *("-bf", "2" if frame_rate > 20 else "0", "-x264-params", f"rc-lookahead={frame_rate // 3}:sync-lookahead=0"),
    ]


def _graph(rungs: Sequence[LiveRung], *, frame_rate: int) -> str:
    """Never larger than the source."""
    split = "".join(f"[in{place}]" for place in range(len(rungs)))
    parts = [f"[0:v:0]fps={frame_rate}:start_time=0,format=yuv420p,split={len(rungs)}{split}"]
    for place, rung in enumerate(rungs):
        slower = f"fps={rung.frame_rate}," if rung.frame_rate < frame_rate else ""
        height = f"trunc(min({rung.height}\\,ih)/2)*2"
        parts.append(f"[in{place}]{slower}scale=-2:{height},setsar=1[v{place}]")
    outputs = "".join(f"[a{place}]" for place in range(len(rungs) + 1))
    parts.append(f"[0:a:0]aresample={SAMPLE_RATE}:async=1000:first_pts=0,asplit={len(rungs) + 1}{outputs}")
    return ";".join(parts)


def _sound(kbit: int) -> list[str]:
    return ["-c:a", "aac", "-ac", "1", "-ar", str(SAMPLE_RATE), "-b:a", f"{kbit}k"]


def _hls(folder: Path) -> list[str]:
    return [
        *("-map_metadata", "-1", "-output_ts_offset", str(TS_OFFSET_SECONDS), "-f", "hls"),
        *("-hls_time", str(SEGMENT_SECONDS), "-hls_list_size", str(LISTED), "-start_number", "0"),
        *("-hls_flags", "independent_segments+temp_file+omit_endlist"),
        *("-hls_segment_options", f"pat_period={SEGMENT_SECONDS}"),
        *("-hls_segment_filename", str(folder / "%d.ts"), str(folder / "index.m3u8")),
    ]


def format_of(path: Path, *, frame_rate: int) -> Format:
    """What ffmpeg really made of a quality: size, profile and level depend on the source."""
    with av.open(str(path), options={"format_whitelist": "mpegts", "protocol_whitelist": "file"}) as container:
        if not container.streams.video:
            return Format(0, 0, 0, AUDIO_CODEC)
        for packet in container.demux(video=0):
            found = _SPS.search(bytes(packet))
            if found:
                context = container.streams.video[0].codec_context
                return Format(context.width, context.height, frame_rate, f"avc1.{found.group(1).hex()},{AUDIO_CODEC}")
    raise PackagerError(f"no picture parameters in {path.parent.name}")
