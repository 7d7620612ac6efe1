"""The splice: right tier, right caller, nothing lost, nothing held in memory."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lms.frontdoor import FrontDoor, with_address

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PATIENCE = 60.0
REQUEST = b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"


@dataclass
class Tier:
    """A backend that remembers the head it was sent, answers with its name, and echoes what follows."""

    name: str
    heads: list[bytes] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.name.encode() + b"\n")
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def door(directory: Path, *, trusted: bool = False, tiers: tuple[Tier, ...] = ()) -> AsyncIterator[int]:
    servers = [await asyncio.start_unix_server(tier.handle, directory / tier.name) for tier in tiers]
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    front = FrontDoor(web=str(directory / "web"), realtime=str(directory / "realtime"), forwarded_is_trusted=trusted)
    task = asyncio.create_task(front.serve([listener]))
    await asyncio.sleep(0)  # the task installs its signal handlers
    try:
        yield listener.getsockname()[1]
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await task
        for server in servers:
            server.close()


async def talk(port: int, *parts: bytes) -> bytes:
    """Reads while it writes: an echo longer than the kernel's buffers would stop a caller that only writes."""

    async def say() -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.write_eof()

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        _, answer = await asyncio.gather(say(), reader.read())
    writer.close()
    return answer


@pytest.fixture
def tiers() -> tuple[Tier, Tier]:
    return Tier("web"), Tier("realtime")


async def test_the_first_path_chooses_the_tier(tmp_path: Path, tiers: tuple[Tier, Tier]) -> None:
    async with door(tmp_path, tiers=tiers) as port:
        assert await talk(port, REQUEST % (b"/", b"")) == b"web\n"
        assert await talk(port, REQUEST % (b"/ws/webinars/7/", b"")) == b"realtime\n"
        assert await talk(port, REQUEST % (b"/wsx/?next=/ws/", b"")) == b"web\n"


async def test_the_web_tier_hears_of_the_caller_by_proxy_protocol(tmp_path: Path, tiers: tuple[Tier, Tier]) -> None:
    async with door(tmp_path, tiers=tiers) as port:
        await talk(port, REQUEST % (b"/", b"X-Forwarded-For: 203.0.113.9\r\n"))
    line, rest = tiers[0].heads[0].split(b"\r\n", 1)
    assert line.startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ")
    assert line.endswith(b" %d" % port)
    assert rest == REQUEST % (b"/", b"X-Forwarded-For: 203.0.113.9\r\n")


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [(False, b"X-Forwarded-For: 127.0.0.1"), (True, b"X-Forwarded-For: 203.0.113.9, 127.0.0.1")],
)
async def test_sec_05_a_caller_cannot_forge_its_address_to_the_realtime_tier(
    tmp_path: Path, tiers: tuple[Tier, Tier], trusted: bool, expected: bytes
) -> None:
    async with door(tmp_path, tiers=tiers, trusted=trusted) as port:
        await talk(port, REQUEST % (b"/ws/", b"x-forwarded-FOR: 203.0.113.9\r\nOrigin: http://x\r\n"))
    lines = tiers[1].heads[0].split(b"\r\n")
    assert [line for line in lines if line.lower().startswith(b"x-forwarded-for")] == [expected]
    assert b"Origin: http://x" in lines


async def test_a_head_in_pieces_and_a_large_body_arrive_whole(tmp_path: Path, tiers: tuple[Tier, Tier]) -> None:
    body = os.urandom(4_000_000)
    async with door(tmp_path, tiers=tiers) as port:
        assert await talk(port, b"POST / HT", b"TP/1.1\r\nHost: x\r", b"\n\r\n", body) == b"web\n" + body


async def test_a_caller_that_does_not_read_stops_the_sender(tmp_path: Path) -> None:
    """Without backpressure the front door would hold a whole video in memory for each slow phone."""
    sent = 0
    stuck = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        try:
            while sent < 200_000_000:
                writer.write(bytes(1_000_000))
                async with asyncio.timeout(1.0):
                    await writer.drain()
                sent += 1_000_000
        except TimeoutError:
            stuck.set()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_unix_server(flood, tmp_path / "web")
    async with door(tmp_path) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(REQUEST % (b"/", b""))
        async with asyncio.timeout(PATIENCE):
            await stuck.wait()
        writer.transport.abort()
    server.close()
    assert sent < 50_000_000


async def test_an_absent_tier_is_a_503_and_the_door_stays_open(tmp_path: Path) -> None:
    web = Tier("web")
    async with door(tmp_path) as port:
        assert (await talk(port, REQUEST % (b"/", b""))).startswith(b"HTTP/1.1 503 ")
        server = await asyncio.start_unix_server(web.handle, tmp_path / "web")
        assert await talk(port, REQUEST % (b"/", b"")) == b"web\n"
        server.close()


async def test_an_endless_head_is_refused(tmp_path: Path) -> None:
    async with door(tmp_path, tiers=(Tier("web"),)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        async with asyncio.timeout(PATIENCE):
            assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
        writer.close()


def test_a_body_behind_the_head_is_left_alone() -> None:
    head = b"GET /ws/ HTTP/1.1\r\nHost: x\r\n\r\nX-Forwarded-For: 1.2.3.4\r\n"
    assert with_address(head, "192.0.2.1", keep=False) == (
        b"GET /ws/ HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nHost: x\r\n\r\nX-Forwarded-For: 1.2.3.4\r\n"
    )
