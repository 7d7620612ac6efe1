"""Processes full of listeners (`tests.bench.listeners`), seen from the one that starts them."""

import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.stage import HOST, ROOT

PER_PROCESS = 1_250  # listeners of one client process


def allow_many_files() -> int:
    """The servers inherit it. Returns how many files a process may open."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass
class Crowd:
    """Listeners in processes of their own."""

    children: list[subprocess.Popen[str]]

    def tell(self, events: int) -> list[dict[str, Any]]:
        for child in self.children:
            assert child.stdin is not None
            child.stdin.write(json.dumps({"events": events}) + "\n")
            child.stdin.flush()
        return [self.hear(child) for child in self.children]

    @staticmethod
    def hear(child: subprocess.Popen[str]) -> dict[str, Any]:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise RuntimeError("A process of listeners has ended")
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.contextmanager
def crowd(
    port: int, viewers: Sequence[dict[str, str]], since: int, *, origin: str, first_address: int = 1
) -> Iterator[Crowd]:
    """Each process has an address of its own, as hospitals have."""
    children = []
    try:
        for index, start in enumerate(range(0, len(viewers), PER_PROCESS)):
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.listeners"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                text=True,
            )
            children.append(child)
            plan = {
                "host": HOST,
                "port": port,
                "origin": origin,
                "since": since,
                "from": f"127.0.0.{first_address + index}",
                "viewers": viewers[start : start + PER_PROCESS],
            }
            assert child.stdin is not None
            child.stdin.write(json.dumps(plan) + "\n")
            child.stdin.flush()
        yield Crowd(children)
    finally:
        for child in children:
            child.kill()
            child.communicate()
