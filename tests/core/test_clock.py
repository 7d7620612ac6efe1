"""The database's clock counts, also where the process's own is wrong; whole: `script/faults --only "clock off"`."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from core import clock

MINUTES = timedelta(minutes=2)
NEAR = timedelta(seconds=30)  # a busy machine


@pytest.fixture
def compared_with(monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Callable[[timedelta], None]]:
    """What a process finds out whose own clock is so much ahead."""
    before = (clock._difference.seconds, clock._difference.asked_at)
    real = time.time

    def compare(ahead: timedelta) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + ahead.total_seconds())
        clock._difference.asked_at = float("-inf")
        clock.compare(connection=connection)

    connection.ensure_connection()
    yield compare
    clock._difference.seconds, clock._difference.asked_at = before


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_that_is_off_is_put_right(compared_with: Callable[[timedelta], None], sign: int) -> None:
    compared_with(MINUTES * sign)
    assert abs(timezone.now() - MINUTES * sign - clock.now()) < NEAR
    compared_with(timedelta(0))
    assert abs(timezone.now() - clock.now()) < NEAR


def test_the_database_is_not_asked_by_every_connection(compared_with: Callable[[timedelta], None]) -> None:
    compared_with(MINUTES)
    found = clock._difference.seconds
    clock._difference.seconds = 1.0
    clock.compare(connection=connection)
    assert (clock._difference.seconds, round(found / 60)) == (1.0, -2)


def test_a_new_connection_asks(compared_with: Callable[[timedelta], None]) -> None:
    compared_with(timedelta(0))
    clock._difference.asked_at = float("-inf")
    other = connection.copy()
    try:
        other.ensure_connection()
    finally:
        other.close()
    assert clock._difference.asked_at > float("-inf")
    assert abs(clock.asked_now() - timezone.now()) < NEAR
