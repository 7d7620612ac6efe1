"""Playlists of a broadcast, from what is stored. Pure: the same segments always give the same text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WINDOW = 30
TARGET_SECONDS = 2
AUDIO_CODEC = "mp4a.40.2"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stored segment. `session` tells publish sessions apart; `renditions` maps a name to (seconds, bytes)."""

    number: int
    session: int
    start: float
    renditions: Mapping[str, tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Format:
    """What a rendition really is. Without a picture: width 0."""

    width: int
    height: int
    frame_rate: int
    codecs: str


def media_playlist(
    pieces: Sequence[Piece],
    *,
    rendition: str,
    epoch: datetime,
    before: Piece | None = None,
    discontinuities: int = 0,
    is_whole: bool,
    is_over: bool,
) -> str:
    """`before` is the piece in front of the first one, `discontinuities` how many marks there are up to it.

    Every piece carries its program date: a player that joins anywhere knows its program time to the millisecond.
    """
    pieces = [piece for piece in pieces if rendition in piece.renditions]
    longest = max((piece.renditions[rendition][0] for piece in pieces), default=0.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{max(TARGET_SECONDS, int(longest + 0.5))}",
        f"#EXT-X-MEDIA-SEQUENCE:{pieces[0].number if pieces else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if is_whole:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{'VOD' if is_over else 'EVENT'}")
    for piece in pieces:
        if before is not None and before.session != piece.session:
            lines.append("#EXT-X-DISCONTINUITY")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{program_date(epoch, piece.start)}")
        lines.append(f"#EXTINF:{piece.renditions[rendition][0]:.6f},")
        lines.append(f"{rendition}/{piece.number}.ts")
        before = piece
    if is_over:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def program_date(epoch: datetime, seconds: float) -> str:
    at = epoch.astimezone(UTC) + timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def master_playlist(formats: Mapping[str, Format], rates: Mapping[str, tuple[int, int]], *, suffix: str = "") -> str:
    """`rates` are measured (peak, average) bits per second. Lightest picture first, sound alone last.

    The sound-only entry names no picture codec: hls.js leaves it out of its automatic choice.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name in sorted(formats, key=lambda one: (not formats[one].width, rates[one][0], one)):
        form, (peak, average) = formats[name], rates[name]
        facts = [f"BANDWIDTH={peak}", f"AVERAGE-BANDWIDTH={average}"]
        if form.width:
            facts.append(f"RESOLUTION={form.width}x{form.height}")
        facts.append(f'CODECS="{form.codecs}"')
        if form.width:
            facts.append(f"FRAME-RATE={form.frame_rate:.3f}")
        lines += [f"#EXT-X-STREAM-INF:{','.join(facts)}", f"{name}{suffix}.m3u8"]
    return "\n".join(lines) + "\n"


def measured_rates(pieces: Sequence[Piece]) -> dict[str, tuple[int, int]]:
    """(peak, average) per rendition, over whole segments. A remainder below a second says nothing about rates."""
    rates = {}
    for name in {name for piece in pieces for name in piece.renditions}:
        sizes = [piece.renditions[name] for piece in pieces if name in piece.renditions]
        seconds, size = sum(one for one, _ in sizes), sum(two for _, two in sizes)
        average = -int(-8 * size // seconds) if seconds else 0
        peak = max((-int(-8 * two // one) for one, two in sizes if one >= 1), default=average)
        rates[name] = (max(peak, average), average)
    return rates
