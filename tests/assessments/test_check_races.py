"""Checks with real threads: opened on two desks, and closed while doctors start and save."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from assessments.domain.saving import SaveError, save_answer
from assessments.domain.starting import StartError, start_attempt
from assessments.domain.submitting import submit_overdue
from assessments.enums import AttemptState
from assessments.models import Answer, Attempt
from core.clock import now
from core.processes import wait_until
from tests.assessments.sitting import choose, make_older, start
from tests.assessments.test_checks import check_in, close, figures, open_
from tests.assessments.test_races import PATIENCE, at_once
from tests.meanwhile import somebody_waits
from tests.questions.world import World, doctor_of, make_world
from webinars.domain.checks import AnotherCheckOpenError
from webinars.models import RoomCheck, RoomEvent, Webinar

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    made = make_world()
    Webinar.objects.filter(pk=made.webinar.pk).update(starts_at=now() - timedelta(minutes=10))
    made.webinar = made.fresh()
    return made


def test_opened_on_several_desks_at_once_it_is_opened_once(world: World) -> None:
    quiz = check_in(world)
    found = at_once(*[lambda: open_(world, quiz).pk] * 5)
    assert set(found) == {RoomCheck.objects.get().pk}
    assert RoomEvent.objects.filter(kind="check").count() == 1


def test_of_two_checks_opened_in_the_same_moment_one_is_open(world: World) -> None:
    quizzes = [check_in(world), check_in(world)]
    found = at_once(*[lambda quiz=quiz: open_(world, quiz).pk for quiz in quizzes])
    assert sum(isinstance(one, int) for one in found) == 1
    assert sum(isinstance(one, AnotherCheckOpenError) for one in found) == 1


def test_closing_waits_for_a_save_under_way_and_what_was_acknowledged_is_marked(world: World) -> None:
    quiz = check_in(world, grace_seconds=0)
    open_(world, quiz)
    attempt = start(quiz, world.doctor)
    make_older(attempt, 5)
    threads = [Thread(target=_in_a_thread, args=(lambda: close(world, quiz),))]
    with transaction.atomic():
        choose(attempt, 0, "b")
        threads[0].start()
        assert wait_until(somebody_waits, seconds=PATIENCE)
    threads[0].join(PATIENCE)
    with pytest.raises(SaveError):
        choose(attempt, 1, "b")
    assert submit_overdue() == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.score) == (AttemptState.MARKED, 1)


def test_closing_waits_for_a_start_under_way_and_ends_it_with_the_others(world: World) -> None:
    quiz = check_in(world)
    open_(world, quiz)
    thread = Thread(target=_in_a_thread, args=(lambda: close(world, quiz),))
    with transaction.atomic():
        start(quiz, world.doctor)
        thread.start()
        assert wait_until(somebody_waits, seconds=PATIENCE)
    thread.join(PATIENCE)
    assert Attempt.objects.get().deadline_at is not None


def test_closed_while_everybody_starts_and_saves_nobody_goes_on_and_nothing_acknowledged_is_lost(world: World) -> None:
    quiz = check_in(world, grace_seconds=0)
    open_(world, quiz)
    doctors = [doctor_of(world.programme) for _ in range(4)]

    def hurry(user: Any) -> dict[int, int]:
        """Until there is no way on: the newest acknowledged number at each position."""
        acknowledged: dict[int, int] = {}
        try:
            attempt, _ = start_attempt(quiz=quiz, user=user, now=now())
            for saved in range(1, 10_000):
                save_answer(attempt=attempt, position=saved % 2, raw={"choice": "b"}, saved=saved)
                acknowledged[saved % 2] = saved
        except (StartError, SaveError):
            pass
        return acknowledged

    def end() -> None:
        wait_until(lambda: Answer.objects.count() >= 4, seconds=PATIENCE)
        close(world, quiz)

    *results, _ = at_once(*[lambda user=user: hurry(user) for user in doctors], end)
    assert wait_until(
        lambda: submit_overdue() >= 0 and not Attempt.objects.filter(state="open").exists(), seconds=PATIENCE
    )
    for user, acknowledged in zip(doctors, results, strict=True):
        kept = Answer.objects.filter(attempt__user=user, saved__gt=0).values_list("position", "saved")
        assert dict(kept) == acknowledged
        scores = list(Attempt.objects.filter(user=user).values_list("score", flat=True))
        assert scores == ([len(acknowledged)] if scores else [])
    assert figures(world, quiz).is_final


def _in_a_thread(work: Any) -> None:
    try:
        work()
    finally:
        connection.close()
