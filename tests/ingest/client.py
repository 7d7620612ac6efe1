"""A publisher's program in a few lines, to send what ffmpeg would not."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from webinars.ingest import amf
from webinars.ingest.chunks import ChunkReader, Kind, written
from webinars.ingest.flv import AUDIO, FlvReader, Tag

CHUNK_BYTES = 4096


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.chunks = ChunkReader(1_000_000)
        self.heard: list[list[Any]] = []

    @classmethod
    async def connected(cls, port: int) -> "Client":
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        client.writer.write(b"\x03" + bytes(1536))
        ours = await client.reader.readexactly(1 + 1536)
        await client.reader.readexactly(1536)
        client.writer.write(ours[1:])
        client.send(Kind.SET_CHUNK_SIZE, CHUNK_BYTES.to_bytes(4), channel=2)
        await client.command("connect", 1, {"app": "live"})
        return client

    def send(self, kind: int, payload: bytes, *, channel: int = 3, timestamp: int = 0) -> None:
        self.writer.write(written(kind, payload, channel=channel, timestamp=timestamp, chunk_bytes=CHUNK_BYTES))

    async def command(self, name: str, number: int, *values: Any) -> list[Any]:
        """Waits for an answer; raises ConnectionError when the door closes instead."""
        self.send(Kind.COMMAND, amf.encode(name, number, *values))
        while True:
            async with asyncio.timeout(60):
                data = await self.reader.read(65536)
            if not data:
                raise ConnectionResetError("closed")
            for message in self.chunks.feed(data):
                if message.kind == Kind.COMMAND:
                    self.heard.append(amf.decode(message.payload))
            if self.heard and self.heard[-1][0] in {"_result", "onStatus"}:
                return self.heard[-1]

    async def publish(self, raw_key: str) -> str:
        """The code of the answer."""
        await self.command("createStream", 2, None)
        answer = await self.command("publish", 3, None, raw_key, "live")
        return str(answer[3]["code"])

    async def play(self, tags: Iterable[Tag]) -> None:
        """At the speed of their time stamps, whatever these jump to: a step of more than a second is not waited for."""
        due, last = time.monotonic(), 0
        for tag in tags:
            step = tag.timestamp - last
            due, last = due + (step / 1000 if 0 < step < 1000 else 0), tag.timestamp
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.send(tag.kind, tag.payload, channel=4 if tag.kind == AUDIO else 6, timestamp=tag.timestamp)
            await self.writer.drain()

    async def is_closed(self) -> bool:
        """Reads what the door still says, to its end."""
        try:
            async with asyncio.timeout(60):
                while data := await self.reader.read(65536):
                    self.chunks.feed(data)
        except ConnectionResetError:
            return True
        finally:
            self.close()
        return True

    def close(self) -> None:
        self.writer.close()


def tags_of(path: Path) -> list[Tag]:
    return list(FlvReader().feed(path.read_bytes()))
