"""One process of a crowd: a plan and its arrivals as a line on stdin, progress and a report as lines on stdout.

Ends early when stdin does: a parent that died or has had enough leaves nobody behind.
"""

import asyncio
import json
import random
import resource
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from operations.domain.crowd.browser import Browser, prefer_throughput
from operations.domain.crowd.doctor import SETTLE_SECONDS, Doctor
from operations.domain.crowd.ledger import Ledger
from operations.domain.crowd.plan import CrowdPlan

TICK = 1.0
EXTRA_SECONDS = 2 * SETTLE_SECONDS  # after the end: last acknowledgements


class Group:
    """The doctors of this process. `times` are seconds after `start` (of the wall clock), one for each."""

    def __init__(self, plan: CrowdPlan, times: list[float], *, number: int, start: float, journal: Path | None) -> None:
        self.plan, self.times, self.number = plan, times, number
        self.ledger = Ledger(journal)
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time() + start - time.time()
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        until = self.start + self.plan.seconds
        ticking = asyncio.create_task(self._tick())
        try:
            async with asyncio.timeout_at(until + EXTRA_SECONDS):
                await self._let_in(until)
                while self.tasks:
                    await asyncio.wait(self.tasks)
        except TimeoutError:
            self.ledger.failed("visit", "did not end", f"{len(self.tasks)} doctors")
        finally:
            ticking.cancel()
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, ticking, return_exceptions=True)
            self.ledger.report.seconds = self.loop.time() - self.start

    async def _let_in(self, until: float) -> None:
        addresses = self.plan.source_addresses
        for index, (member, at) in enumerate(zip(self.plan.audience, self.times, strict=True)):
            due = self.start + at
            await asyncio.sleep(max(0.0, due - self.loop.time()))
            draw = random.Random(f"{self.plan.seed}/{self.number}/{index}")  # noqa: S311 - the same crowd again
            address = addresses[index % len(addresses)] if addresses else ""
            browser = Browser(self.plan, member, self.ledger, draw, address=address)
            task = asyncio.create_task(Doctor(browser, self.plan, draw).attend(due=due, until=until))
            self.tasks.add(task)
            task.add_done_callback(self._gone)

    def _gone(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ledger.failed("visit", type(error).__name__, str(error))

    async def _tick(self) -> None:
        due = self.loop.time()
        while True:
            due = max(due, self.loop.time() - TICK) + TICK
            await asyncio.sleep(due - self.loop.time())
            report = self.ledger.report
            report.late_seconds = max(report.late_seconds, self.loop.time() - due)
            say({"progress": asdict(self.ledger.progress(self.loop.time() - self.start))})


async def serve(raw: dict[str, Any]) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    prefer_throughput()
    plan = CrowdPlan.from_json(raw["plan"])
    journal = Path(raw["journal"]) if raw["journal"] else None
    group = Group(plan, raw["times"], number=raw["number"], start=raw["start"], journal=journal)
    running = asyncio.create_task(group.run())
    parent = asyncio.create_task(_until_stdin_ends())
    await asyncio.wait({running, parent}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    parent.cancel()
    report = group.ledger.close()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    report.generator_cpu_seconds = usage.ru_utime + usage.ru_stime
    say({"report": report.to_dict()})


async def _until_stdin_ends() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
