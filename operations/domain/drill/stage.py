"""The stage hand's process, seen from the drill."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import IO, Any

from core.processes import die_with_parent
from operations.domain.drill.errors import DrillError
from operations.domain.drill.place import ROOT
from operations.domain.drill.site import Target
from operations.domain.drill.staging import Order

LAST_WORDS_SECONDS = 60.0


class Stage:
    def __init__(self, process: "subprocess.Popen[str]", log: IO[str], order: Order) -> None:
        self.process, self.log = process, log
        answer = self._exchange(asdict(order))
        self.scene: dict[str, Any] = answer["scene"]

    def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        self.tell(message)
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self.last_words()}
        if "error" in answer:
            raise DrillError(f"The scene could not be set: {answer['error']}")
        return answer

    def tell(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise DrillError(f"The stage hand has gone: {self.last_words()}") from error

    def finish(self) -> tuple[list[str], str]:
        """What was done, and what went wrong."""
        try:
            said, _ = self.process.communicate(timeout=LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            return [], f"The stage hand did not come to its end: {self.last_words()}"
        done = json.loads(said.splitlines()[-1])["done"] if said.strip() else []
        return done, "" if self.process.returncode == 0 else f"The stage hand ended early: {self.last_words()}"

    def last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextmanager
def beside(site: Target, order: Order) -> Iterator[Stage]:
    """Inside the copy, by its environment; ended with the drill."""
    with site.place.site.joinpath("stage.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "operations.domain.drill"],
            cwd=ROOT,
            env=site.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            process_group=0,  # Ctrl-C is for the drill, which ends it
            preexec_fn=die_with_parent(9),  # noqa: PLW1509 - takes no lock
        )
        with process:
            try:
                yield Stage(process, log, order)
            finally:
                process.kill()
