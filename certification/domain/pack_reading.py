"""What is read of an evidence pack while it is calculated again, and what was found to differ.

A pack may come from anybody: files are read line by line, and what cannot be read is a difference, never an exception.
"""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import InvalidOperation
from typing import Any

from certification.domain.pack_file import BROKEN, line

MOST_KEPT = 100
MOST_LINE = 5_000_000  # bytes: a line of ours has some thousand
# What values of the wrong kind lead to, in a pack that somebody wrote. A ValueError are also impossible evidence, wrong
# settings, and what has no canonical form.
WRONG = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, RecursionError)


@dataclass(frozen=True, slots=True)
class Difference:
    """`where` in the file, `what` in plain words. Neither is ours: parts of both may come from the pack."""

    file: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Line:
    """What later parts need of a line of the ledger; `steps` is SHA-256 of how it was counted."""

    number: int
    hash: str
    at: str
    kind: str
    user: int
    claim: int | None
    certificate: int | None
    credits: str | None
    reason: str
    authority: str
    version: str
    evidence: str
    decision: str  # empty in lines from before there was a digest of it
    computed: str
    steps: str
    facts: str
    paper: str  # a certificate's number


@dataclass
class Recheck:
    """`done`: what was calculated again, in words, and how often. `total` counts all differences, some are kept."""

    archive: zipfile.ZipFile
    manifest: dict[str, Any]
    differences: list[Difference] = field(default_factory=list)
    total: int = 0
    done: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    lines: dict[int, Line] = field(default_factory=dict)

    def differs(self, file: str, where: str, what: str) -> None:
        self.total += 1
        if len(self.differences) < MOST_KEPT:
            self.differences.append(Difference(file, where, what))

    def has(self, name: str) -> bool:
        return name in self.archive.NameToInfo

    def objects(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Of a file of JSON lines; each has one form, so that nothing can be said twice in it."""
        for number, raw in self._raw_lines(name):
            data = _object(raw)
            if data is None:
                self.differs(name, f"line {number}", "cannot be read, or is not in its one form")
            else:
                yield number, data

    def rows(self, name: str, columns: int) -> Iterator[tuple[int, Sequence[str]]]:
        """Of a table, without its headings. Rows of another length are differences."""
        if not self.has(name):
            return
        try:
            with self.archive.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
                for number, row in enumerate(csv.reader(text)):
                    if len(row) != columns:
                        self.differs(name, f"row {number}", f"has {len(row)} cells, not {columns}")
                    elif number:
                        yield number, row
        except (csv.Error, *BROKEN):
            self.differs(name, "the file", "cannot be read to its end")

    def _raw_lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        if not self.has(name):
            return
        try:
            with self.archive.open(name) as file:
                number = 0
                while raw := file.readline(MOST_LINE):
                    number += 1
                    yield number, raw
        except BROKEN:
            self.differs(name, "the file", "cannot be read to its end")


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(raw)
        return data if isinstance(data, dict) and line(data) == raw else None
    except (ValueError, RecursionError):
        return None
