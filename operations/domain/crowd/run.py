"""A crowd from several processes."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from operations.domain.crowd.arrivals import arrival_seconds
from operations.domain.crowd.measure import CrowdReport, Progress, merged
from operations.domain.crowd.plan import CrowdError, CrowdPlan, is_loopback, place_of

ROOT = Path(__file__).resolve().parents[3]
MOST_PROCESSES = 16
START_SECONDS = 1.5  # for the processes to come up: all begin at the same moment
END_SECONDS = 90.0  # after the plan's end: a process that is not done by then is ended
ADDRESSES = 8  # of each process, to a site on this machine
Message = tuple[int, dict[str, Any] | None]


def run_crowd(
    plan: CrowdPlan,
    *,
    processes: int = 1,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    log_folder: Path | None = None,
    cancelled: threading.Event | None = None,
) -> CrowdReport:
    """Blocks until the last doctor has gone, or `cancelled` is set. Raises `CrowdError` before anything is sent.

    `on_progress` hears all processes together about once a second, in this thread. Without `log_folder` no journal is
    kept, and `verify` has nothing to compare.
    """
    if not 1 <= processes <= MOST_PROCESSES:
        raise CrowdError(f"A crowd comes from 1 to {MOST_PROCESSES} processes.")
    site = place_of(plan.base_url, plan.allowed_hosts)
    if plan.media_base:
        place_of(plan.media_base, plan.allowed_hosts)
    for address in plan.source_addresses:
        if not is_loopback(address):
            raise CrowdError(f"{address} is no address of this machine's loopback.")
    addresses = list(plan.source_addresses)
    if not addresses and site.host.startswith("127."):
        addresses = [f"127.1.{number}.{one}" for number in range(processes) for one in range(1, ADDRESSES + 1)]
    if log_folder:
        log_folder.mkdir(parents=True, exist_ok=True)
    crew = _Crew(plan, addresses, processes, log_folder)
    try:
        return crew.listen(on_progress, cancelled or threading.Event())
    finally:
        crew.end()


class _Crew:
    def __init__(self, plan: CrowdPlan, addresses: list[str], processes: int, log_folder: Path | None) -> None:
        self.plan, self.messages = plan, Queue[Message]()
        times = arrival_seconds(plan)
        start = time.time() + START_SECONDS
        self.deadline = time.monotonic() + START_SECONDS + plan.seconds + END_SECONDS
        self.children: list[subprocess.Popen[str]] = []
        for number in range(min(processes, plan.doctors)):
            part = slice(number, plan.doctors, processes)
            mine = replace(
                plan, audience=list(plan.audience)[part], source_addresses=addresses[number::processes] or addresses
            )
            journal = log_folder / f"crowd-{number}.log" if log_folder else None
            given = {
                "plan": mine.to_json(),
                "times": times[part],
                "number": number,
                "start": start,
                "journal": str(journal) if journal else "",
            }
            self._start(number, json.dumps(given))

    def _start(self, number: int, line: str) -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "operations.domain.crowd.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            text=True,
            process_group=0,  # Ctrl-C is for whoever started the crowd, who sends everybody home
        )
        self.children.append(child)
        threading.Thread(target=self._read, args=(number, child, line), daemon=True).start()

    def _read(self, number: int, child: "subprocess.Popen[str]", line: str) -> None:
        assert child.stdin is not None  # noqa: S101 - both are pipes
        assert child.stdout is not None  # noqa: S101
        try:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            for text in child.stdout:
                self.messages.put((number, json.loads(text)))
        except (OSError, ValueError):  # it has ended; that it did without a report is what counts
            pass
        self.messages.put((number, None))

    def listen(self, on_progress: Callable[[Progress], None], cancelled: threading.Event) -> CrowdReport:
        latest: dict[int, Progress] = {}
        reports: dict[int, CrowdReport] = {}
        course: list[Progress] = []
        open_ones, told = set(range(len(self.children))), 0.0
        while open_ones:
            if cancelled.is_set() or time.monotonic() > self.deadline:
                self._ask_to_end()
            try:
                number, message = self.messages.get(timeout=0.5)
            except Empty:
                continue
            if message is None:
                open_ones.discard(number)
            elif "report" in message:
                reports[number] = CrowdReport.from_dict(message["report"])
            else:
                latest[number] = Progress(**message["progress"])
                if time.monotonic() - told >= 0.9 and len(latest) == len(self.children):
                    told = time.monotonic()
                    first, *others = latest.values()
                    course.append(sum(others, first))
                    on_progress(course[-1])
        if len(reports) < len(self.children):
            raise CrowdError(f"{len(self.children) - len(reports)} processes of the crowd ended without a report.")
        whole = merged(reports.values())
        whole.course = course
        return whole

    def _ask_to_end(self) -> None:
        """Each hears it by the end of its stdin; who is deaf is ended by `end`."""
        for child in self.children:
            if child.stdin is not None and not child.stdin.closed:
                child.stdin.close()
        if time.monotonic() > self.deadline + END_SECONDS:
            self.end()

    def end(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
