"""For programs under libfaketime: its clock_nanosleep refuses every wait until a monotonic time that it did not fake."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep
