"""The door against odd programs and strangers."""

import asyncio
from typing import Any

import pytest

from tests.ingest.client import Client, tags_of
from tests.ingest.stage import (
    AAC,
    H264,
    PATIENCE,
    PICTURE,
    Stage,
    broadcast_of,
    make_webinar,
    notices_of,
    segments_of,
    sessions_of,
    until,
)
from tests.media.tools import run_ffmpeg_tool
from webinars.ingest import door, publication
from webinars.ingest.chunks import Kind
from webinars.ingest.flv import AUDIO, VIDEO, Tag

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> list[Tag]:
    """Seven seconds."""
    path = tmp_path_factory.mktemp("film") / "film.flv"
    sound = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")
    run_ffmpeg_tool("-f", "lavfi", "-i", PICTURE, *sound, "-t", "7", *H264, *AAC, "-f", "flv", path)
    return tags_of(path)


def later(tag: Tag, milliseconds: int) -> Tag:
    return Tag(tag.kind, tag.timestamp + milliseconds, tag.payload)


async def on_air(stage: Stage, raw: str) -> Client:
    client = await Client.connected(stage.port)
    assert await client.publish(raw) == "NetStream.Publish.Start"
    return client


async def test_sound_that_comes_later_goes_on_behind_a_discontinuity(stage: Stage, film: list[Tag]) -> None:
    webinar, _, raw = await make_webinar()
    client = await on_air(stage, raw)
    silent = [tag for tag in film if tag.kind == VIDEO]
    await client.play(silent)
    header = next(tag for tag in film if tag.kind == AUDIO)
    await client.play([later(tag, 7100) for tag in (header, *film[1:])])
    client.close()

    async def ended() -> bool:
        return [on for _, _, on in await sessions_of(webinar)] == [False, False]

    await until(ended)
    found = await segments_of(webinar)
    sizes: dict[int, int] = {}
    for row in found:
        sizes[row["publish_session__number"]] = max(
            sizes.get(row["publish_session__number"], 0), row["renditions"]["audio"][1]
        )
    assert sizes[1] < 4000 < sizes[2]  # silence, and a tone
    assert sum(row["seconds"] for row in found) == pytest.approx(14, abs=1)
    assert "#EXT-X-DISCONTINUITY\n" in await stage.playlist(await broadcast_of(webinar), "audio.m3u8")


async def test_a_clock_that_jumps_costs_nothing(stage: Stage, film: list[Tag]) -> None:
    """Hours forward, then back before the start: the encoder would fill the hours with copies of one frame."""
    webinar, _, raw = await make_webinar()
    client = await on_air(stage, raw)
    third = len(film) // 3
    await client.play([*film[:third], *(later(tag, 9_000_000) for tag in film[third : 2 * third]), *film[2 * third :]])
    client.close()

    async def ended() -> bool:
        return await sessions_of(webinar) == [(1, "interrupted", False)]

    await until(ended)
    found = await segments_of(webinar)
    assert sum(row["seconds"] for row in found) == pytest.approx(7, abs=1)
    assert [row["number"] for row in found] == list(range(len(found)))


async def test_a_publisher_that_sends_nothing_is_sent_away(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "PICTURE_PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(publication, "REPORT_SECONDS", 0.2)
    webinar, _, raw = await make_webinar()
    client = await on_air(stage, raw)
    client.send(Kind.DATA, b"\x02\x00\x0aonMetaData\x05")

    async def ended() -> bool:
        return await sessions_of(webinar) == [(1, "no_video", False)]

    await until(ended)
    assert await notices_of(webinar) == ["no_video"]
    assert await client.is_closed()


async def test_a_refusal_is_said_and_the_line_closed(stage: Stage) -> None:
    webinar, _, _ = await make_webinar()
    client = await Client.connected(stage.port)

    assert await client.publish(f"{webinar.pk}-{'x' * 32}") == "NetStream.Publish.BadName"
    assert "key" in client.heard[-1][3]["description"]
    assert await client.is_closed()


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(2000), b"\x03" + bytes(3072) + b"\xc3" * 100, b"\x16\x03\x01" * 700],
)
async def test_what_is_no_rtmp_is_dropped(stage: Stage, data: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(data)

    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
    assert not stage.door.strangers


async def test_nobody_watches_and_nobody_talks_for_ever(stage: Stage) -> None:
    client = await Client.connected(stage.port)
    with pytest.raises(ConnectionResetError):
        await client.command("play", 4, None, "1-x")
    client.close()
    long_winded = await Client.connected(stage.port)
    long_winded.send(Kind.COMMAND, bytes(door.STRANGER_BYTES + 1))
    with pytest.raises(ConnectionResetError):
        await long_winded.command("x", 5, None)
    long_winded.close()


async def test_strangers_are_few_and_their_time_is_short(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PUBLISH_SECONDS", PATIENCE)
    lines: list[Any] = [await asyncio.open_connection("127.0.0.1", stage.port) for _ in range(door.MOST_STRANGERS_EACH)]

    async def known() -> bool:
        return stage.door.strangers.total() == door.MOST_STRANGERS_EACH

    await until(known)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        async with asyncio.timeout(60):
            await reader.readexactly(1)
    writer.close()

    async def nobody() -> bool:
        return not stage.door.strangers

    for _, line in lines:
        line.close()
    await until(nobody)
    _, _, raw = await make_webinar()
    client = await on_air(stage, raw)
    assert not stage.door.strangers
    client.close()
    monkeypatch.setattr(door, "PUBLISH_SECONDS", 0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    async with asyncio.timeout(PATIENCE):
        await reader.read()  # to the end: sent away
    writer.close()
    await until(nobody)
