"""What the virtual doctors did, on disk before anything else happens: one line of JSON for each start and each end.

`invoke` is written before a byte is sent, then one of `ok` (the product said that it is done), `failed` (it said that
it is not) and `unknown` (the line broke, time ran out, or a 5xx came: it may be done or not). An `invoke` without an
end, of a harness that was killed, is unknown too.
"""

import itertools
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """`effect` is how often the token is in the database once it is done: 0 for what takes something away."""

    kind: str
    token: str
    who: int
    outcome: Outcome
    effect: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of the room, as a page got it."""

    who: int
    number: int


class Journal:
    """Written by the loop of the doctors and by threads beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", buffering=1)  # each line leaves the process by itself
        self._numbers = itertools.count(1)  # two threads never draw the same one
        self._lock = threading.Lock()
        self.counts: dict[tuple[str, str], int] = {}

    def invoke(self, kind: str, token: str, *, who: int, effect: int = 1) -> int:
        number = next(self._numbers)
        self._write({"id": number, "phase": "invoke", "kind": kind, "token": token, "who": who, "effect": effect})
        return number

    def end(self, number: int, outcome: Outcome, *, kind: str, why: str = "") -> None:
        with self._lock:
            self.counts[kind, outcome] = self.counts.get((kind, outcome), 0) + 1
        self._write({"id": number, "phase": outcome.value, "why": why})

    def hear(self, who: int, number: int) -> None:
        self._write({"phase": "heard", "who": who, "number": number})

    def note(self, text: str) -> None:
        """What the harness did to the site, between what the doctors did."""
        self._write({"phase": "note", "text": text})

    def close(self) -> None:
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps({"at": round(time.time(), 4), **line}) + "\n")


@dataclass(frozen=True)
class History:
    """A journal read back. The checker knows nothing else of what happened."""

    operations: tuple[Operation, ...]
    heard: tuple[Heard, ...]
    mail: tuple[str, ...] = ()  # keys of what the mail server got, each time it did; no line of the journal

    @classmethod
    def read(cls, path: Path) -> "History":
        begun: dict[int, dict[str, Any]] = {}
        ended: dict[int, Outcome] = {}
        heard = []
        for line in _lines(path):
            if line["phase"] == "invoke":
                begun[line["id"]] = line
            elif line["phase"] == "heard":
                heard.append(Heard(line["who"], line["number"]))
            elif line["phase"] != "note":
                ended[line["id"]] = Outcome(line["phase"])
        operations = tuple(
            Operation(one["kind"], one["token"], one["who"], ended.get(number, Outcome.UNKNOWN), one["effect"])
            for number, one in begun.items()
        )
        return cls(operations, tuple(heard))

    @cached_property
    def _by_kind(self) -> dict[str, list[Operation]]:
        """Some tens of thousands are asked for by kind some hundred times."""
        found = defaultdict(list)
        for one in self.operations:
            found[one.kind].append(one)
        return dict(found)

    def of(self, kind: str, outcome: Outcome | None = None) -> list[Operation]:
        return [one for one in self._by_kind.get(kind, []) if outcome in {None, one.outcome}]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        for line in file:
            if line.endswith("\n"):  # the last one may be cut off
                yield json.loads(line)
