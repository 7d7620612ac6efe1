"""Playlists as pure text: any history of sessions, read back as a player reads it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webinars.ingest.playlists import Format, Piece, master_playlist, measured_rates, media_playlist, program_date

EPOCH = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    number: int
    cc: int
    at: datetime
    seconds: float


def read(text: str) -> list[Shown]:
    """As hls.js does: the counter grows with every mark, the program date stands before its segment."""
    cc = int(re.findall(r"^#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)$", text, re.MULTILINE)[0])
    first = int(re.findall(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)$", text, re.MULTILINE)[0])
    found: list[Shown] = []
    at, seconds = EPOCH, 0.0
    for line in text.splitlines():
        if line == "#EXT-X-DISCONTINUITY":
            cc += 1
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            at = datetime.fromisoformat(line.partition(":")[2])
        elif line.startswith("#EXTINF:"):
            seconds = float(line.partition(":")[2].rstrip(","))
        elif not line.startswith("#"):
            assert line == f"240p5/{first + len(found)}.ts"
            found.append(Shown(first + len(found), cc, at, seconds))
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[Piece]:
    """Sessions of some segments each, with gaps between; some sessions came to nothing."""
    pieces: list[Piece] = []
    start = 0.0
    for session, count in enumerate(draw(st.lists(st.integers(0, 6), min_size=1, max_size=6)), 1):
        for _ in range(count):
            seconds = draw(st.floats(0.05, 2.1))
            pieces.append(Piece(len(pieces), session, start, {"240p5": (seconds, 9000), "audio": (seconds, 500)}))
            start += seconds
        start += draw(st.floats(0, 100)) if pieces else 0
    return pieces


def whole(pieces: list[Piece], *, is_over: bool = False) -> str:
    return media_playlist(pieces, rendition="240p5", epoch=EPOCH, is_whole=True, is_over=is_over)


@given(histories())
def test_the_whole_list_has_every_segment_once_at_its_time(pieces: list[Piece]) -> None:
    shown = read(whole(pieces))

    assert [one.number for one in shown] == [piece.number for piece in pieces]
    for one, piece in zip(shown, pieces, strict=True):
        assert abs((one.at - EPOCH).total_seconds() - piece.start) <= 0.001
        assert abs(one.seconds - piece.renditions["240p5"][0]) < 1e-5
    for (one, two), (first, second) in zip(pairwise(shown), pairwise(pieces), strict=True):
        assert two.cc - one.cc == int(first.session != second.session)


@given(histories(), st.integers(1, 8))
def test_a_window_agrees_with_the_whole_list(pieces: list[Piece], length: int) -> None:
    """What a player learns from successive windows is the same as from the whole: numbers, counters and dates."""
    everything = {one.number: one for one in read(whole(pieces))}
    for end in range(1, len(pieces) + 1):
        begin = max(0, end - length)
        before = pieces[begin - 1] if begin else None
        marks = len({piece.session for piece in pieces[:begin]}) - 1 if begin else 0
        text = media_playlist(
            pieces[begin:end],
            rendition="240p5",
            epoch=EPOCH,
            before=before,
            discontinuities=marks,
            is_whole=False,
            is_over=False,
        )
        assert read(text) == [everything[number] for number in range(begin, end)]


@given(histories(), st.booleans())
def test_only_what_is_over_ends(pieces: list[Piece], is_over: bool) -> None:
    text = whole(pieces, is_over=is_over)

    assert text.endswith("#EXT-X-ENDLIST\n") == is_over
    longest = max((piece.renditions["240p5"][0] for piece in pieces), default=0.0)
    target = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
    assert target == 2
    assert longest < target + 0.5


@given(st.floats(0, 50_000))
def test_program_dates_are_right_to_the_millisecond(seconds: float) -> None:
    read_back = datetime.fromisoformat(program_date(EPOCH, seconds))

    assert timedelta(0) <= EPOCH + timedelta(seconds=seconds) - read_back <= timedelta(milliseconds=1)


def test_the_master_states_measured_rates_lightest_first_and_sound_last() -> None:
    pieces = [
        Piece(0, 1, 0.0, {"360p": (2.0, 50_000), "240p5": (2.0, 10_000), "audio": (2.0, 8_000)}),
        Piece(1, 1, 2.0, {"360p": (2.0, 90_000), "240p5": (2.0, 20_000), "audio": (2.0, 8_000)}),
        Piece(2, 1, 4.0, {"360p": (0.1, 90_000), "240p5": (0.1, 9_000), "audio": (0.1, 400)}),
    ]
    formats = {
        "360p": Format(640, 360, 30, "avc1.4d401e,mp4a.40.2"),
        "audio": Format(0, 0, 0, "mp4a.40.2"),
        "240p5": Format(426, 240, 5, "avc1.4d400b,mp4a.40.2"),
    }
    lines = master_playlist(formats, measured_rates(pieces)).splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["240p5.m3u8", "360p.m3u8", "audio.m3u8"]
    assert lines[5].startswith("#EXT-X-STREAM-INF:BANDWIDTH=448781,AVERAGE-BANDWIDTH=448781,")
    assert 'RESOLUTION=426x240,CODECS="avc1.4d400b,mp4a.40.2",FRAME-RATE=5.000' in lines[3]
    assert "RESOLUTION" not in lines[7]
    assert measured_rates(pieces)["240p5"] == (80_000, 76_098)
