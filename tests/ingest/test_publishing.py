"""Real publishers through the built-in door, to playlists that a player can use."""

import pytest

from tests.ingest.stage import Stage, broadcast_of, fresh, make_webinar, notices_of, sessions_of, until, uris

pytestmark = pytest.mark.serial


async def test_a_publisher_becomes_segments_rows_and_playlists(stage: Stage) -> None:
    webinar, _, raw = await make_webinar()

    publisher = await stage.publish(raw, seconds=7)
    found = await stage.segments(webinar, 3)
    await publisher.wait()

    async def ended() -> bool:
        return await sessions_of(webinar) == [(1, "", False)]

    await until(ended)
    broadcast = await broadcast_of(webinar)
    assert (await fresh(webinar)).live_at is not None
    assert [row["number"] for row in found[:3]] == [0, 1, 2]
    assert [row["program_start"] for row in found[:3]] == [0.0, 2.0, 4.0]
    names = sorted(found[0]["renditions"])
    assert names == ["240p15", "240p5", "audio"]
    for name in names:
        window = await stage.playlist(broadcast, f"{name}.m3u8")
        assert uris(window)[:3] == [f"{name}/0.ts", f"{name}/1.ts", f"{name}/2.ts"]
        assert "#EXT-X-ENDLIST" not in window
        for uri in uris(window):
            assert (stage.media_root / "videos" / str(broadcast.key) / "live" / uri).stat().st_size > 0
    assert await notices_of(webinar) == []
