import inspect

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessments.domain import saving
from assessments.domain.pausing import hold_test
from assessments.domain.saving import (
    BadAnswerError,
    FinishedError,
    HeldError,
    NewerSavedError,
    NoSuchQuestionError,
    PassedByError,
    TimeUpError,
    go_on,
    save_answer,
)
from assessments.domain.submitting import submit_overdue
from assessments.enums import AttemptState, EndedBy, Outcome
from assessments.models import Answer, Attempt
from courses.models import LessonCompletion
from tests.assessments.sitting import choose, hand_in, make_older, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz

pytestmark = pytest.mark.django_db


def begin(**settings: object) -> Attempt:
    quiz = make_quiz(**settings)  # type: ignore[arg-type]
    return start(quiz, candidate_of(quiz))


def stored(attempt: Attempt) -> list[tuple[int, object, int]]:
    return list(attempt.answers.order_by("position").values_list("position", "value", "saved"))


class TestSaving:
    def test_an_answer_is_saved_by_one_statement(self) -> None:
        attempt = begin()
        choose(attempt, 0, "a")
        with CaptureQueriesContext(connection) as queries:
            choose(attempt, 0, "b", saved=2)
        assert len(queries) == 1
        assert stored(attempt) == [(0, {"choice": "b"}, 2)]

    def test_a_replay_is_the_same_success_and_changes_nothing(self) -> None:
        attempt = begin()
        first = choose(attempt, 0, "b", saved=3)
        assert choose(attempt, 0, "b", saved=3) == first
        assert stored(attempt) == [(0, {"choice": "b"}, 3)]

    def test_what_comes_out_of_order_never_overwrites_what_is_newer(self) -> None:
        attempt = begin()
        choose(attempt, 0, "c", saved=5)
        for saved, choice in ((4, "b"), (5, "b"), (1, None)):
            with pytest.raises(NewerSavedError) as refused:
                choose(attempt, 0, choice, saved=saved)
            assert refused.value.answer.value == {"choice": "c"}
        assert stored(attempt) == [(0, {"choice": "c"}, 5)]

    def test_taking_an_answer_back_is_a_save(self) -> None:
        attempt = begin()
        choose(attempt, 1, "c")
        save_answer(attempt=attempt, position=1, raw=None, saved=2)
        assert stored(attempt) == [(1, None, 2)]

    @pytest.mark.parametrize("raw", [{"choice": "z"}, {"choice": ["a"]}, "b", 7, [], {"choice": {"a": 1}}])
    def test_rubbish_is_refused_and_nothing_is_written(self, raw: object) -> None:
        attempt = begin()
        with pytest.raises(BadAnswerError):
            save_answer(attempt=attempt, position=0, raw=raw, saved=1)
        assert stored(attempt) == []

    @pytest.mark.parametrize(("position", "saved"), [(-1, 1), (3, 1), (0, 0), (0, -4), (0, 2**31)])
    def test_so_are_positions_and_numbers_that_do_not_exist(self, position: int, saved: int) -> None:
        attempt = begin()
        with pytest.raises(NoSuchQuestionError):
            choose(attempt, position, "a", saved=saved)
        assert stored(attempt) == []

    def test_the_deadline_and_its_grace_are_the_databases(self) -> None:
        attempt = begin(time_limit_seconds=60, grace_seconds=30)
        make_older(attempt, 70)
        choose(attempt, 0, "b")
        make_older(attempt, 30)
        with pytest.raises(TimeUpError):
            choose(attempt, 1, "b")
        assert stored(attempt) == [(0, {"choice": "b"}, 1)]

    def test_sec_29_the_clock_of_the_caller_decides_nothing(self) -> None:
        """There is no time in what the browser sends, nor in what the functions take."""
        takes = set(inspect.signature(saving.save_answer).parameters)
        assert takes == {"attempt", "position", "raw", "saved", "is_flagged", "seconds"}

    def test_nothing_is_saved_after_handing_in_but_a_lost_answer_to_a_save_is_given_again(self) -> None:
        attempt = begin()
        moment = choose(attempt, 0, "b")
        hand_in(attempt)
        assert choose(attempt, 0, "b") == moment
        with pytest.raises(FinishedError):
            choose(attempt, 0, "c", saved=2)
        with pytest.raises(FinishedError):
            choose(attempt, 1, "c")

    def test_while_the_test_is_held_nobody_saves(self) -> None:
        attempt = begin(time_limit_seconds=60)
        hold_test(quiz=attempt.quiz, reason="Fire alarm", actor=UserFactory())
        with pytest.raises(HeldError):
            choose(attempt, 0, "b")


