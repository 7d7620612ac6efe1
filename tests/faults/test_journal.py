"""What the checker believes must be true of several threads as well."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.journal import History, Journal, Outcome


@pytest.fixture
def _impatient() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_impatient")
def test_threads_beside_each_other_have_lines_of_their_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    def work(kind: str) -> None:
        for number in range(500):
            line = journal.invoke(kind, f"{kind}:{number}", who=1)
            journal.end(line, Outcome.OK if kind == "save" else Outcome.FAILED, kind=kind)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, ["save", "message"]))
    journal.close()

    history = History.read(journal.path)
    assert len(history.operations) == 1_000
    assert len(history.of("save", Outcome.OK)) == len(history.of("message", Outcome.FAILED)) == 500
    assert journal.counts == {("save", Outcome.OK): 500, ("message", Outcome.FAILED): 500}
