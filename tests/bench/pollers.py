"""Lean HTTP clients that poll a room: one connection each, the next poll when the last one is answered."""

import asyncio
import itertools
import json
import sys
import time
from typing import Any


async def poll(plan: dict[str, Any], cookies: Any, until: float, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(plan["host"], plan["port"])
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(
            f"GET {plan['path']} HTTP/1.1\r\nHost: rounds.example\r\nCookie: sessionid={next(cookies)}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"Not answered: {head[:300]!r}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        latencies.append(time.perf_counter() - started)
    writer.close()


async def main(plan: dict[str, Any]) -> dict[str, Any]:
    """People take turns, so that nobody polls more often than the throttle allows."""
    cookies = itertools.cycle([viewer["cookie"] for viewer in plan["viewers"]])

    async def rush(seconds: float) -> list[float]:
        latencies: list[float] = []
        until = time.perf_counter() + seconds
        await asyncio.gather(*(poll(plan, cookies, until, latencies) for _ in range(plan["connections"])))
        return latencies

    await rush(plan["warm_up"])
    print("measure", flush=True)
    started = time.perf_counter()
    latencies = sorted(await rush(plan["duration"]))
    took = time.perf_counter() - started
    print("measured", flush=True)
    return {
        "acked_beats_per_s": len(latencies) / took,
        "took": took,
        "p50_ms": 1000 * latencies[len(latencies) // 2],
        "p99_ms": 1000 * latencies[int(len(latencies) * 0.99)],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
