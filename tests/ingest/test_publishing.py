"""Real publishers through the built-in door, to playlists that a player can use."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from tests.factories.accounts import UserFactory
from tests.factories.webinars import add_presenter
from tests.ingest.stage import (
    H264,
    PATIENCE,
    Stage,
    broadcast_of,
    fresh,
    key_for,
    make_webinar,
    notices_of,
    segments_of,
    sessions_of,
    until,
    uris,
)
from webinars.domain.schedule import end_webinar
from webinars.domain.stream_keys import revoke_key
from webinars.models import PublishSession, StreamKey, Webinar

pytestmark = [pytest.mark.site, pytest.mark.long]
RENDITIONS = ["240p15", "240p5", "audio"]  # of a source with 180 lines


async def ends(webinar: Webinar, expected: Sequence[tuple[int, str, bool]], seconds: float = PATIENCE) -> float:
    async def so() -> bool:
        return await sessions_of(webinar) == list(expected)

    return await until(so, seconds)


async def test_a_publisher_becomes_segments_rows_and_playlists(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()

    publisher = await stage.publish(raw, seconds=7)
    found = await stage.segments(webinar, 3)
    report = await database_sync_to_async(lambda: PublishSession.objects.get().health)()
    await publisher.wait()
    await ends(webinar, [(1, "", False)])

    broadcast = await broadcast_of(webinar)
    assert (await fresh(webinar)).live_at is not None
    assert [(row["number"], row["program_start"]) for row in found[:3]] == [(0, 0.0), (1, 2.0), (2, 4.0)]
    assert sorted(found[0]["renditions"]) == RENDITIONS
    stored = stage.media_root / "videos" / str(broadcast.key) / "live"
    for name in RENDITIONS:
        window = await stage.playlist(broadcast, f"{name}.m3u8")
        assert uris(window) == uris(await stage.playlist(broadcast, f"{name}-full.m3u8"))
        assert uris(window) == [f"{name}/{row['number']}.ts" for row in await segments_of(webinar)]
        assert "#EXT-X-ENDLIST" not in window
        assert [entry["renditions"][name][1] for entry in found] == [
            (stored / uri).stat().st_size for uri in uris(window)[: len(found)]
        ]
    master = await stage.playlist(broadcast, "master.m3u8")
    assert re.findall(r"^[^#].*", master, re.MULTILINE) == ["240p5.m3u8", "240p15.m3u8", "audio.m3u8"]
    assert "RESOLUTION=320x180" in master
    assert (report["video_codec"], report["audio_codec"], report["width"], report["height"]) == (
        "avc1",
        "mp4a",
        320,
        180,
    )
    # How many came in a second by the clock is another matter, on a machine that may stand still: `test_health.py`.
    assert (report["frame_rate_wanted"], report["frames_dropped"]) == (10.0, 0)
    assert report["frame_rate"] > 0
    assert report["key_frame_interval"] == 2.0
    assert await notices_of(webinar) == []


async def test_a_line_that_breaks_leaves_a_gap_and_a_discontinuity(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()
    publisher = await stage.publish(raw)
    await stage.segments(webinar, 2)

    broken_at = timezone.now()
    publisher.kill()
    await ends(webinar, [(1, "interrupted", False)])
    kept = len(await segments_of(webinar))
    await asyncio.sleep(8)  # the interruption itself
    await stage.publish(raw)
    found = await stage.segments(webinar, kept + 2)

    gap = found[kept]["program_start"] - found[kept - 1]["program_start"] - found[kept - 1]["seconds"]
    assert 7.5 < gap < (timezone.now() - broken_at).total_seconds()
    broadcast = await broadcast_of(webinar)
    whole = await stage.playlist(broadcast, "240p5-full.m3u8")
    lines = whole.splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert lines[lines.index("#EXT-X-DISCONTINUITY") + 3] == f"240p5/{kept}.ts"
    dates = [datetime.fromisoformat(one) for one in re.findall(r"DATE-TIME:(\S+)", whole)]
    assert [round((date - dates[0]).total_seconds(), 2) for date in dates] == [
        pytest.approx(row["program_start"], abs=0.02) for row in (await segments_of(webinar))[: len(dates)]
    ]
    assert await notices_of(webinar) == ["interrupted"]


async def test_ending_the_webinar_ends_the_stream_and_the_playlists(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()
    publisher = await stage.publish(raw)
    await stage.segments(webinar, 1)

    await database_sync_to_async(end_webinar)(webinar_id=webinar.pk, actor=None, now=timezone.now())
    assert await ends(webinar, [(1, "", False)]) < 20
    async with asyncio.timeout(60):
        assert await publisher.wait() != 0
    broadcast, count = await broadcast_of(webinar), len(await segments_of(webinar))
    names = [f"{name}{suffix}.m3u8" for name in RENDITIONS for suffix in ("", "-full")]

    async def closed() -> bool:
        return all([(await stage.playlist(broadcast, name)).endswith("#EXT-X-ENDLIST\n") for name in names])

    await until(closed)  # the session's row ends first
    assert [len(uris(await stage.playlist(broadcast, name))) for name in names] == [count] * len(names)
    assert await notices_of(webinar) == []


async def test_a_second_presenter_is_refused_then_takes_over_and_a_withdrawn_key_ends_it(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()
    other = await database_sync_to_async(UserFactory.create)()
    await database_sync_to_async(add_presenter)(webinar, other)
    theirs = await key_for(webinar, other)
    first = await stage.publish(raw)
    await stage.segments(webinar, 1)

    refused = await stage.publish(theirs)
    async with asyncio.timeout(60):
        assert await refused.wait() != 0
    assert await notices_of(webinar) == ["already_live"]
    assert await sessions_of(webinar) == [(1, "", True)]

    await database_sync_to_async(Webinar.objects.filter(pk=webinar.pk).update)(allows_takeover=True)
    await stage.publish(theirs)
    await ends(webinar, [(1, "taken_over", False), (2, "", True)])
    async with asyncio.timeout(60):
        assert await first.wait() != 0
    kept = len([row for row in await segments_of(webinar) if row["publish_session__number"] == 1])
    await stage.segments(webinar, kept + 1)

    key = await database_sync_to_async(StreamKey.objects.get)(presenter=other, revoked_at=None)
    await database_sync_to_async(revoke_key)(key=key, actor=None, now=timezone.now())
    assert await ends(webinar, [(1, "taken_over", False), (2, "wrong_key", False)]) < 20


HIGH = (
    *H264,
    "-b:v",
    "5M",
    "-minrate",
    "5M",
    "-maxrate",
    "5M",
    "-bufsize",
    "5M",
    "-x264-params",
    "nal-hrd=cbr:filler=1",
)


async def test_what_is_wrong_with_a_stream_is_said_in_plain_words(stage: Stage) -> None:
    """All at once on the one port, as presenters would on the day."""
    webinars = [await make_webinar() for _ in range(5)]
    (wrong, hevc, mp3, silent, high) = (webinar for webinar, _, _ in webinars)
    (_, hevc_key, mp3_key, silent_key, high_key) = (raw for _, _, raw in webinars)
    publishers = [
        await stage.publish(f"{wrong.pk}-guessed-guessed-guessed-guessed"),
        await stage.publish(
            hevc_key, picture=("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=0")
        ),
        await stage.publish(mp3_key, sound=("-c:a", "libmp3lame")),
    ]
    await stage.publish(silent_key, sound=())
    await stage.publish(high_key, picture=HIGH)

    async def heard() -> bool:
        return await notices_of(silent) == ["no_sound"] and await notices_of(high) == ["bitrate_too_high"]

    await until(heard)
    for publisher in publishers:
        async with asyncio.timeout(PATIENCE):
            assert await publisher.wait() != 0
    assert [await notices_of(one) for one in (wrong, hevc, mp3)] == [["wrong_key"], ["wrong_video"], ["wrong_sound"]]
    assert [await sessions_of(one) for one in (wrong, hevc, mp3)] == [
        [],
        [(1, "wrong_video", False)],
        [(1, "wrong_sound", False)],
    ]
    assert [(await fresh(one)).live_at for one in (wrong, hevc, mp3)] == [None, None, None]
    for one in (silent, high):
        found = await stage.segments(one, 2)
        assert all(entry["renditions"]["audio"][1] > 0 for entry in found)


async def test_a_dead_packager_is_said_and_what_it_made_is_kept(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()
    publisher = await stage.publish(raw)
    await stage.segments(webinar, 1)

    (caller,) = stage.door.callers
    assert caller.publication
    assert caller.publication._packager
    caller.publication._packager.kill()
    await ends(webinar, [(1, "packager_failed", False)])
    async with asyncio.timeout(60):
        assert await publisher.wait() != 0
    kept = len(await segments_of(webinar))
    await stage.publish(raw)
    found = await stage.segments(webinar, kept + 1)

    assert [row["number"] for row in found] == list(range(len(found)))
    assert found[kept]["publish_session__number"] == 2
    assert await notices_of(webinar) == ["packager_failed"]
