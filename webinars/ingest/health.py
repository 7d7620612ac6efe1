"""How a stream is doing, counted from its tags, and what is wrong with it."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from webinars.enums import StreamProblem
from webinars.ingest.flv import AAC, AUDIO, AVC, VIDEO, Tag

WINDOW_SECONDS = 10.0
LOW_KBITS = 30
RARE_SECONDS = 6.0
PATIENCE_SECONDS = 5.0  # before "there is none" is said


@dataclass(slots=True)
class Meter:
    """`seconds` are those of a monotonic clock. The figures are of the last ten seconds."""

    started: float
    video_codec: str = ""
    audio_codec: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    frames: int = 0
    key_frame_at: float | None = None
    key_frame_interval: float | None = None
    video_at: float | None = None
    audio_at: float | None = None
    _key_time: int = 0
    _first_time: int | None = None
    _last_time: int = 0
    _window: deque[tuple[float, int, int, int]] = field(default_factory=deque)

    def note(self, tag: Tag, seconds: float) -> None:
        if tag.kind == VIDEO:
            self.video_codec = tag.codec or self.video_codec
            if tag.is_frame:
                self._note_picture(tag, seconds)
        elif tag.kind == AUDIO:
            self.audio_codec = tag.codec or self.audio_codec
            if tag.is_frame:
                self.audio_at = seconds
        self._window.append((seconds, tag.kind, len(tag.payload), int(tag.kind == VIDEO and tag.is_frame)))
        while self._window[0][0] < seconds - WINDOW_SECONDS:
            self._window.popleft()

    def _note_picture(self, tag: Tag, seconds: float) -> None:
        self.frames += 1
        self.video_at = seconds
        self._first_time = tag.timestamp if self._first_time is None else self._first_time
        self._last_time = max(self._last_time, tag.timestamp)
        if tag.is_key_frame:
            if self.key_frame_at is not None:
                self.key_frame_interval = max(0.0, (tag.timestamp - self._key_time) / 1000)
            self.key_frame_at, self._key_time = seconds, tag.timestamp

    def report(self, seconds: float) -> dict[str, Any]:
        """What the presenter's page shows. Rates in kbit/s, times in seconds."""
        span = max(1.0, min(WINDOW_SECONDS, seconds - self.started))
        window = [entry for entry in self._window if entry[0] >= seconds - WINDOW_SECONDS]
        kbits = {
            kind: round(sum(size for _, one, size, _ in window if one == kind) * 8 / 1000 / span)
            for kind in (VIDEO, AUDIO)
        }
        frame_rate = _number(self.metadata.get("framerate"))
        length = (self._last_time - (self._first_time or 0)) / 1000
        missing = round(length * frame_rate) - self.frames + 1 if frame_rate and self.frames else 0
        return {
            "video_codec": self.video_codec,
            "audio_codec": self.audio_codec,
            "width": round(_number(self.metadata.get("width"))),
            "height": round(_number(self.metadata.get("height"))),
            "frame_rate": round(sum(entry[3] for entry in window) / span, 1),
            "frame_rate_wanted": frame_rate,
            "video_kbits": kbits[VIDEO],
            "audio_kbits": kbits[AUDIO],
            "frames": self.frames,
            "frames_dropped": max(0, missing),
            "key_frame_age": _since(self.key_frame_at, seconds),
            "key_frame_interval": None if self.key_frame_interval is None else round(self.key_frame_interval, 2),
            "seconds": round(seconds - self.started, 1),
        }

    def problems(self, seconds: float, *, most_kbits: int) -> list[tuple[StreamProblem, str]]:
        """With a figure for the presenter. Fatal ones are among `FATAL`."""
        figures = self.report(seconds)
        total = figures["video_kbits"] + figures["audio_kbits"]
        waited = seconds - self.started > PATIENCE_SECONDS
        found: list[tuple[StreamProblem, str]] = []
        if self.video_codec and self.video_codec != AVC:
            found.append((StreamProblem.WRONG_VIDEO, self.video_codec))
        if self.audio_codec and self.audio_codec != AAC:
            found.append((StreamProblem.WRONG_SOUND, self.audio_codec))
        if (waited and (_since(self.video_at, seconds) or 0) > PATIENCE_SECONDS) or (waited and self.video_at is None):
            found.append((StreamProblem.NO_VIDEO, ""))
        if waited and (self.audio_at is None or seconds - self.audio_at > PATIENCE_SECONDS):
            found.append((StreamProblem.NO_SOUND, ""))
        if total > most_kbits:
            found.append((StreamProblem.BITRATE_TOO_HIGH, f"{total} > {most_kbits} kbit/s"))
        if waited and total < LOW_KBITS:
            found.append((StreamProblem.BITRATE_LOW, f"{total} kbit/s"))
        if max(self.key_frame_interval or 0.0, figures["key_frame_age"] or 0.0) > RARE_SECONDS:
            found.append((StreamProblem.KEYFRAMES_RARE, f"{self.key_frame_interval or figures['key_frame_age']:.0f} s"))
        return found


FATAL = frozenset({StreamProblem.WRONG_VIDEO, StreamProblem.WRONG_SOUND})


def _since(then: float | None, seconds: float) -> float | None:
    return None if then is None else round(seconds - then, 1)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 100_000 else 0.0
