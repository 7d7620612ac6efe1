"""Which tests a part of `script/test` takes and which it leaves to the others: `-p tests.taken` writes both to `TAKEN`.

A part collects only the files that name its marks; by this `script/checks.py` sees that each test is in exactly one.
"""

import json
import os
from pathlib import Path

import pytest

_left: list[str] = []


def pytest_deselected(items: list[pytest.Item]) -> None:
    _left.extend(item.nodeid for item in items)


def pytest_collection_finish(session: pytest.Session) -> None:
    taken = [item.nodeid for item in session.items]
    Path(f"{os.environ['TAKEN']}-{os.getpid()}.taken").write_text(json.dumps({"taken": taken, "left": _left}))
