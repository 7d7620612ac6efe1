"""The marked answers of a test as arrays: one row an answer, five million of them for 100,000 papers of 50 questions.

They come by one COPY in PostgreSQL's binary format, whose rows here all have the same length, so that numpy reads them
without a Python object for each value. About 90 bytes an answer at the peak; nothing is ever a matrix of people by
questions, because with random draws most of that would be empty.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from assessments.models import Attempt, Quiz

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Of each person the attempt that counts. Millionths of the share: numbers of a fixed length travel fastest.
_ANSWERS = """
COPY (
    SELECT n.attempt_id, n.version_id, (n.share * 1000000)::int4, (n.points * 10000)::int8, n.seconds::int4,
           (n.outcome = 'blank')::int4, coalesce(jsonb_hash_extended(n.value, 0), 0)
    FROM assessments_answer n JOIN assessments_attempt a ON a.id = n.attempt_id
    WHERE a.quiz_id = %s AND a.counts AND n.points IS NOT NULL
) TO STDOUT (FORMAT binary)
"""
_FIELDS = (
    ("attempt", ">i8"),
    ("version", ">i8"),
    ("share", ">i4"),
    ("points", ">i8"),
    ("seconds", ">i4"),
    ("blank", ">i4"),
    ("value", ">i8"),
)
# A row: the number of fields, then each with its length before it. 19 bytes of header come first, 2 of trailer last.
_ROW = np.dtype(
    [("count", ">i2")] + [part for name, kind in _FIELDS for part in ((f"{name}_length", ">i4"), (name, kind))]
)
_HEADER, _TRAILER = 19, 2
_CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answers:
    """Rows are sorted by question. `person` and `item` count from 0 and point into `attempts` and `versions`."""

    attempts: Ints  # of each person
    versions: Ints  # of each question: another version of it is another question
    starts: Ints  # where the rows of each question begin, and the end
    person: NDArray[np.int32]
    share: NDArray[np.float32]  # of the points of the question
    points: NDArray[np.float32]
    seconds: NDArray[np.int32]
    is_blank: NDArray[np.bool_]
    value: Ints  # a hash of the answer: equal ones are equal
    most: Floats  # points of each question
    total: Floats  # points of each person
    total_most: Floats

    @property
    def people(self) -> int:
        return len(self.attempts)

    @property
    def items(self) -> int:
        return len(self.versions)

    def rows_of(self, item: int) -> slice:
        return slice(int(self.starts[item]), int(self.starts[item + 1]))

    def item_of_rows(self) -> NDArray[np.int32]:
        return np.repeat(np.arange(self.items, dtype=np.int32), np.diff(self.starts))


def read_answers(*, quiz: Quiz) -> Answers:
    columns = _columns(quiz.pk)
    attempts, person = np.unique(columns.pop("attempt"), return_inverse=True)
    versions, item = np.unique(columns.pop("version"), return_inverse=True)
    # 16 bits, where they do, are sorted by counting.
    order = np.argsort(item.astype(np.int16) if len(versions) < 2**15 else item, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(item, minlength=len(versions)))))
    sorted_person = person[order].astype(np.int32)
    points = columns["points"] / 10_000
    return Answers(
        attempts=attempts,
        versions=versions,
        starts=starts,
        person=sorted_person,
        share=(columns["share"][order] / 1e6).astype(np.float32),
        points=points[order].astype(np.float32),
        seconds=columns["seconds"][order].astype(np.int32),
        is_blank=columns["blank"][order].astype(np.bool_),
        value=columns["value"][order],
        most=_most_by_version(attempts, versions, starts, sorted_person),
        total=np.bincount(person, weights=points, minlength=len(attempts)).astype(np.float64),
        total_most=_totals(quiz.pk, attempts),
    )


def _columns(quiz_id: int) -> dict[str, Any]:
    """Each column in the machine's own byte order; the rows themselves are let go of chunk by chunk."""
    kept: dict[str, list[Any]] = {name: [] for name, _ in _FIELDS}
    for raw in _chunks(quiz_id):
        rows = np.frombuffer(raw, dtype=_ROW)
        for name, kind in _FIELDS:
            kept[name].append(rows[name].astype(kind[1:]))
    empty = {name: np.zeros(0, dtype=kind[1:]) for name, kind in _FIELDS}
    return {name: np.concatenate(parts) if parts else empty[name] for name, parts in kept.items()}


def _chunks(quiz_id: int) -> Iterator[bytes]:
    """Whole rows, without header and trailer."""
    with connection.cursor() as cursor, cursor.copy(_ANSWERS % int(quiz_id)) as copy:
        parts: list[bytes] = []
        size, skipped = 0, 0
        for part in copy:
            data = bytes(part)
            if skipped < _HEADER:
                cut = min(_HEADER - skipped, len(data))
                skipped, data = skipped + cut, data[cut:]
            parts.append(data)
            size += len(data)
            if size >= _CHUNK_BYTES:
                joined = b"".join(parts)
                whole = (len(joined) - _TRAILER) // _ROW.itemsize * _ROW.itemsize
                yield joined[:whole]
                parts = [joined[whole:]]
                size = len(parts[0])
        joined = b"".join(parts)
        yield joined[: len(joined) - len(joined) % _ROW.itemsize]


def _most_by_version(attempts: Ints, versions: Ints, starts: Ints, person: NDArray[np.int32]) -> Floats:
    """What a question can bring, from the paper of somebody who had it."""
    holders = {int(attempts[person[start]]) for start in starts[:-1]}
    found: dict[int, float] = {}
    for paper in Attempt.objects.filter(pk__in=holders).values_list("paper", flat=True).iterator(chunk_size=200):
        for entry in paper["items"]:
            found[entry["v"]] = float(Decimal(entry["p"]))
    return np.array([found[int(version)] for version in versions], dtype=np.float64)


def _totals(quiz_id: int, attempts: Ints) -> Floats:
    """Most points of each person's paper, in the order of `attempts`, which is by number."""
    rows = Attempt.objects.filter(quiz=quiz_id, counts=True).order_by("pk").values_list("pk", "most_points")
    found = np.fromiter(
        ((pk, float(most)) for pk, most in rows.iterator(chunk_size=20_000)),
        dtype=[("pk", "i8"), ("most", "f8")],
    )
    most: Floats = found["most"][np.searchsorted(found["pk"], attempts)]
    return most
