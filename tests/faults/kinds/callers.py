"""Callers who misbehave, all on this machine: many at once, slow ones, and ones that stop reading."""

import asyncio
import contextlib
import json
import resource
import socket
import threading
from collections.abc import Coroutine
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Origin

from tests.faults.kinds.registry import DidNotBiteError, Fault, Stage, fault
from tests.faults.world import ORIGIN

HOST = "127.0.0.1"


class Misbehaving(Fault):
    """The callers live in a loop of their own, beside that of the doctors, until `mend`."""

    least = 1  # of them must have come through

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.over = asyncio.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name=self.name, daemon=True)
        self.reached = 0

    def callers(self) -> list[Coroutine[Any, Any, None]]:
        raise NotImplementedError

    async def _all(self) -> None:
        await asyncio.gather(*(self._one(caller) for caller in self.callers()))

    @staticmethod
    async def _one(caller: Coroutine[Any, Any, None]) -> None:
        """A caller who is cut off has got what it came for."""
        with contextlib.suppress(OSError, EOFError, TimeoutError, WebSocketException, InvalidHandshake):
            await caller

    def strike(self) -> None:
        self.thread.start()
        self.work = asyncio.run_coroutine_threadsafe(self._all(), self.loop)

    def mend(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        try:
            self.work.result(60)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)
            self.loop.close()
        if self.reached < self.least:
            raise DidNotBiteError(f"Only {self.reached} of {self.name} came through.")

    async def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        found = await asyncio.open_connection(HOST, self.site.port, limit=4096)
        self.reached += 1
        return found


@fault("connection storm", touches="callers", lasts=(10, 2))
class Storm(Misbehaving):
    """Thousands of connections: silent ones, handshakes that stop half way, and sockets of nobody."""

    least = 500

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # shells give 1,024 files

    def callers(self) -> list[Coroutine[Any, Any, None]]:
        silent, half, nobody = (3000, 1000, 400) if self.stage.is_long else (1200, 300, 60)
        return [
            *(self.silent() for _ in range(silent)),
            *(self.half() for _ in range(half)),
            *(self.nobody() for _ in range(nobody)),
        ]

    async def silent(self) -> None:
        _, writer = await self._line()
        await self.over.wait()
        writer.close()

    async def half(self) -> None:
        _, writer = await self._line()
        path = self.stage.load.world["doctors"][0]["path"]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnec".encode())
        await self.over.wait()
        writer.close()

    async def nobody(self) -> None:
        path = self.stage.load.world["doctors"][0]["path"]
        async with connect(f"ws://{HOST}:{self.site.port}{path}", origin=Origin(ORIGIN), open_timeout=30) as line:
            self.reached += 1
            async for _ in line:
                pass


@fault("slow and stalled clients", touches="callers", lasts=(20, 3))
class Slow(Misbehaving):
    """Headers by the byte, bodies that never come, answers that nobody takes, and rooms that nobody listens to."""

    least = 40

    def callers(self) -> list[Coroutine[Any, Any, None]]:
        many = 150 if self.stage.is_long else 40
        people = self.stage.load.world["doctors"]
        return [
            *(self.byte_by_byte() for _ in range(many)),
            *(self.no_body(people[n % len(people)]) for n in range(many)),
            *(self.deaf(people[n % len(people)]) for n in range(many // 4)),
        ]

    async def byte_by_byte(self) -> None:
        _, writer = await self._line()
        for letter in f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: {'x' * 5000}".encode():
            if self.over.is_set():
                break
            writer.write(bytes([letter]))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self.over.wait()
        writer.close()

    async def no_body(self, person: dict[str, Any]) -> None:
        _, writer = await self._line()
        path = f"/api/v1/webinars/{self.stage.load.world['webinar']}/beats/"
        head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: sessionid={person['cookie']}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{{".encode())
        await self.over.wait()
        writer.close()

    async def deaf(self, person: dict[str, Any]) -> None:
        """In the room from its beginning, by a socket with the smallest buffer, which nobody reads."""
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(line, (HOST, self.site.port))
            self.reached += 1
            path = f"/ws/webinars/{self.stage.load.world['live']}/"
            head = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{self.site.port}\r\nOrigin: {ORIGIN}\r\n"
            head += f"Cookie: sessionid={person['cookie']}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            await loop.sock_sendall(line, head.encode())
            await loop.sock_recv(line, 200)
            content = json.dumps({"t": "room", "since": 0}).encode()
            await loop.sock_sendall(line, bytes([0x81, 0x80 | len(content), 0, 0, 0, 0]) + content)
            await self.over.wait()
        finally:
            line.close()
