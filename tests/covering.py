"""Which lines and branches the tests run: `pytest -p tests.covering` writes a file a process into `COVERAGE_DIR`.

coverage.py follows every call of every library and makes these tests take 1.6 times as long on Python 3.11; slipcover
puts its marks into our own modules. That still takes ten seconds of every process, so `script/test` does it where the
tests themselves call the product, and not where they ask programs and browsers.

It would take the marks out again, some at a time, where they were passed often. A mark that stays costs nanoseconds; to
take some out means to look through every function there is, a sixth of a second, and that every half second.
"""

import json
import os
import sys
from pathlib import Path

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover

from tests.our_apps import APPS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [str(ROOT / name) for name in APPS]
OMITTED = ["*/migrations/*"]
EXCLUDED = ["if TYPE_CHECKING:", "raise NotImplementedError", "@overload"]

# To list also the files that nobody imported takes seconds: one worker does it for all.
LISTED = SOURCES if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0" else None

# Who hands the tests out to others runs none of them.
IS_MEASURED = "PYTEST_XDIST_WORKER" in os.environ or "-n" not in sys.argv

NEVER = 2**31 - 1  # as often a mark would have to be passed before it is taken out

# Before any conftest.py imports what shall be measured.
_measured = Slipcover(branch=True, source=LISTED, omit=OMITTED, exclude_also=EXCLUDED, d_miss_threshold=NEVER)
if IS_MEASURED:
    ImportManager(_measured, FileMatcher(sources=SOURCES, omit=OMITTED)).__enter__()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if not IS_MEASURED:
        return
    name = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}.json"
    Path(os.environ["COVERAGE_DIR"], name).write_text(json.dumps(_measured.get_coverage()))
