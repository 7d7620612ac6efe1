"""Two processes at once, with real connections and real commits."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connections

from core.ranges import seconds
from tests.webinars.watching import at, beat, coverage_of, make_enrolment, make_webinar, open_player, record_of
from webinars.domain.beats import Beat, BeatResult
from webinars.domain.watching import record_beats

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 15


def record_at_once(batches: Sequence[Sequence[Beat]], *, now: datetime) -> list[list[BeatResult]]:
    """Each batch in a thread with a connection of its own, all released in the same moment."""
    gate = threading.Barrier(len(batches))

    def run(batch: Sequence[Beat]) -> list[BeatResult]:
        try:
            gate.wait(30)
            return record_beats(batch, now=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(batches)) as pool:
        return list(pool.map(run, batches))


def test_processes_that_commit_the_same_people_in_opposite_orders_neither_deadlock_nor_lose() -> None:
    webinar = make_webinar(make_enrolment())
    enrolments = [make_enrolment() for _ in range(12)]
    for enrolment in enrolments:
        enrolment.programme = webinar.lesson.course.programme
        enrolment.save()
    sessions = [open_player(enrolment=enrolment, webinar=webinar) for enrolment in enrolments]
    for n in range(ROUNDS):
        first, second = (n * 20, n * 20 + 10), (n * 20 + 10, n * 20 + 20)
        batches = [
            [beat(one, first) for one in sessions],
            [beat(one, second) for one in reversed(sessions)],
            [beat(one, first) for one in sessions[::2] + sessions[1::2]],
        ]
        results = record_at_once(batches, now=at(3600))
        assert {result.refusal for batch in results for result in batch} == {None}
    assert {coverage_of(one) for one in sessions} == {((0, ROUNDS * 20),)}


def test_the_first_beats_of_a_record_may_come_from_several_processes() -> None:
    for _ in range(ROUNDS):
        session = open_player()
        batches = [[beat(session, span)] for span in ((0, 10), (20, 30), (0, 10))]
        record_at_once(batches, now=at(60))
        assert coverage_of(session) == ((0, 10), (20, 30))


def test_sec_30_claims_that_race_share_one_allowance() -> None:
    """Four processes each claim all that the clock allows; together they get it once."""
    for _ in range(ROUNDS):
        session = open_player()
        batches = [[beat(session, (start, start + 50))] for start in (0, 100, 200, 300)]
        record_at_once(batches, now=at(20))
        record = record_of(session)
        assert record.seen_seconds == seconds(record.coverage) == 50
