"""Beat and workers that nobody can ask leave signs of life, in the real processes; whoever is gone falls silent."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import redis
from django.conf import settings
from redbeat.schedulers import acquire_distributed_beat_lock

from core import signs
from core.processes import wait_until
from lms import deafness
from lms.beat import Scheduler
from lms.celery import app
from operations.domain import gauges
from operations.domain.checkup import site
from operations.domain.checkup.report import Verdict
from operations.tasks import tend_capacity

WAIT_SECONDS = 90.0


@pytest.fixture(autouse=True)
def valkey() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


def numbers() -> dict[tuple[str, str], float]:
    samples = [one for metric in gauges.Site().collect() for one in metric.samples]
    return {(one.name, one.labels.get("queue", "")): one.value for one in samples}


@contextmanager
def a_worker(queue: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "lms.celery", "worker", "--concurrency=1"]
    command += ["--without-mingle", "--without-gossip", "--without-heartbeat", "-Q", queue, "-n", "one@%h"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=dict(os.environ), start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.wait(WAIT_SECONDS)


class Service:
    """What `celery beat` hands to those who wait for its beginning."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler


def test_nobody_was_heard_of_and_that_is_an_alarm_not_a_gap() -> None:
    found = numbers()

    assert found["lms_beat_silent_seconds", ""] == float("inf")
    assert {found["lms_worker_silent_seconds", queue] for queue in gauges.QUEUES} == {float("inf")}
    assert {found["lms_workers", queue] for queue in gauges.QUEUES} == {0}
    lines = {line.name: line for line in site.signs_of_life()}
    assert lines["sign of beat"].verdict is lines["sign of transcoder"].verdict is Verdict.PROBLEM
    assert lines["sign of worker"].text.startswith("never")


def test_beat_leaves_one_with_each_pass(valkey: redis.Redis) -> None:
    scheduler = Scheduler(app=app)
    acquire_distributed_beat_lock(Service(scheduler))
    try:
        assert signs.read(valkey, queues=()).beat_seconds == signs.NEVER
        assert scheduler.tick() <= settings.CELERY_BEAT_MAX_LOOP_INTERVAL
        assert signs.read(valkey, queues=()).beat_seconds < WAIT_SECONDS
    finally:
        scheduler.close()
    assert f"{Scheduler.__module__}.{Scheduler.__name__}" == settings.CELERY_BEAT_SCHEDULER


def test_a_worker_is_seen_and_falls_silent_when_it_is_killed(valkey: redis.Redis) -> None:
    with a_worker("media") as process:
        assert wait_until(
            lambda: process.poll() is not None or numbers()["lms_workers", "media"] == 1, seconds=WAIT_SECONDS
        )
        assert process.poll() is None, "it did not come up"
        found = numbers()
        assert found["lms_worker_silent_seconds", "media"] < WAIT_SECONDS
        assert found["lms_worker_taken_seconds", "media"] == float("inf")
        assert found["lms_workers", "default"] == 0
        os.killpg(process.pid, 9)
        process.wait(WAIT_SECONDS)

        before = signs.read(valkey, queues=["media"]).queues["media"].silent_seconds
        assert wait_until(
            lambda: signs.read(valkey, queues=["media"]).queues["media"].silent_seconds > before, seconds=WAIT_SECONDS
        )


def test_a_worker_tells_when_it_took_a_task(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deafness, "LOOK_SECONDS", 0.02)
    over = threading.Event()

    def long() -> signs.Queue:
        return signs.read(valkey, queues=["long"]).queues["long"]

    ear = deafness.listen(name="one@here", queues=["long"], over=over)
    try:
        assert wait_until(lambda: long().workers == 1, seconds=WAIT_SECONDS)
        assert long().taken_seconds == signs.NEVER
        ear.hear()
        assert wait_until(lambda: long().taken_seconds < WAIT_SECONDS, seconds=WAIT_SECONDS)
    finally:
        over.set()


def test_one_that_is_long_gone_is_no_worker(valkey: redis.Redis) -> None:
    signs.leave_of_worker(valkey, name="one@here", queues=["default", "long"], took=False)
    valkey.zadd("{signs}:workers:default", {"one@here": time.time() - 600, "another@here": time.time() - 300})

    found = signs.read(valkey, queues=gauges.QUEUES).queues

    assert (found["default"].workers, found["long"].workers, found["media"].workers) == (0, 1, 0)
    assert 290 < found["default"].silent_seconds < 400


def test_the_first_task_that_waits_tells_since_when(valkey: redis.Redis) -> None:
    tend_capacity.apply_async(queue="default")
    message = json.loads(cast("bytes", valkey.rpop("default")))
    message["headers"]["sent_at"] -= 300
    valkey.rpush("default", json.dumps(message))
    tend_capacity.apply_async(queue="default")

    found = numbers()

    assert found["lms_queue_waiting", "default"] == 2
    assert 299 < found["lms_queue_oldest_seconds", "default"] < 300 + WAIT_SECONDS
    assert found["lms_queue_oldest_seconds", "long"] == 0
    lines = {line.name: line for line in site.signs_of_life()}
    assert lines["oldest task"].verdict is Verdict.PROBLEM


@pytest.mark.parametrize("message", ["no message", "[]", '{"headers": {}}', '{"headers": {"sent_at": null}}'])
def test_what_says_nothing_of_its_age_has_none(valkey: redis.Redis, message: Any) -> None:
    """Of an older release, for the minutes in which both run."""
    valkey.rpush("default", message)

    assert signs.read(valkey, queues=["default"]).queues["default"].oldest_seconds == 0
