"""A thousand lean players in one process: raw WebSocket frames over asyncio, no client library and no Django.

The generator must cost less than the server it measures, or two cores measure the generator. Frames are built by hand
(client frames are masked with zero, which is valid and free); what comes back is only searched for the numbers.
Reads a plan as JSON on stdin, writes one JSON result on stdout.
"""

import asyncio
import base64
import json
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from typing import Any


def client_frame(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0xFE)) + size.to_bytes(2, "big")
    return head + b"\0\0\0\0" + payload


class Frames:
    """Splits a server's byte stream (never masked, never fragmented here) into payloads."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        data = self._rest + data
        found, at, size = [], 0, len(data)
        while size - at >= 2:
            length, head = data[at + 1], 2
            if length == 126:
                if size - at < 4:
                    break
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            if size - at < head + length:
                break
            found.append((data[at] & 0x0F, data[at + head : at + head + length]))
            at += head + length
        self._rest = data[at:]
        return found


@dataclass
class Totals:
    latencies: list[float] = field(default_factory=list)
    sent: int = 0
    acked: int = 0
    refused: int = 0
    retried: int = 0
    welcomed: int = 0
    closed: int = 0


class Player(asyncio.Protocol):
    def __init__(self, plan: dict[str, Any], viewer: dict[str, str], totals: Totals, ready: asyncio.Event) -> None:
        self.plan, self.viewer, self.totals, self.ready = plan, viewer, totals, ready
        self.frames = Frames()
        self.open = False
        self.unacked: dict[int, float] = {}
        self.number = 0
        self.position = 0.0

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

    def data_received(self, data: bytes) -> None:
        if not self.open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found or b" 101 " not in head[:16]:
                raise RuntimeError(f"No WebSocket: {head[:100]!r}")
            self.open = True
            self.transport.write(client_frame(b'{"t":"hello","session":"%s"}' % self.viewer["session"].encode()))
        for opcode, payload in self.frames.feed(data):
            if opcode == 9:
                self.transport.write(bytes((0x8A, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
            elif opcode == 1:
                self._heard(payload)

    def _heard(self, payload: bytes) -> None:
        totals = self.totals
        if payload.startswith(b'{"t":"ack"'):
            now = time.perf_counter()
            start = payload.index(b"[") + 1
            for number in payload[start : payload.index(b"]", start)].split(b","):
                totals.latencies.append(now - self.unacked.pop(int(number)))
                totals.acked += 1
        elif payload.startswith(b'{"t":"welcome"'):
            totals.welcomed += 1
            if totals.welcomed == len(self.plan["viewers"]):
                self.ready.set()
        elif payload.startswith(b'{"t":"refused"'):
            totals.refused += 1
        elif payload.startswith(b'{"t":"retry"'):
            totals.retried += 1
        else:
            raise RuntimeError(f"Unexpected frame: {payload[:200]!r}")

    def beat(self, seconds: float) -> None:
        self.number += 1
        end = self.position + seconds
        self.unacked[self.number] = time.perf_counter()
        self.totals.sent += 1
        self.transport.write(
            client_frame(b'{"t":"beat","n":%d,"s":[[%.2f,%.2f]],"p":%.2f}' % (self.number, self.position, end, end))
        )
        self.position = end


async def connect(plan: dict[str, Any], totals: Totals) -> list[Player]:
    """In groups, as a load balancer would let them in: a listen queue is no subject of this measurement."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    players: list[Player] = []
    for start in range(0, len(plan["viewers"]), 50):
        group = [Player(plan, viewer, totals, ready) for viewer in plan["viewers"][start : start + 50]]
        await asyncio.gather(
            *(loop.create_connection(lambda one=one: one, plan["host"], plan["port"]) for one in group)  # type: ignore[misc]
        )
        players += group
    async with asyncio.timeout(60):
        await ready.wait()
    return players


async def play(players: list[Player], plan: dict[str, Any], *, until: float) -> None:
    """Each player beats every `period` seconds, all of them spread evenly over it; never faster to catch up twice."""
    period, ticks = plan["period"], 50
    step, due, index = period / ticks, time.perf_counter(), 0
    while time.perf_counter() < until:
        for player in players[index % ticks :: ticks]:
            player.beat(plan["seconds"])
        index += 1
        due += step
        await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def main(plan: dict[str, Any]) -> dict[str, Any]:
    totals = Totals()
    began = time.perf_counter()
    players = await connect(plan, totals)
    connected = time.perf_counter() - began
    await play(players, plan, until=time.perf_counter() + plan["warm_up"])
    print("measure", flush=True)  # the parent reads the CPU clocks of the server now
    totals.latencies.clear()
    sent, acked, start = totals.sent, totals.acked, time.perf_counter()
    await play(players, plan, until=start + plan["duration"])
    took, acked_in_time = time.perf_counter() - start, totals.acked - acked
    print("measured", flush=True)
    deadline = time.perf_counter() + 10
    while totals.acked + totals.refused < totals.sent and time.perf_counter() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    latencies = sorted(totals.latencies)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "acked_beats_per_s": acked_in_time / took,
        "took": took,
        "sent_per_s": (totals.sent - sent) / took,
        "lost": totals.sent - totals.acked,
        "refused": totals.refused,
        "retried": totals.retried,
        "closed": totals.closed,
        "connect_s": connected,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
        "generator_cpu_s": usage.ru_utime + usage.ru_stime,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
