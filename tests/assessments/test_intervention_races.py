"""An operator acts while the doctor saves, hands in or begins. Real threads and transactions."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from assessments.domain.interventions import NotOpenError, end_attempt, give_extra, strike_out
from assessments.domain.pausing import hold_test, resume_test
from assessments.domain.saving import FinishedError, SaveError
from assessments.domain.starting import start_attempt
from assessments.domain.submitting import submit
from assessments.enums import AttemptState, EndedBy
from assessments.models import Answer, Attempt, Quiz
from core.clock import now
from core.processes import wait_until
from tests.assessments.sitting import choose, hand_in, start
from tests.assessments.test_races import PATIENCE, at_once
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz
from tests.meanwhile import somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Somebody else sat in"


@pytest.fixture
def operator() -> User:
    user: User = UserFactory()
    return user


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """What the second gives, which waits until the first is committed."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(second())
        except Exception as error:  # noqa: BLE001  # the test looks at it
            results.append(error)
        finally:
            connection.close()

    thread = Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        assert wait_until(somebody_waits, seconds=PATIENCE)
        assert not results
    thread.join(PATIENCE)
    return results[0]


def striking(attempt: Attempt, operator: User) -> Callable[[], Attempt]:
    return partial(strike_out, attempt_id=attempt.pk, reason=WHY, actor=operator)


def test_a_strike_waits_for_a_save_under_way_and_what_was_acknowledged_stays_to_be_read(operator: User) -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    struck = meanwhile(lambda: choose(attempt, 0, "b"), striking(attempt, operator))
    assert (struck.state, struck.counts) == (AttemptState.VOID, False)
    assert Answer.objects.get().value == {"choice": "b"}


def test_a_save_during_a_strike_is_refused_in_words(operator: User) -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    same = Attempt.objects.get(pk=attempt.pk)
    assert isinstance(meanwhile(striking(attempt, operator), lambda: choose(same, 0, "b")), FinishedError)
    assert not Answer.objects.exists()


def test_handing_in_during_a_strike_changes_nothing(operator: User) -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    found = meanwhile(striking(attempt, operator), lambda: submit(attempt_id=attempt.pk, by=EndedBy.PERSON))
    assert found.state == AttemptState.VOID
    assert not Attempt.objects.filter(counts=True).exists()


def test_a_strike_while_it_is_handed_in_strikes_what_was_handed_in(operator: User) -> None:
    quiz = make_quiz()
    user = candidate_of(quiz)
    first = hand_in(start(quiz, user))
    attempt = start(quiz, user)
    choose(attempt, 0, "b")
    struck = meanwhile(lambda: submit(attempt_id=attempt.pk, by=EndedBy.PERSON), striking(attempt, operator))
    assert (struck.state, struck.score) == (AttemptState.VOID, 1)
    assert Attempt.objects.get(counts=True).pk == first.pk


def test_an_end_while_it_is_handed_in_comes_too_late(operator: User) -> None:
    quiz = make_quiz()
    attempt = start(quiz, candidate_of(quiz))
    late = meanwhile(
        lambda: submit(attempt_id=attempt.pk, by=EndedBy.PERSON),
        lambda: end_attempt(attempt_id=attempt.pk, reason=WHY, actor=operator),
    )
    assert isinstance(late, NotOpenError)
    assert Attempt.objects.get().ended_by == EndedBy.PERSON


def test_a_new_attempt_begins_only_after_the_strike(operator: User) -> None:
    quiz = make_quiz(attempts_allowed=1)
    user = candidate_of(quiz)
    attempt = start(quiz, user)
    begun, is_new = meanwhile(striking(attempt, operator), lambda: start_attempt(quiz=quiz, user=user, now=now()))
    assert (begun.number, is_new) == (2, True)


def test_everything_at_once_leaves_one_state_and_at_most_one_that_counts(operator: User) -> None:
    for _ in range(5):
        quiz = make_quiz(attempts_allowed=1)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        results = at_once(
            *[striking(attempt, operator)] * 2,
            *[partial(submit, attempt_id=attempt.pk, by=EndedBy.PERSON)] * 2,
            partial(choose, Attempt.objects.get(pk=attempt.pk), 0, "b"),
            partial(end_attempt, attempt_id=attempt.pk, reason=WHY, actor=operator),
        )
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.VOID
        assert not Attempt.objects.filter(quiz=quiz, counts=True).exists()
        struck = [one for one in results[:2] if isinstance(one, Attempt)]
        assert len(struck) == 1
        saved = not isinstance(results[4], SaveError)
        assert Answer.objects.filter(attempt=attempt, value={"choice": "b"}).exists() == saved


def extra(quiz: Quiz, user: User, operator: User) -> Callable[[], Any]:
    return partial(give_extra, quiz=quiz, user=user, percent=50, attempts=0, reason=WHY, actor=operator)


def test_extra_time_and_the_time_of_a_pause_are_both_given_whichever_comes_first(operator: User) -> None:
    for resumes_first in (True, False):
        quiz = make_quiz(time_limit_seconds=1000)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        pause = hold_test(quiz=quiz, reason="Fire alarm", actor=operator)
        calls: list[Callable[[], Any]] = [partial(resume_test, quiz=quiz, actor=operator), extra(quiz, user, operator)]
        first, second = calls if resumes_first else calls[::-1]
        result = meanwhile(first, second)
        assert not isinstance(result, Exception)
        attempt.refresh_from_db()
        pause.refresh_from_db()
        assert pause.ended_at is not None
        held = pause.ended_at - pause.began_at
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=1500) + held


def test_extra_time_for_somebody_who_begins_at_this_moment_is_on_their_first_attempt(operator: User) -> None:
    quiz = make_quiz(time_limit_seconds=1000)
    user = candidate_of(quiz)
    begun, _ = meanwhile(extra(quiz, user, operator), lambda: start_attempt(quiz=quiz, user=user, now=now()))
    assert begun.deadline_at == begun.started_at + timedelta(seconds=1500)
