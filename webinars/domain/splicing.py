"""Puts stored segments into one file, cut to the frame. Nothing is encoded again but the segments that a cut divides.

The segments of one publisher's connection share a clock of 90,000 ticks a second; where the next connection begins, its
first picture follows the last one. So a moment's place is known from the frames themselves, not from announced lengths.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import av.error
from av.video.frame import PictureType

from core.ranges import Ranges

TICKS = 90_000
TICK = Fraction(1, TICKS)
WRAP = 2**33  # time stamps of a transport stream have 33 bits
JUMP_SECONDS = 0.05  # of program time, within one connection: the publisher was away
HOLE_SECONDS = 0.5  # of the frames' own clock
DRIFT_SECONDS = 0.02  # between program time and frames, before a new span is noted
START = TICKS  # a transport stream cannot begin before 0, and decoding comes before showing
OPTIONS = {"format_whitelist": "mpegts", "protocol_whitelist": "file"}


class SpliceError(Exception):
    """Not one segment could be used."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment as its row describes it; `key` names its file of the chosen quality."""

    number: int
    session: UUID
    program_start: float
    seconds: float
    key: str


@dataclass(frozen=True, slots=True)
class Spliced:
    """`spans` are `(program start, program end, second of the uncut recording)`; `skipped` are numbers of segments."""

    spans: tuple[tuple[float, float, float], ...]
    uncut_seconds: float
    size: tuple[int, int]
    skipped: tuple[int, ...]


@dataclass(slots=True)
class _Read:
    """One segment in memory: a few hundred kilobytes."""

    video: list[Any]
    audio: list[Any]
    first: int
    end: int
    delay: int


@dataclass(slots=True)
class _Places:
    """Where segments come to lie in the uncut recording, in ticks, and what that says about program time."""

    spans: list[list[float]] = field(default_factory=list)
    end: int = 0
    _session: UUID | None = None
    _program_end: float = 0.0
    _first: int = 0
    _base: int = 0

    def place(self, segment: Stored, read: _Read) -> int:
        """What to add to the segment's time stamps."""
        hole = _signed(read.first - self._first) + self._base - self.end
        goes_on = (
            segment.session == self._session
            and abs(segment.program_start - self._program_end) <= JUMP_SECONDS
            and -JUMP_SECONDS * TICKS <= hole <= HOLE_SECONDS * TICKS
        )
        if not goes_on:
            self._session, self._first, self._base = segment.session, read.first, self.end
        at = self._base + _signed(read.first - self._first)
        self.end = max(self.end, at + read.end - read.first)
        self._program_end = segment.program_start + segment.seconds
        self._note(segment, at / TICKS, (read.end - read.first) / TICKS, goes_on)
        return at - read.first

    def _note(self, segment: Stored, at: float, measured: float, goes_on: bool) -> None:
        end = segment.program_start + min(segment.seconds, measured)
        if goes_on and self.spans:
            start, _, offset = self.spans[-1]
            if abs((at - offset) - (segment.program_start - start)) <= DRIFT_SECONDS:
                self.spans[-1][1] = end
                return
            self.spans[-1][1] = min(self.spans[-1][1], start + at - offset)
        self.spans.append([segment.program_start, end, at])


