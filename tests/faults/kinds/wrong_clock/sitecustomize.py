"""For programs under libfaketime: its clock_nanosleep refuses to wait until a monotonic time that it did not fake."""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
