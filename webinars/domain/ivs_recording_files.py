"""What AWS IVS writes beside its recordings, read: the event of a recording and its playlist. Pure; trusts neither.

https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TypeVar

Found = TypeVar("Found")

# Relative, without "..": what a playlist names lies in the folder of its own recording.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,5}")
_UNKNOWN = ("#EXT-X-MAP", "#EXT-X-KEY", "#EXT-X-BYTERANGE")  # other containers, encryption, parts of files
LONGEST_PIECE_SECONDS = 120.0


class BrokenRecordingError(ValueError):
    """Not what AWS documents; the text is for staff."""


class ForeignRecordingError(BrokenRecordingError):
    """Of another channel than the one whose folder it lies in."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One `events/*.json`: an uninterrupted time of a stream. `playlist` is of the tallest rendition."""

    started_at: datetime
    ended_at: datetime | None
    playlist: str

    @property
    def folder(self) -> str:
        return self.playlist.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment. `run` counts the discontinuities before it."""

    name: str
    at: datetime
    seconds: float
    run: int


def read_event(text: bytes, *, channel_arn: str) -> Recording:
    """Times of an event are whole seconds; those in the playlist are exact."""
    try:
        found = json.loads(text)
        hls = found["media"]["hls"]
        arn, started, ended = found["channel_arn"], found["recording_started_at"], found.get("recording_ended_at")
        sizes = [(one.get("resolution_height") or 0, one.get("resolution_width") or 0) for one in hls["renditions"]]
        best = hls["renditions"][max(range(len(sizes)), key=sizes.__getitem__)]
        playlist = f"{hls['path']}/{best['path']}/{best['playlist']}"
        recording = Recording(read_time(started), read_time(ended) if ended else None, playlist)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenRecordingError(f"unreadable event: {type(error).__name__}") from error
    if arn != channel_arn:
        raise ForeignRecordingError("an event of another channel")
    return _checked(recording)


def _checked(recording: Recording) -> Recording:
    if not _NAME.fullmatch(recording.playlist):
        raise BrokenRecordingError("an event that names a file outside its recording")
    return recording


def read_playlist(text: str, *, started_at: datetime) -> list[Piece]:
    """Every piece with the moment it was filmed: by the dates in the playlist, where it has them.

    From one date to the next the announced lengths are added up. Without any it begins at `started_at`, which is a
    whole second, and nobody can say how long an interruption in it was.
    """
    if not text.startswith("#EXTM3U"):
        raise BrokenRecordingError("not a playlist")
    pieces: list[Piece] = []
    at, seconds, run = started_at, 0.0, 0
    for line in map(str.strip, text.splitlines()):
        if line.startswith(_UNKNOWN):
            raise BrokenRecordingError(f"a playlist with {line.partition(':')[0]}")
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            at = _read(read_time, line)
        elif line.startswith("#EXTINF:"):
            seconds = _read(_read_length, line)
        elif line == "#EXT-X-DISCONTINUITY":
            run += bool(pieces)
        elif line and not line.startswith("#"):
            if not _NAME.fullmatch(line) or not line.endswith(".ts") or not seconds:
                raise BrokenRecordingError("a playlist that names something else than its segments")
            pieces.append(Piece(line, at, seconds, run))
            at, seconds = at + timedelta(seconds=seconds), 0.0
    return pieces


def runs_of(pieces: list[Piece], *, since: datetime, until: datetime) -> list[list[Piece]]:
    """The pieces that begin within the time on air, by uninterrupted run.

    What was sent before it, or goes on after the end, is nobody's business.
    """
    shown = [piece for piece in pieces if since <= piece.at < until]
    return [list(found) for _, found in groupby(shown, key=lambda piece: piece.run)]


def read_time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _read_length(text: str) -> float:
    seconds = float(text.partition(",")[0])
    if not 0 < seconds <= LONGEST_PIECE_SECONDS:
        raise ValueError(text)
    return seconds


def _read(how: Callable[[str], Found], line: str) -> Found:
    try:
        return how(line.partition(":")[2])
    except ValueError as error:
        raise BrokenRecordingError(f"unreadable {line.partition(':')[0]}") from error
