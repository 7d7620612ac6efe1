"""Reading what AWS IVS writes: times of pieces, and everything that is not as documented."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from webinars.domain.ivs_recording_files import (
    BrokenRecordingError,
    ForeignRecordingError,
    read_event,
    read_playlist,
    runs_of,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_dates_rule_and_lengths_are_added_up_between_them() -> None:
    text = HEAD + (
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:01.500Z\n#EXTINF:2.0,\n0.ts\n#EXTINF:2.5,live\n1.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:20Z\n#EXTINF:2.0,\nsub/2.ts\n#EXT-X-ENDLIST\n"
    )
    pieces = read_playlist(text, started_at=after(-9))
    assert [(one.name, one.at, one.run) for one in pieces] == [
        ("0.ts", after(1.5), 0),
        ("1.ts", after(3.5), 0),
        ("sub/2.ts", after(20), 1),
    ]
    assert [len(run) for run in runs_of(pieces, since=after(2), until=after(21))] == [1, 1]
    assert runs_of(pieces, since=after(2), until=after(3)) == []


def test_without_dates_it_begins_when_the_event_says() -> None:
    pieces = read_playlist(HEAD + "#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n", started_at=NOON)
    assert [one.at for one in pieces] == [NOON, after(4)]
    assert read_playlist(HEAD, started_at=NOON) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        HEAD + "#EXTINF:2,\n../../other/0.ts\n",
        HEAD + "#EXTINF:2,\n/etc/passwd.ts\n",
        HEAD + "#EXTINF:2,\nhttps://elsewhere.example/0.ts\n",
        HEAD + "#EXTINF:2,\nx/../0.ts\n",
        HEAD + "#EXTINF:2,\n0.mp4\n",
        HEAD + "0.ts\n",
        HEAD + "#EXTINF:soon,\n0.ts\n",
        HEAD + "#EXTINF:nan,\n0.ts\n",
        HEAD + "#EXTINF:99999,\n0.ts\n",
        HEAD + "#EXTINF:-2,\n0.ts\n",
        HEAD + "#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:2,\n0.ts\n",
        HEAD + '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2,\n0.ts\n',
        HEAD + '#EXT-X-KEY:METHOD=AES-128,URI="key"\n#EXTINF:2,\n0.ts\n',
        HEAD + "#EXTINF:2,\n#EXT-X-BYTERANGE:9@0\n0.ts\n",
    ],
)
def test_a_playlist_that_is_not_as_documented_is_refused(text: str) -> None:
    with pytest.raises(BrokenRecordingError):
        read_playlist(text, started_at=NOON)


def event(**changes: object) -> bytes:
    renditions = [
        {"path": "160p30", "playlist": "playlist.m3u8", "resolution_height": 160, "resolution_width": 284},
        {"path": "720p30", "playlist": "playlist.m3u8", "resolution_height": 720, "resolution_width": 1280},
    ]
    hls = {"path": "media/hls", "renditions": renditions, **changes}
    return json.dumps(
        {"channel_arn": "arn:a", "recording_started_at": "2026-11-21T12:00:00Z", "media": {"hls": hls}}
    ).encode()


def test_the_tallest_rendition_is_taken() -> None:
    found = read_event(event(), channel_arn="arn:a")
    assert (found.started_at, found.ended_at) == (NOON, None)
    assert (found.playlist, found.folder) == ("media/hls/720p30/playlist.m3u8", "media/hls/720p30")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b'{"media": 3}', event(renditions=[]), event(path="../.."), event(path=["media"])],
)
def test_an_event_that_is_not_as_documented_is_refused(text: bytes) -> None:
    with pytest.raises(BrokenRecordingError):
        read_event(text, channel_arn="arn:a")


def test_an_event_of_another_channel_is_told_apart() -> None:
    with pytest.raises(ForeignRecordingError):
        read_event(event(), channel_arn="arn:b")
