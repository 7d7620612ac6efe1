"""A value that thousands want at once is made once: `core.cache`."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import redis
from django_redis import get_redis_connection
from redis.backoff import NoBackoff
from redis.retry import Retry

import core.cache
import core.valkey
from core.cache import PREFIX, Cache, StillBeingMadeError
from core.valkey import QuickValkey

THREADS, PROCESSES = 20, 4
PATIENCE = 90.0


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept without Valkey, and how long it is left alone, must not run out in the middle of a test."""
    monkeypatch.setattr(core.cache, "LOCAL_SECONDS", PATIENCE)
    monkeypatch.setattr(core.valkey, "SILENT_SECONDS", PATIENCE)


@pytest.fixture
def key() -> str:
    return f"test-{uuid4()}"


class Maker:
    """Says who made what, and takes as long as it is told."""

    def __init__(self) -> None:
        self.made = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.began = threading.Event()
        self.lock = threading.Lock()

    def end_soon(self) -> None:
        assert self.began.wait(PATIENCE)
        self.may_end.set()

    def __call__(self) -> list[int]:
        with self.lock:
            self.made += 1
            number = self.made
        self.began.set()
        assert self.may_end.wait(PATIENCE)
        return [number]


def patient() -> QuickValkey:
    """On a busy machine an answer takes longer than a page would wait for."""
    return QuickValkey(get_redis_connection("default"))


def away() -> QuickValkey:
    return QuickValkey(redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)))


def all_at_once(work: Callable[[int], Any]) -> list[Any]:
    start = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        start.wait(PATIENCE)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


class TestManyAtOnce:
    def test_of_several_processes_make_one(self, key: str) -> None:
        """Each Cache is what a process has; the real Valkey is between them."""
        processes = [Cache(patient()) for _ in range(PROCESSES)]
        make = Maker()
        make.may_end.clear()
        threading.Thread(target=make.end_soon).start()

        answers = all_at_once(
            lambda n: processes[n % PROCESSES].remember(key, make, seconds=60, patience_seconds=PATIENCE)
        )

        assert (answers, make.made) == ([[1]] * THREADS, 1)

    def test_without_valkey_make_one_in_each_process(self, key: str) -> None:
        processes = [Cache(away()) for _ in range(PROCESSES)]
        make = Maker()

        answers = all_at_once(
            lambda n: processes[n % PROCESSES].remember(key, make, seconds=60, patience_seconds=PATIENCE)
        )

        assert make.made == PROCESSES
        assert sorted({answer[0] for answer in answers}) == [1, 2, 3, 4]

    def test_after_valkey_was_emptied_make_one_again(self, key: str) -> None:
        cache, make = Cache(patient()), Maker()
        assert cache.remember(key, make, seconds=60) == [1]
        get_redis_connection("default").delete(PREFIX + key)

        assert (
            all_at_once(lambda _: cache.remember(key, make, seconds=60, patience_seconds=PATIENCE)) == [[2]] * THREADS
        )


class TestStale:
    def test_is_good_enough_for_all_but_the_one_who_makes_the_next(self, key: str) -> None:
        cache, elsewhere, make = Cache(patient()), Cache(patient()), Maker()
        cache.remember(key, make, seconds=0, stale_seconds=300)
        make.began.clear()
        make.may_end.clear()
        renewing = threading.Thread(target=cache.remember, args=(key, make), kwargs={"seconds": 60})
        renewing.start()
        assert make.began.wait(PATIENCE)

        assert [one.remember(key, make, seconds=60) for one in (cache, elsewhere)] == [[1], [1]]

        make.may_end.set()
        renewing.join(PATIENCE)
        assert (elsewhere.remember(key, make, seconds=60), make.made) == ([2], 2)


class TestTrouble:
    def test_a_process_that_dies_while_it_makes_it_holds_the_others_up_for_the_life_of_its_lock_only(
        self, key: str
    ) -> None:
        """A real one, killed in the middle."""
        context = multiprocessing.get_context("fork")
        begun = context.Event()

        def die() -> None:
            def make() -> None:
                begun.set()
                time.sleep(PATIENCE)

            Cache().remember(key, make, seconds=60, patience_seconds=1.0)

        process = context.Process(target=die, daemon=True)
        process.start()
        assert begun.wait(PATIENCE)
        process.kill()
        process.join(PATIENCE)

        assert Cache(patient()).remember(key, lambda: "mine", seconds=60, patience_seconds=30.0) == "mine"

    def test_one_that_takes_for_ever_is_not_joined_by_others(self, key: str) -> None:
        cache, elsewhere, make = Cache(patient()), Cache(patient()), Maker()
        make.may_end.clear()
        slow = threading.Thread(
            target=cache.remember, args=(key, make), kwargs={"seconds": 60, "patience_seconds": PATIENCE}
        )
        slow.start()
        assert make.began.wait(PATIENCE)
        for one in (cache, elsewhere):
            with pytest.raises(StillBeingMadeError):
                one.remember(key, make, seconds=60, patience_seconds=0.2)
        assert make.made == 1
        make.may_end.set()
        slow.join(PATIENCE)

    def test_what_making_raises_reaches_the_caller_and_the_next_one_tries_again(self, key: str) -> None:
        cache = Cache(patient())
        with pytest.raises(ZeroDivisionError):
            cache.remember(key, lambda: 1 // 0, seconds=60)
        assert cache.remember(key, lambda: 2, seconds=60) == 2
        assert get_redis_connection("default").exists(f"{PREFIX}{key}:lock") == 0

    def test_nothing_is_kept_too_but_shortly(self, key: str) -> None:
        cache, made = Cache(patient()), []
        for _ in range(3):
            assert cache.remember(key, lambda: made.append(1), seconds=3_600, empty_seconds=30) is None
        assert len(made) == 1
        assert 0 < get_redis_connection("default").pttl(PREFIX + key) <= 30_000

    def test_forgotten_is_made_again(self, key: str) -> None:
        cache, make = Cache(patient()), Maker()
        cache.remember(key, make, seconds=60)
        cache.forget(key)
        assert cache.remember(key, make, seconds=60) == [2]

    def test_without_valkey_nobody_waits_for_it_every_time(self, key: str) -> None:
        class Counting(redis.Redis):
            asked = 0

            def execute_command(self, *args: Any, **options: Any) -> Any:
                Counting.asked += 1
                return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

            def pipeline(self, *args: Any, **options: Any) -> Any:
                Counting.asked += 1
                return super().pipeline(*args, **options)

        cache = Cache(QuickValkey(Counting(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))))
        answers = [cache.remember(key, os.getpid, seconds=60) for _ in range(50)]
        assert set(answers) == {os.getpid()}
        assert Counting.asked == 1
