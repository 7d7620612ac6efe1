"""Limits count atomically, and go on counting when Redis does not answer."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django_redis import get_redis_connection
from pytest_django import Settings

from core import limits
from core.limits import LocalCounts, hit


@pytest.fixture
def key() -> str:
    return f"test:{uuid4()}"


@pytest.fixture
def _breaker_reset() -> Iterator[None]:
    limits._breaker.open_until = 0.0
    yield
    limits._breaker.open_until = 0.0


def point_redis_at(settings: Settings, port: int) -> None:
    caches = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}/0"}}
    settings.CACHES = caches


REFUSED_PORT = 1


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections and never answers: what a hung server or a firewall looks like."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield int(listener.getsockname()[1])


class TestHit:
    def test_allows_the_limit_and_refuses_the_next(self, key: str) -> None:
        decisions = [hit(key, limit=3, window_seconds=60) for _ in range(4)]

        assert [one.allowed for one in decisions] == [True, True, True, False]
        assert [one.remaining for one in decisions] == [2, 1, 0, 0]
        assert 50 <= decisions[3].retry_after_seconds <= 60

    def test_sec_33_is_atomic_under_racing_threads(self, key: str) -> None:
        with ThreadPoolExecutor(20) as pool:
            decisions = list(pool.map(lambda _: hit(key, limit=50, window_seconds=60), range(200)))

        assert sum(one.allowed for one in decisions) == 50

    def test_a_count_that_lost_its_expiry_ends_nevertheless(self, key: str) -> None:
        client = get_redis_connection("default")
        client.set(f"limit:{key}", 99)

        refused = hit(key, limit=3, window_seconds=60)

        assert not refused.allowed
        assert 0 < client.ttl(f"limit:{key}") <= 60

    def test_counts_again_after_redis_forgot_its_scripts(self, key: str) -> None:
        hit(key, limit=2, window_seconds=60)
        get_redis_connection("default").script_flush()

        assert hit(key, limit=2, window_seconds=60).remaining == 0


@pytest.mark.usefixtures("_breaker_reset")
class TestWithoutRedis:
    def test_sec_33_the_limit_holds_within_the_process(self, settings: Settings, key: str) -> None:
        point_redis_at(settings, REFUSED_PORT)

        decisions = [hit(key, limit=3, window_seconds=60) for _ in range(5)]

        assert [one.allowed for one in decisions] == [True, True, True, False, False]
        assert 50 <= decisions[3].retry_after_seconds <= 60

    def test_sec_33_a_silent_redis_costs_one_timeout_and_not_one_per_hit(
        self, settings: Settings, silent_port: int, key: str
    ) -> None:
        options = {**settings.CACHES["default"]["OPTIONS"], "SOCKET_TIMEOUT": 0.2}
        settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "OPTIONS": options}}
        point_redis_at(settings, silent_port)
        hit(key, limit=1000, window_seconds=60)

        started = time.monotonic()
        for _ in range(500):
            hit(key, limit=1000, window_seconds=60)

        assert time.monotonic() - started < 40, "five hundred timeouts would be 100 s"

    def test_sec_33_redis_is_asked_again_once_the_pause_is_over(self, settings: Settings, key: str) -> None:
        good = settings.CACHES
        point_redis_at(settings, REFUSED_PORT)
        hit(key, limit=3, window_seconds=60)
        assert not limits._breaker.closed()
        settings.CACHES = good
        limits._breaker.open_until = time.monotonic()

        assert hit(key, limit=3, window_seconds=60).remaining == 2
        assert int(get_redis_connection("default").get(f"limit:{key}")) == 1


class TestLocalCounts:
    def test_a_window_opens_with_its_first_hit_and_ends(self) -> None:
        clock = iter([100.0, 130.0, 161.0])
        counts = LocalCounts(10, clock=lambda: next(clock))

        assert [counts.count("a", 60) for _ in range(3)] == [(1, 60.0), (2, 30.0), (1, 60.0)]

    def test_a_flood_of_keys_stays_within_its_memory(self) -> None:
        counts = LocalCounts(100)
        for number in range(1000):
            counts.count(str(number), 60)

        assert len(counts.windows) == 100
        assert "999" in counts.windows
