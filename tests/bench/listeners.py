"""Thousands of lean listeners in one process: raw WebSocket frames over asyncio, no client library and no Django.

They enter the room and note how long every event took since it was posted: its text is the time of that moment.
Reads a plan as a line of JSON on stdin, then commands; answers each with a line of JSON on stdout.
"""

import asyncio
import base64
import json
import os
import resource
import sys
import time
from typing import Any

from tests.bench.players import Frames, client_frame

GROUP = 50  # connections that are opened at the same time
PATIENCE = 120.0
MARK = b'"text":'


class Totals:
    def __init__(self) -> None:
        self.entered = 0
        self.closed = 0
        self.latencies: list[float] = []
        self.news = asyncio.Event()

    async def until(self, reached: Any) -> bool:
        deadline = time.perf_counter() + PATIENCE
        while not reached():
            self.news.clear()
            try:
                async with asyncio.timeout(deadline - time.perf_counter()):
                    await self.news.wait()
            except TimeoutError:
                return False
        return True


class Listener(asyncio.Protocol):
    def __init__(self, plan: dict[str, Any], viewer: dict[str, str], totals: Totals) -> None:
        self.plan, self.viewer, self.totals = plan, viewer, totals
        self.frames = Frames()
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.viewer['path']} HTTP/1.1\r\nHost: {self.plan['host']}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: {self.plan['origin']}\r\nCookie: sessionid={self.viewer['cookie']}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.totals.closed += 1
        self.totals.news.set()

    def data_received(self, data: bytes) -> None:
        if not self.open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found or b" 101 " not in head[:16]:
                raise RuntimeError(f"No WebSocket: {head[:100]!r}")
            self.open = True
            self.transport.write(client_frame(b'{"t":"room","since":%d}' % self.plan["since"]))
        now = time.time()
        for opcode, payload in self.frames.feed(data):
            if opcode == 9:
                self.transport.write(bytes((0x8A, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
            elif b'"event"' in payload[:20]:
                start = payload.index(b'"', payload.index(MARK) + len(MARK)) + 1
                self.totals.latencies.append(now - float(payload[start : payload.index(b'"', start)]))
                self.totals.news.set()
            elif b'"room_state"' in payload[:20]:
                self.totals.entered += 1
                self.totals.news.set()
            elif b'"presence"' not in payload[:20]:
                raise RuntimeError(f"Unexpected frame: {payload[:200]!r}")


async def connect(plan: dict[str, Any], totals: Totals) -> list[Listener]:
    """In groups, as a load balancer would let them in: a listen queue is no subject of this measurement."""
    loop = asyncio.get_running_loop()
    listeners = [Listener(plan, viewer, totals) for viewer in plan["viewers"]]
    for start in range(0, len(listeners), GROUP):
        group = listeners[start : start + GROUP]
        await asyncio.gather(
            *(
                loop.create_connection(lambda one=one: one, plan["host"], plan["port"], local_addr=(plan["from"], 0))  # type: ignore[misc]
                for one in group
            )
        )
        if not await totals.until(lambda: totals.entered >= start + len(group) - GROUP):  # noqa: B023
            raise RuntimeError(f"Only {totals.entered} of {len(listeners)} came in")
    if not await totals.until(lambda: totals.entered == len(listeners)):
        raise RuntimeError(f"Only {totals.entered} of {len(listeners)} came in")
    return listeners


async def main() -> None:
    loop = asyncio.get_running_loop()
    plan = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    totals = Totals()
    began = time.perf_counter()
    listeners = await connect(plan, totals)
    say({"connected_s": time.perf_counter() - began})
    while command := json.loads(await loop.run_in_executor(None, sys.stdin.readline) or "null"):
        """Waits until so many events have come since the last command."""
        expected = command["events"]
        await totals.until(lambda: len(totals.latencies) >= expected)  # noqa: B023
        say({"latencies": totals.latencies, "closed": totals.closed, "open": len(listeners) - totals.closed})
        totals.latencies = []


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
