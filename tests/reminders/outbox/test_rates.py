"""How fast a provider is given messages: one bucket for all workers; without Valkey a share of it."""

import threading
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.valkey import QuickValkey
from reminders.domain.rates import SHARES, Rates


@pytest.fixture
def name() -> str:
    return f"test-{uuid4()}"


def away() -> QuickValkey:
    return QuickValkey(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)))


def test_all_workers_take_from_one_bucket(name: str) -> None:
    """Two seconds' worth at once, and what the clock adds during the test."""
    given: list[int] = []
    began = time.monotonic()

    def work() -> None:
        rates = Rates()
        given.extend(rates.take(name, rate=50.0, wanted=10) for _ in range(10))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert 100 <= sum(given) <= 100 + 50 * (time.monotonic() - began)
    assert sum(given) < 400


def test_what_was_not_used_is_given_back(name: str) -> None:
    rates = Rates()
    assert rates.take(name, rate=0.01, wanted=1) == 1
    assert rates.take(name, rate=0.01, wanted=1) == 0
    rates.give_back(name, 1)
    assert rates.take(name, rate=0.01, wanted=5) == 1


def test_a_pause_holds_everybody(name: str) -> None:
    Rates().pause(name, seconds=60)
    assert Rates().take(name, rate=100.0, wanted=1) == 0


@pytest.mark.parametrize("valkey", [QuickValkey, away], ids=["with Valkey", "without"])
def test_who_gets_nothing_is_told_when_to_come_back(name: str, valkey: Callable[[], QuickValkey]) -> None:
    """After the rest that the provider asked for, or when a handful is there again."""
    rates = Rates(valkey())
    assert rates.wait(name, rate=100.0, wanted=200) == 0
    began = time.monotonic()
    rates.take(name, rate=10.0, wanted=200)
    wait = rates.wait(name, rate=10.0, wanted=200)
    assert 1 - (time.monotonic() - began) <= wait <= 1
    rates.pause(name, seconds=60)
    assert 55 < rates.wait(name, rate=10.0, wanted=200) <= 60


def test_without_valkey_each_keeps_to_its_share(name: str) -> None:
    """And what the clock adds during the test."""
    rates, began = Rates(away()), time.monotonic()
    assert rates.take(name, rate=8.0 * SHARES, wanted=1_000) == 16
    more = rates.take(name, rate=8.0 * SHARES, wanted=1_000)
    rates.give_back(name, 5)
    more += rates.take(name, rate=8.0 * SHARES, wanted=1_000)
    assert 5 <= more <= 5 + 8 * (time.monotonic() - began)
    rates.pause(name, seconds=60)
    assert rates.take(name, rate=8.0 * SHARES, wanted=1_000) == 0
