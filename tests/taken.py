"""Which tests a part of `script/test` takes and which it leaves to the others: `-p tests.taken` writes both to `TAKEN`.

A part collects only the files that name its marks; by this `script/checks.py` sees that each test is in exactly one.
"""

import json
import os
from pathlib import Path

import pytest

_taken: list[str] = []
_left: list[str] = []


def pytest_deselected(items: list[pytest.Item]) -> None:
    _left.extend(item.nodeid for item in items)


def pytest_collection_finish(session: pytest.Session) -> None:
    _taken.extend(item.nodeid for item in session.items)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    Path(f"{os.environ['TAKEN']}-{os.getpid()}.taken").write_text(json.dumps({"taken": _taken, "left": _left}))
