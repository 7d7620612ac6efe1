"""Real threads and transactions: tabs, double clicks, a deadline in the middle of a save, handing in while saving."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from assessments.domain.saving import FinishedError, SaveError, TimeUpError, save_answer
from assessments.domain.starting import NoAttemptLeftError, start_attempt
from assessments.domain.submitting import submit, submit_overdue
from assessments.enums import AttemptState, EndedBy
from assessments.models import Answer, Attempt
from core.clock import now
from core.processes import wait_until
from tests.assessments.sitting import choose, hand_in, start
from tests.factories.assessments import candidate_of, make_quiz
from tests.meanwhile import somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Each call in a thread and connection of its own, started together. An exception is a result."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            with connection.cursor() as cursor:  # connected before the race starts
                cursor.execute("SELECT 1")
            barrier.wait(timeout=PATIENCE)
            return call()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [task.result(timeout=PATIENCE) for task in [pool.submit(run, call) for call in calls]]


def test_many_tabs_that_start_in_the_same_moment_start_one_attempt() -> None:
    quiz = make_quiz(attempts_allowed=1)
    for _ in range(5):
        user = candidate_of(quiz)
        found = at_once(*[lambda user=user: start_attempt(quiz=quiz, user=user, now=now()) for _ in range(6)])
        assert len({attempt.pk for attempt, _ in found}) == 1
        assert sum(is_new for _, is_new in found) == 1
    assert Attempt.objects.count() == 5


def test_the_limit_holds_when_tabs_start_and_hand_in_as_fast_as_they_can() -> None:
    quiz = make_quiz(attempts_allowed=2)
    user = candidate_of(quiz)

    def hurry() -> int:
        for tries in range(20):
            try:
                hand_in(start(quiz, user))
            except NoAttemptLeftError:
                return tries
        return -1

    results = at_once(*[hurry] * 4)
    assert all(isinstance(one, int) and one >= 0 for one in results)
    assert list(Attempt.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert Attempt.objects.filter(counts=True).count() == 1


def test_double_clicks_on_hand_in_hand_in_once() -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    choose(attempt, 0, "b")
    found = at_once(*[lambda: submit(attempt_id=attempt.pk, by=EndedBy.PERSON)] * 5, submit_overdue)
    assert {one.submitted_at for one in found[:5]} == {Attempt.objects.get().submitted_at}
    assert Answer.objects.count() == 3
    assert Attempt.objects.get().score == 1


def test_every_acknowledged_save_of_many_tabs_is_marked_and_the_newest_counts() -> None:
    quiz = make_quiz(items=4)
    attempt = start(quiz, candidate_of(quiz))

    def tab(start_at: int) -> list[tuple[int, int]]:
        acknowledged = []
        for step in range(20):
            position, saved = step % 4, start_at + step * 3 + 1
            mine = Attempt.objects.get(pk=attempt.pk)
            try:
                save_answer(attempt=mine, position=position, raw={"choice": "abcd"[saved % 4]}, saved=saved)
            except SaveError:
                continue
            acknowledged.append((position, saved))
        return acknowledged

    results = at_once(*[lambda number=number: tab(number) for number in range(3)])
    newest: dict[int, int] = {}
    for position, saved in (pair for tab_pairs in results for pair in tab_pairs):
        newest[position] = max(newest.get(position, 0), saved)
    stored = dict(attempt.answers.values_list("position", "saved"))
    assert stored == newest
    hand_in(attempt)
    right = sum("abcd"[saved % 4] == "b" for saved in newest.values())
    assert Attempt.objects.get().score == right


def test_handing_in_waits_for_a_save_under_way_and_marks_it() -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    ended: list[Attempt] = []

    def end() -> None:
        try:
            ended.append(submit(attempt_id=attempt.pk, by=EndedBy.PERSON))
        finally:
            connection.close()

    with transaction.atomic():
        choose(attempt, 0, "b")
        thread = Thread(target=end)
        thread.start()
        assert wait_until(somebody_waits, seconds=PATIENCE)
        assert not ended
    thread.join(PATIENCE)
    assert ended[0].score == 1


def test_a_save_that_comes_while_it_is_handed_in_is_refused_not_lost_silently() -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    results: list[Any] = []

    def late() -> None:
        try:
            results.append(choose(Attempt.objects.get(pk=attempt.pk), 0, "b"))
        except SaveError as error:
            results.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        submit(attempt_id=attempt.pk, by=EndedBy.PERSON)
        thread = Thread(target=late)
        thread.start()
        assert wait_until(somebody_waits, seconds=PATIENCE)
    thread.join(PATIENCE)
    assert isinstance(results[0], FinishedError)
    assert Attempt.objects.get().score == 0


def test_a_deadline_crossed_in_the_middle_of_a_save_keeps_what_was_in_time() -> None:
    """The time is over before the save is committed: the sweep waits for it, and what is acknowledged is marked."""
    quiz = make_quiz(time_limit_seconds=60, grace_seconds=0)
    attempt = start(quiz, candidate_of(quiz))
    swept: list[int] = []
    threads: list[Thread] = []

    def sweep(deadline: datetime) -> None:
        try:
            wait_until(lambda: now() > deadline + timedelta(seconds=1), seconds=PATIENCE)
            swept.append(submit_overdue())
        finally:
            connection.close()

    for seconds in (1, 8, 40):  # a machine that stands still for a second has missed the deadline before it saved
        deadline = now() + timedelta(seconds=seconds)
        Attempt.objects.filter(pk=attempt.pk).update(deadline_at=deadline)
        with suppress(TimeUpError), transaction.atomic():
            choose(attempt, 0, "b")
            threads.append(Thread(target=sweep, args=(deadline,)))
            threads[0].start()
            assert wait_until(somebody_waits, seconds=PATIENCE)
            assert not swept
            break
    threads[0].join(PATIENCE)
    assert swept == [1]
    with pytest.raises(FinishedError):
        choose(attempt, 1, "b")
    attempt.refresh_from_db()
    assert (attempt.state, attempt.score, attempt.ended_by) == (AttemptState.MARKED, 1, EndedBy.DEADLINE)
