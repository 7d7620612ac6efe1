"""Lean HTTP clients for the naive endpoint: one connection each, the next beat when the last one is answered."""

import asyncio
import json
import sys
import time
from typing import Any

CSRF = "a" * 32


class Poster:
    def __init__(self, plan: dict[str, Any], viewer: dict[str, str]) -> None:
        self.plan, self.viewer = plan, viewer
        self.latencies: list[float] = []
        self.position = 0.0

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection(self.plan["host"], self.plan["port"])
        while time.perf_counter() < until:
            started = time.perf_counter()
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:16]:
                raise RuntimeError(f"Not saved: {head[:300]!r}")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            self.latencies.append(time.perf_counter() - started)
        writer.close()

    def _request(self) -> bytes:
        end = round(self.position + 0.4, 2)
        body = json.dumps({"session": self.viewer["session"], "start": self.position, "end": end}).encode()
        self.position = end
        head = (
            "POST /beat/ HTTP/1.1\r\nHost: rounds.example\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Cookie: sessionid={self.viewer['cookie']}; csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n\r\n"
        )
        return head.encode() + body


async def post(posters: list[Poster], seconds: float) -> None:
    until = time.perf_counter() + seconds
    await asyncio.gather(*(poster.run(until) for poster in posters))


async def main(plan: dict[str, Any]) -> dict[str, Any]:
    posters = [Poster(plan, viewer) for viewer in plan["viewers"]]
    await post(posters, plan["warm_up"])
    for poster in posters:
        poster.latencies.clear()
    print("measure", flush=True)
    started = time.perf_counter()
    await post(posters, plan["duration"])
    took = time.perf_counter() - started
    print("measured", flush=True)
    latencies = sorted(latency for poster in posters for latency in poster.latencies)
    return {
        "acked_beats_per_s": len(latencies) / took,
        "took": took,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
