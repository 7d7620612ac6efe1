"""A camera that writes the number of each frame into its picture, as sixteen blocks of light and dark.

Frame n is what happened n/25 seconds after the broadcast began, whatever any clock or file says about it.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from media.ffmpeg.binary import ffmpeg_path

RATE = 25
BITS = 16
DONE = "done"
_ENTRY = re.compile(r"^#EXTINF:([\d.]+),[^\n]*\n([^#\n]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Filmed:
    """One connection of a publisher: segments as a packager makes them, and the frame that it began with."""

    first: int
    segments: tuple[tuple[Path, float], ...]


def film(films: Path, *, first: int, frames: int, size: str = "320x180", sound: bool = True) -> Filmed:
    """`frames` pictures from number `first` on, in segments of two seconds. Made once a folder, to be read only."""
    films.mkdir(parents=True, exist_ok=True)
    folder = films / f"{first}-{frames}-{size}-{'sound' if sound else 'silence'}"
    with folder.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _film(folder, first=first, frames=frames, size=size, sound=sound)
            (folder / DONE).touch()
    entries = _ENTRY.findall((folder / "index.m3u8").read_text())
    return Filmed(first, tuple((folder / name, float(length)) for length, name in entries))


def _film(folder: Path, *, first: int, frames: int, size: str, sound: bool) -> None:
    folder.mkdir()
    seconds = frames / RATE
    blocks = f"geq=lum='if(mod(floor((N+{first})/pow(2\\,X))\\,2)\\,215\\,35)':cb=128:cr=128"
    inputs = [
        "-f",
        "lavfi",
        "-i",
        f"color=black:s={BITS}x9:r={RATE},{blocks},scale={size.replace('x', ':')}:flags=neighbor",
    ]
    if sound:
        inputs += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100", "-c:a", "aac", "-b:a", "64k"]
    command = [ffmpeg_path(), "-v", "error", "-nostdin", *inputs, "-t", f"{seconds:.3f}"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-crf", "26", "-pix_fmt", "yuv420p"]
    command += ["-force_key_frames", "expr:gte(t,n_forced*2)", "-sc_threshold", "0", "-output_ts_offset", "1"]
    command += ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", "-hls_flags", "independent_segments"]
    command += ["-hls_segment_filename", str(folder / "%d.ts"), str(folder / "index.m3u8")]
    subprocess.run(command, check=True, timeout=120)


def number_of(frame: Any) -> int:
    """What the blocks say. Read in their middle, so scaling and compression do not matter."""
    assert frame.format.name.startswith("yuv"), "the first plane is not the light"
    light = frame.planes[0]
    data, row = memoryview(light), light.line_size * (frame.height // 2)
    lit = [data[row + int((bit + 0.5) * frame.width / BITS)] > 125 for bit in range(BITS)]
    return sum(1 << bit for bit, on in enumerate(lit) if on)


def frames_of(path: Path) -> list[tuple[float, int]]:
    """`(seconds since the first frame, number)` of every frame of a segment or file, in the order they are shown."""
    with av.open(str(path)) as container:
        found = [(frame.time or 0.0, number_of(frame)) for frame in container.decode(video=0)]
    return [(at - found[0][0], number) for at, number in found]


def frames_of_playlist(path: Path) -> Iterator[tuple[float, int]]:
    """Of a published quality: where a player puts each frame, and its number."""
    for_all = b"".join((path.parent / name).read_bytes() for _, name in _ENTRY.findall(path.read_text()))
    joined = path.parent.parent / f"{path.parent.name}-joined.ts"
    joined.write_bytes(for_all)
    yield from frames_of(joined)
    joined.unlink()


def shown_at(frames: list[tuple[float, int]], second: float) -> int:
    """The frame that stands on the screen then."""
    number = frames[0][1]
    for at, found in frames:
        if at > second + 0.001:
            break
        number = found
    return number
