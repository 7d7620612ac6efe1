"""Lectures as an author would upload them, drawn by ffmpeg: slides with a running clock, and a chime for every slide.

The pipeline treats them like any other upload. Two frames a second are enough for a clock that shows seconds, and keep
one lecture at about a second of CPU.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from media.ffmpeg.binary import ffmpeg_path

FONTS = Path(__file__).parent / "fonts"
WIDTH, HEIGHT, RATE = 1280, 720, 2
SAMPLE_RATE = 16_000
PAPER, INK, SOFT, ACCENT, WASH = "0xf5f6f3", "0x14212b", "0x51606b", "0x0a6b5e", "0xe3f1ed"


class DrawingError(Exception):
    """ffmpeg's own last words."""


@dataclass(frozen=True, slots=True)
class Slide:
    heading: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lecture:
    key: str
    title: str
    speaker: str
    slides: tuple[Slide, ...]
    seconds_each: int = 30

    @property
    def seconds(self) -> int:
        return self.seconds_each * len(self.slides)


def read_decks() -> dict[str, tuple[Slide, ...]]:
    """`= key`, then `# heading|second line` and `- point` lines, as in decks.txt."""
    decks: dict[str, list[Slide]] = {}
    key, heading, points = "", "", []
    for line in [*(Path(__file__).parent / "decks.txt").read_text(encoding="utf-8").splitlines(), "#", "= "]:
        mark, _, text = line.partition(" ")
        if mark == "-":
            points.append(text)
            continue
        if heading:
            decks[key].append(Slide(heading.replace("|", "\n"), tuple(points)))
            heading, points = "", []
        if mark == "=" and text:
            key = text
            decks[key] = []
        elif mark == "#":
            heading = text
    return {name: tuple(slides) for name, slides in decks.items()}


def draw_all(lectures: Sequence[tuple[Lecture, Path]]) -> None:
    """Two at a time, each with one thread: the site is not serving yet."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for one in [pool.submit(draw, lecture, path) for lecture, path in lectures]:
            one.result()


def draw(lecture: Lecture, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="lms-lecture-") as name:
        graph = _graph(lecture, _Texts(Path(name)))
        command = [
            ffmpeg_path(), "-hide_banner", "-loglevel", "error", "-nostdin", "-y",
            "-filter_complex", graph, "-map", "[v]", "-map", "[a]",
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "stillimage", "-crf", "20", "-g", str(RATE * 4),
            "-threads", "1", "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart",
            "-t", str(lecture.seconds), str(path),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DrawingError(done.stderr.strip()[-2000:])


def _graph(lecture: Lecture, texts: "_Texts") -> str:
    """A slide is drawn once and its frame repeated; only the clock and the bar along the bottom move."""
    frames = lecture.seconds_each * RATE
    each = [
        f"color=c={PAPER}:s={WIDTH}x{HEIGHT}:r={RATE}:d=1,trim=end_frame=1,{','.join(_slide(lecture, number, texts))},"
        f"loop=loop={frames - 1}:size=1,setpts=N/{RATE}/TB[s{number}]"
        for number in range(len(lecture.slides))
    ]
    inputs = "".join(f"[s{number}]" for number in range(len(lecture.slides)))
    length = lecture.seconds
    clock = texts.draw(
        r"%{pts:gmtime:0:%M\:%S}",
        options=f"fontsize=34:fontcolor={ACCENT}:x=w-tw-64:y={HEIGHT - 66}",
        literal=False,
    )
    return (
        f"{';'.join(each)};{inputs}concat=n={len(lecture.slides)}:v=1:a=0,{clock}[slides];"
        f"color=c={ACCENT}:s={WIDTH}x8:r={RATE}:d={length}[bar];"
        f"[slides][bar]overlay=x='-W+W*t/{length}':y=H-8:shortest=1,format=yuv420p[v];"
        f"{_sound(lecture)},aloop=loop={len(lecture.slides) - 1}:size={SAMPLE_RATE * lecture.seconds_each}[a]"
    )


class _Texts:
    """Every text in a file of its own: inside a filter graph apostrophes and colons would need three escapes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.number = 0

    def draw(self, text: str, *, options: str, bold: bool = False, literal: bool = True) -> str:
        self.number += 1
        path = self.directory / f"text{self.number}"
        path.write_text(text)
        font = FONTS / ("inter-700.ttf" if bold else "inter-450.ttf")
        expansion = ":expansion=none" if literal else ""
        return f"drawtext=fontfile='{font}':textfile='{path}':{options}{expansion}"


def _slide(lecture: Lecture, number: int, texts: _Texts) -> list[str]:
    slide = lecture.slides[number]
    count = f"{number + 1} / {len(lecture.slides)}"
    drawn = [
        f"drawbox=x=0:y=0:w=20:h=ih:color={ACCENT}:t=fill",
        f"drawbox=x=0:y={HEIGHT - 96}:w=iw:h=96:color={WASH}:t=fill",
        texts.draw(lecture.title, options=f"fontsize=28:fontcolor={SOFT}:x=88:y=64"),
        texts.draw(count, options=f"fontsize=28:fontcolor={SOFT}:x=w-tw-64:y=64"),
        texts.draw(lecture.speaker, options=f"fontsize=28:fontcolor={INK}:x=88:y={HEIGHT - 62}"),
    ]
    y = 150
    for line in slide.heading.split("\n"):
        drawn.append(texts.draw(line, options=f"fontsize=68:fontcolor={INK}:x=88:y={y}", bold=True))
        y += 82
    y += 36
    for point in slide.points:
        drawn.append(f"drawbox=x=90:y={y + 13}:w=14:h=14:color={ACCENT}:t=fill")
        drawn.append(texts.draw(point, options=f"fontsize=36:fontcolor={INK}:x=128:y={y}"))
        y += 62
    return drawn


def _sound(lecture: Lecture) -> str:
    """For one slide, repeated: a soft two-note chime at its start and a faint tick at every second.

    Only what sounds is calculated: after five seconds nothing of the chime is left.
    """
    note = 262 + len(lecture.title) * 3
    chime = f"0.22*(sin(2*PI*{note}*t)+0.6*sin(3*PI*{note}*t))*exp(-2.5*t)"
    tick = "0.03*sin(2*PI*1200*t)*lt(t,0.02)"
    seconds = lecture.seconds_each
    return (
        f"aevalsrc='{chime}':s={SAMPLE_RATE}:d={min(5, seconds)},apad=whole_dur={seconds}[chime];"
        f"aevalsrc='{tick}':s={SAMPLE_RATE}:d=1,aloop=loop={seconds - 1}:size={SAMPLE_RATE}[ticks];"
        f"[chime][ticks]amix=normalize=0"
    )