class TestOneWay:
    def test_sec_29_there_is_no_way_back_and_none_ahead(self) -> None:
        attempt = begin(is_one_way=True)
        with pytest.raises(PassedByError):
            choose(attempt, 1, "b")
        choose(attempt, 0, "b")
        assert go_on(attempt=attempt, to=1) == 1
        assert go_on(attempt=attempt, to=1) == 1
        with pytest.raises(PassedByError):
            go_on(attempt=attempt, to=0)
        with pytest.raises(PassedByError):
            choose(attempt, 0, "c", saved=2)
        choose(attempt, 1, "c")
        assert stored(attempt) == [(0, {"choice": "b"}, 1), (1, {"choice": "c"}, 1)]


class TestHandingIn:
    def test_closed_questions_are_marked_at_once_and_the_lesson_is_completed(self) -> None:
        attempt = begin(points=2, pass_percent=50)
        choose(attempt, 0, "b")
        choose(attempt, 1, "a")
        done = hand_in(attempt)
        assert (done.state, done.score, done.is_passed, done.ended_by) == (
            AttemptState.MARKED,
            2,
            False,
            EndedBy.PERSON,
        )
        rows = Answer.objects.filter(attempt=attempt).order_by("position").values_list("outcome", "points")
        assert list(rows) == [(Outcome.RIGHT, 2), (Outcome.WRONG, 0), (Outcome.BLANK, 0)]
        completion = LessonCompletion.objects.get()
        assert completion.lesson_id == attempt.quiz.lesson_id
        assert completion.evidence["score"] == "2.0000"
        assert completion.evidence["of"] == "6.00"

    def test_handing_in_twice_is_handing_in_once(self) -> None:
        attempt = begin()
        first, second = hand_in(attempt), hand_in(attempt)
        assert first.submitted_at == second.submitted_at
        assert Answer.objects.filter(attempt=attempt).count() == 3

    def test_only_passing_completes_where_the_test_says_so(self) -> None:
        quiz = make_quiz(pass_percent=100, completes_by="passing")
        user = candidate_of(quiz)
        hand_in(start(quiz, user))
        assert not LessonCompletion.objects.exists()
        attempt = start(quiz, user)
        for position in range(3):
            choose(attempt, position, "b")
        hand_in(attempt)
        assert LessonCompletion.objects.get().evidence["number"] == 2

    def test_guessing_costs_what_the_test_says_and_no_sum_is_below_nothing(self) -> None:
        attempt = begin(wrong_share="0.333")
        choose(attempt, 0, "b")
        choose(attempt, 1, "a")
        assert hand_in(attempt).score is not None
        attempt.refresh_from_db()
        assert str(attempt.score) == "0.6670"
        low = begin(wrong_share="1")
        choose(low, 0, "a")
        assert hand_in(low).score == 0

    def test_the_sweep_hands_in_what_ran_out_and_nothing_else(self) -> None:
        quiz = make_quiz(time_limit_seconds=60)
        over, running = start(quiz, candidate_of(quiz)), start(quiz, candidate_of(quiz))
        choose(over, 0, "b")
        make_older(over, 100)
        assert submit_overdue() == 1
        over.refresh_from_db()
        running.refresh_from_db()
        assert (over.state, over.score, over.ended_by, running.state) == ("marked", 1, "deadline", "open")
        assert over.submitted_at == over.deadline_at
        assert submit_overdue() == 0

    def test_one_that_cannot_be_handed_in_holds_nobody_up(self, caplog: pytest.LogCaptureFixture) -> None:
        quiz = make_quiz(time_limit_seconds=60)
        broken, sound = start(quiz, candidate_of(quiz)), start(quiz, candidate_of(quiz))
        broken.paper["items"][0]["p"] = "no number"
        broken.save()
        for attempt in (broken, sound):
            make_older(attempt, 100)
        assert submit_overdue() == 1
        assert f"could not be handed in: {broken.pk}" in caplog.text
        states = dict(Attempt.objects.values_list("pk", "state"))
        assert states == {broken.pk: AttemptState.OPEN, sound.pk: AttemptState.MARKED}

    def test_it_leaves_a_test_that_is_held(self) -> None:
        attempt = begin(time_limit_seconds=60)
        make_older(attempt, 65)
        hold_test(quiz=attempt.quiz, reason="Fire alarm", actor=UserFactory())
        make_older(attempt, 60)
        assert submit_overdue() == 0

    @pytest.mark.parametrize(("counting", "chosen"), [("best", 2), ("first", 1), ("last", 3)])
    def test_one_attempt_counts(self, counting: str, chosen: int) -> None:
        quiz = make_quiz(counting=counting)
        user = candidate_of(quiz)
        for right in (0, 2, 1):
            attempt = start(quiz, user)
            for position in range(right):
                choose(attempt, position, "b")
            hand_in(attempt)
        assert list(Attempt.objects.filter(counts=True).values_list("number", flat=True)) == [chosen]