def splice(
    segments: Iterable[Stored],
    *,
    cuts: Ranges,
    fetch: Callable[[str], Path],
    target: Path,
    size: tuple[int, int] | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> Spliced:
    """Raises SpliceError. A segment that is gone or damaged is left out and named; what follows moves up.

    `size` is the picture's; segments of another size are scaled to it. Without one the first segment decides.
    """
    places, skipped = _Places(), []
    with av.open(str(target), "w", format="mpegts") as output:
        writer = _Writer(output, tuple((start * TICKS, end * TICKS) for start, end in cuts), size)
        for segment in segments:
            on_step()
            try:
                path = fetch(segment.key)
                read = _read(path)
            except (FileNotFoundError, av.error.FFmpegError, SpliceError):
                skipped.append(segment.number)
                continue
            writer.add(path, read, shift=places.place(segment, read))
    if not places.spans or writer.size is None:
        raise SpliceError
    return Spliced(
        spans=tuple((start, end, offset) for start, end, offset in places.spans),
        uncut_seconds=places.end / TICKS,
        size=writer.size,
        skipped=tuple(skipped),
    )


class _Writer:
    """Copies packets where a segment is shown whole, and encodes the frames of one that a cut divides."""

    def __init__(self, output: Any, cuts: Sequence[tuple[int, int]], size: tuple[int, int] | None) -> None:
        self.output = output
        self.cuts = cuts
        self.size = size
        self._video: Any = None
        self._audio: Any = None
        self._decoded_at = -1
        self._heard_until = 0

    def add(self, path: Path, read: _Read, *, shift: int) -> None:
        with av.open(str(path), options=OPTIONS) as container:
            self._open(container)
            start, end = read.first + shift, read.end + shift
            pieces = list(self._pieces(start, end))
            if [piece[:2] for piece in pieces] == [(start, end)] and _size(container) == self.size:
                self._copy(read, shift - pieces[0][2])
            elif pieces:
                self._encode(container, read, shift, pieces)
        self._sound(read, shift)

    def _open(self, container: Any) -> None:
        if self._video is None:
            self._video = self.output.add_stream_from_template(container.streams.video[0])
            self.size = self.size or _size(container)
        # Streams cannot be added once packets were written: a broadcast that begins without sound stays without.
        if self._audio is None and container.streams.audio and self._decoded_at < 0:
            self._audio = self.output.add_stream_from_template(container.streams.audio[0])

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Shown parts of `[start, end)`, with the ticks that were cut before each. Half a frame is no part."""
        at, before = start, 0
        for low, high in self.cuts:
            if high <= start:
                before += high - low
            elif low >= end:
                break
            else:
                if low > at:
                    yield at, low, before
                at = max(at, high)
                before += high - low
        if at < end:
            yield at, end, before

    def _copy(self, read: _Read, shift: int) -> None:
        for packet in read.video:
            packet.pts += shift
            packet.dts += shift
            self._write(packet)

    def _encode(self, container: Any, read: _Read, shift: int, pieces: Sequence[tuple[int, int, int]]) -> None:
        half = _frame_ticks(read) // 2
        frames = [frame for frame in container.decode(video=0) if frame.pts is not None]
        for start, end, before in pieces:
            encoder = None
            for frame in frames:
                at = frame.pts + shift
                if not start - half <= at < end - half:
                    continue
                encoder = encoder or self._encoder()
                picture = frame.reformat(width=encoder.width, height=encoder.height, format="yuv420p")
                picture.pts, picture.time_base = at - before, encoder.time_base
                picture.pict_type = PictureType.NONE  # the encoder decides, not the stream it came from
                self._encoded(encoder.encode(picture), read.delay)
            if encoder:
                self._encoded(encoder.encode(None), read.delay)

    def _encoder(self) -> Any:
        """A new one for each part: it begins with a key frame. No frames are reordered, so each keeps its own time."""
        encoder: Any = av.CodecContext.create("libx264", "w")
        if self.size:
            encoder.width, encoder.height = self.size
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = TICK
        encoder.options = {"preset": "veryfast", "crf": "17", "bf": "0", "profile": "main"}
        return encoder

    def _encoded(self, packets: Iterable[Any], delay: int) -> None:
        for packet in packets:
            packet.time_base = TICK
            packet.dts = packet.pts - delay
            self._write(packet)

    def _write(self, packet: Any) -> None:
        packet.stream = self._video
        packet.pts += START
        packet.dts = max(packet.dts + START, self._decoded_at + 1)
        self._decoded_at = packet.dts
        self.output.mux_one(packet)

    def _sound(self, read: _Read, shift: int) -> None:
        """Whole packets of some 20 ms, by their own times: they lie across the borders of segments.

        What two connections say about the same moment is heard once.
        """
        if self._audio is None:
            return
        for packet in read.audio:
            half = packet.duration // 2
            at = packet.pts + shift
            if any(low <= at + half < high for low, high in self.cuts):
                continue
            placed = at - sum(high - low for low, high in self.cuts if low <= at + half)
            if placed < max(self._heard_until, 0) - half:
                continue
            placed = max(placed, 0)
            self._heard_until = placed + packet.duration
            packet.pts = packet.dts = placed + START
            packet.stream = self._audio
            self.output.mux_one(packet)


def _read(path: Path) -> _Read:
    """Only packets, nothing is decoded."""
    with av.open(str(path), options=OPTIONS) as container:
        if not container.streams.video:
            raise SpliceError
        streams = [container.streams.video[0], *container.streams.audio[:1]]
        packets: list[Any] = [one for one in container.demux(streams) if one.pts is not None and one.dts is not None]
        video = [packet for packet in packets if packet.stream.type == "video"]
        audio = [packet for packet in packets if packet.stream.type == "audio"]
    shown = sorted(packet.pts for packet in video)
    if not shown or not video[0].is_keyframe:
        raise SpliceError
    read = _Read(video, audio, shown[0], shown[-1], max(0, shown[0] - video[0].dts))
    read.end += _frame_ticks(read)
    return read


def _frame_ticks(read: _Read) -> int:
    """How long one frame lasts, by the usual distance between two of them."""
    shown = sorted(packet.pts for packet in read.video)
    steps = sorted(after - before for before, after in pairwise(shown))
    return steps[len(steps) // 2] if steps else TICKS // 25


def _size(container: Any) -> tuple[int, int]:
    context = container.streams.video[0].codec_context
    return context.width, context.height


def _signed(ticks: int) -> int:
    """The shortest way round the clock."""
    return (ticks + WRAP // 2) % WRAP - WRAP // 2
