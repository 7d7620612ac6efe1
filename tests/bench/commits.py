"""Durable beat rows per second: the group commit at several batch sizes against `update_or_create` one by one."""

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from tests.bench.people import Audience
from webinars.domain.beats import read_beat
from webinars.domain.watching import record_beats
from webinars.models import PlaySession, WatchRecord

BATCHES = (1, 100, 1_000)


@dataclass(frozen=True)
class Commits:
    one_by_one: float
    rows_per_s: dict[int, float]

    @property
    def ratio(self) -> float:
        return self.rows_per_s[max(BATCHES)] / self.one_by_one


def measure_commits(audience: Audience, *, seconds: float) -> Commits:
    """Each way gets the same time, on records that exist already, as nearly all beats find them."""
    _record(audience.sessions, 0)
    ticks = itertools.count(1)

    def grouped(size: int) -> Callable[[], int]:
        return lambda: _record(random.sample(audience.sessions, size), next(ticks))

    naive = _rate(lambda: _upsert(random.choice(audience.sessions), next(ticks)), seconds)
    return Commits(naive, {size: _rate(grouped(size), seconds) for size in BATCHES})


def _rate(work: Callable[[], int], seconds: float) -> float:
    rows, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        rows += work()
    return rows / took


def _record(sessions: list[PlaySession], tick: int) -> int:
    start = tick % 350 * 10
    raw = {"n": tick, "s": [[start, start + 10]], "p": start + 10}
    beats = [read_beat(raw, user_id=one.user_id, webinar_id=one.webinar_id, session=str(one.pk)) for one in sessions]
    results = record_beats(beats, now=timezone.now())
    assert not [result for result in results if result.refusal], "a beat of the benchmark was refused"
    return len(results)


def _upsert(session: PlaySession, tick: int) -> int:
    end = tick % 350 * 10 + 10
    WatchRecord.objects.update_or_create(
        user_id=session.user_id,
        webinar_id=session.webinar_id,
        phase=session.phase,
        defaults={
            "coverage": ((0, end),),
            "seen_seconds": end,
            "position_seconds": end,
            "last_beat_at": timezone.now(),
        },
    )
    return 1
