"""What an operator does to one doctor's test: extra time and attempts, an early end, a strike."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AuditEvent, User
from assessments.domain.interventions import (
    InterventionError,
    NoDoctorError,
    NotOpenError,
    ReasonMissingError,
    StruckOutError,
    TooMuchError,
    end_attempt,
    give_extra,
    strike_out,
)
from assessments.domain.overview import overview_of
from assessments.domain.pausing import hold_test, resume_test
from assessments.domain.ranking import refresh_ranking
from assessments.domain.saving import FinishedError
from assessments.domain.starting import NoAttemptLeftError
from assessments.domain.submitting import submit_overdue
from assessments.enums import AttemptState, CompletesBy, Counting, EndedBy, Review
from assessments.models import Attempt, Candidate, Place, Quiz, ScoreChange
from core.clock import database_now, now
from courses.enums import EnrolmentStatus
from courses.models import LessonCompletion
from tests.assessments.ranked import marked
from tests.assessments.sitting import choose, hand_in, make_older, start
from tests.factories.accounts import UserFactory
from tests.factories.assessments import candidate_of, make_quiz
from tests.factories.courses import EnrolmentFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db
WHY: dict[str, Any] = {"reason": "Somebody else sat in"}


@pytest.fixture
def operator() -> User:
    user: User = UserFactory()
    return user


def sat(quiz: Quiz, user: User, right: int) -> Attempt:
    """Handed in with so many right answers."""
    attempt = start(quiz, user)
    for position in range(right):
        choose(attempt, position, "b")
    return hand_in(attempt)


def counting(quiz: Quiz) -> list[int]:
    return list(Attempt.objects.filter(quiz=quiz, counts=True).values_list("number", flat=True))


class TestStriking:
    @pytest.mark.parametrize(("rule", "next_best"), [(Counting.BEST, 1), (Counting.LAST, 2), (Counting.FIRST, 1)])
    def test_the_next_one_counts(self, operator: User, rule: str, next_best: int) -> None:
        quiz = make_quiz(counting=rule)
        user = candidate_of(quiz)
        attempts = [sat(quiz, user, right) for right in (2, 1, 3)]
        struck = strike_out(attempt_id=attempts[2].pk, actor=operator, **WHY)
        assert (struck.state, struck.counts, struck.score) == (AttemptState.VOID, False, 3)
        assert counting(quiz) == [next_best]

    def test_the_only_one_leaves_nobody_and_gives_the_attempt_back(self, operator: User) -> None:
        quiz = make_quiz(attempts_allowed=1)
        user = candidate_of(quiz)
        attempt = sat(quiz, user, 3)
        strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        assert counting(quiz) == []
        again = sat(quiz, user, 1)
        assert (again.number, counting(quiz)) == (2, [2])
        with pytest.raises(NoAttemptLeftError):
            start(quiz, user)

    def test_an_open_one_ends_unmarked_and_takes_no_answer_any_more(self, operator: User) -> None:
        quiz = make_quiz()
        attempt = start(quiz, candidate_of(quiz))
        choose(attempt, 0, "b")
        struck = strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        assert (struck.state, struck.score, struck.ended_by) == (AttemptState.VOID, None, EndedBy.OPERATOR)
        with pytest.raises(FinishedError):
            choose(attempt, 1, "b")
        assert hand_in(attempt).state == AttemptState.VOID
        assert submit_overdue() == 0
        assert not LessonCompletion.objects.exists()

    def test_what_was_completed_stays_and_what_was_not_is_not(self, operator: User) -> None:
        quiz = make_quiz(completes_by=CompletesBy.PASSING, pass_percent=100)
        user, other = candidate_of(quiz), candidate_of(quiz)
        strike_out(attempt_id=sat(quiz, user, 3).pk, actor=operator, **WHY)
        strike_out(attempt_id=sat(quiz, other, 1).pk, actor=operator, **WHY)
        assert list(LessonCompletion.objects.values_list("user", flat=True)) == [user.pk]

    def test_one_that_was_passed_opens_no_answers(self, operator: User) -> None:
        """Answers are shown once it is passed: by an attempt that stands."""
        quiz = make_quiz(pass_percent=100, marks_when=Review.DONE, attempts_allowed=3)
        user = candidate_of(quiz)
        sat(quiz, user, 0)
        passed = sat(quiz, user, 3)
        assert [one.shows_marks for one in overview_of(quiz=quiz, user=user, now=now()).past] == [True, True]
        strike_out(attempt_id=passed.pk, actor=operator, **WHY)
        assert [one.shows_marks for one in overview_of(quiz=quiz, user=user, now=now()).past] == [False]

    def test_the_ranking_follows(self, operator: User) -> None:
        quiz = make_quiz(has_ranking=True)
        attempts = [marked(quiz, score) for score in range(6)]
        refresh_ranking(quiz_id=quiz.pk, now=now())
        strike_out(attempt_id=attempts[5].pk, actor=operator, **WHY)
        refresh_ranking(quiz_id=quiz.pk, now=now() + timedelta(hours=1))
        first = Place.objects.get(place=1)
        assert (first.attempt_id, first.of) == (attempts[4].pk, 5)

    def test_the_last_one_leaves_an_empty_ranking(self, operator: User) -> None:
        quiz = make_quiz(has_ranking=True)
        attempt = marked(quiz, 5)
        refresh_ranking(quiz_id=quiz.pk, now=now())
        strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        refresh_ranking(quiz_id=quiz.pk, now=now() + timedelta(hours=1))
        assert not Place.objects.exists()

    def test_the_doctor_is_told_and_shown_nothing(self, operator: User) -> None:
        quiz = make_quiz(attempts_allowed=1)
        attempt = sat(quiz, candidate_of(quiz), 3)
        strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        page = signed_in(attempt.user).get(f"/attempts/{attempt.pk}/result/").content.decode()
        assert "This attempt does not count" in page
        assert ("SECRET" in page, "Option B" in page, WHY["reason"] in page) == (False, False, False)

    def test_it_says_why_and_is_done_once(self, operator: User) -> None:
        quiz = make_quiz(pass_percent=50)
        attempt = sat(quiz, candidate_of(quiz), 3)
        with pytest.raises(ReasonMissingError):
            strike_out(attempt_id=attempt.pk, reason=" \n", actor=operator)
        strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        with pytest.raises(StruckOutError):
            strike_out(attempt_id=attempt.pk, actor=operator, **WHY)
        trail = ScoreChange.objects.get()
        assert (trail.by, trail.reason, trail.score_before, trail.score_after) == (operator, WHY["reason"], 3, None)
        assert (trail.was_passed, trail.is_passed) == (True, None)
        event = AuditEvent.objects.get(action="attempt.struck_out")
        assert (event.actor, event.subject_id) == (operator, str(attempt.pk))
        assert (event.details["reason"], event.details["was"]) == (WHY["reason"], AttemptState.MARKED)


class TestEnding:
    def test_what_is_answered_is_handed_in(self, operator: User) -> None:
        quiz = make_quiz(time_limit_seconds=3600)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        choose(attempt, 0, "b")
        ended = end_attempt(attempt_id=attempt.pk, reason="The building is closing", actor=operator)
        assert (ended.state, ended.score, ended.ended_by) == (AttemptState.MARKED, 1, EndedBy.OPERATOR)
        assert LessonCompletion.objects.filter(user=user).exists()
        assert AuditEvent.objects.get(action="attempt.ended").details["reason"] == "The building is closing"
        with pytest.raises(NotOpenError):
            end_attempt(attempt_id=attempt.pk, reason="Again", actor=operator)

    def test_one_whose_time_was_over_has_ended_by_itself(self, operator: User) -> None:
        quiz = make_quiz(time_limit_seconds=60)
        attempt = start(quiz, candidate_of(quiz))
        make_older(attempt, 3600)
        ended = end_attempt(attempt_id=attempt.pk, reason="Late", actor=operator)
        assert (ended.ended_by, ended.submitted_at) == (EndedBy.DEADLINE, attempt.deadline_at)

    def test_without_a_reason_nothing_happens(self, operator: User) -> None:
        quiz = make_quiz()
        attempt = start(quiz, candidate_of(quiz))
        with pytest.raises(ReasonMissingError):
            end_attempt(attempt_id=attempt.pk, reason="", actor=operator)
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.OPEN


def give(quiz: Quiz, user: User, percent: int, attempts: int = 0, reason: str = "Granted on 3 May") -> Any:
    by = UserFactory()
    return give_extra(quiz=quiz, user=user, percent=percent, attempts=attempts, reason=reason, actor=by)


class TestExtra:
    def test_before_the_start_it_waits_for_the_doctor(self) -> None:
        quiz = make_quiz(time_limit_seconds=1000, attempts_allowed=1)
        user = EnrolmentFactory(programme=quiz.lesson.course.programme, status=EnrolmentStatus.INVITED).user
        given = give(quiz, user, 50, 1)
        assert (given.deadline_before, given.deadline_after) == (None, None)
        user.enrolments.update(status=EnrolmentStatus.ACTIVE)
        attempt = start(quiz, user)
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=1500)
        assert (attempt.allowed, attempt.time_limit_seconds) == (2, 1000)
        event = AuditEvent.objects.get(action="candidate.extra_given")
        assert event.details["after"] == {"percent": 50, "attempts": 1}

    def test_the_deadline_of_an_open_attempt_moves_as_if_it_had_been_there_at_the_start(self) -> None:
        quiz = make_quiz(time_limit_seconds=1000)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        for percent in (20, 20):
            give(quiz, user, percent)
            attempt.refresh_from_db()
            assert attempt.deadline_at == attempt.started_at + timedelta(seconds=1200)
        given = give(quiz, user, 50)
        ends = (given.deadline_before, given.deadline_after)
        assert ends == tuple(attempt.started_at + timedelta(seconds=seconds) for seconds in (1200, 1500))

    def test_less_never_takes_away_what_somebody_was_shown(self) -> None:
        quiz = make_quiz(time_limit_seconds=1000)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        give(quiz, user, 50)
        assert give(quiz, user, 0, reason="").deadline_after is None
        give(quiz, user, 40)
        attempt.refresh_from_db()
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=1500)
        assert Candidate.objects.get().extra_percent == 40

    def test_by_the_limit_that_the_attempt_began_with(self) -> None:
        quiz = make_quiz(time_limit_seconds=1000)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        Quiz.objects.update(time_limit_seconds=100)
        quiz.refresh_from_db()
        give(quiz, user, 100)
        attempt.refresh_from_db()
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=2000)

    def test_not_past_the_end_of_the_window(self) -> None:
        quiz = make_quiz(time_limit_seconds=1000)
        closes_at = now() + timedelta(seconds=1200)
        quiz.lesson.closes_at = closes_at
        quiz.lesson.save()
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        give(quiz, user, 100)
        attempt.refresh_from_db()
        assert attempt.deadline_at == closes_at

    def test_the_time_of_a_pause_is_kept(self, operator: User) -> None:
        quiz = make_quiz(time_limit_seconds=1000)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        pause = hold_test(quiz=quiz, reason="Fire alarm", actor=operator)
        pause.began_at -= timedelta(seconds=300)
        pause.save()
        make_older(attempt, 400)
        give(quiz, user, 10)
        resume_test(quiz=quiz, actor=operator)
        give(quiz, user, 20)
        attempt.refresh_from_db()
        pause.refresh_from_db()
        assert pause.ended_at is not None
        held = pause.ended_at - pause.began_at
        assert attempt.deadline_at == attempt.started_at + timedelta(seconds=1200) + held

    def test_one_that_is_over_stays_over(self) -> None:
        quiz = make_quiz(time_limit_seconds=100)
        user = candidate_of(quiz)
        attempt = start(quiz, user)
        make_older(attempt, 120)
        assert give(quiz, user, 300).deadline_after is None
        assert submit_overdue() == 1

    def test_without_a_time_limit_there_is_nothing_to_move(self) -> None:
        quiz = make_quiz()
        user = candidate_of(quiz)
        start(quiz, user)
        assert give(quiz, user, 50).deadline_after is None

    @pytest.mark.parametrize(
        ("percent", "attempts", "reason", "refusal"),
        [
            (10, 0, " ", ReasonMissingError),
            (301, 0, "x", TooMuchError),
            (0, 21, "x", TooMuchError),
            (-1, 0, "x", TooMuchError),
        ],
    )
    def test_what_is_refused(self, percent: int, attempts: int, reason: str, refusal: type[InterventionError]) -> None:
        quiz = make_quiz()
        with pytest.raises(refusal):
            give(quiz, candidate_of(quiz), percent, attempts, reason)
        assert not Candidate.objects.exists()

    def test_only_doctors_of_the_programme(self) -> None:
        quiz = make_quiz()
        withdrawn = EnrolmentFactory(programme=quiz.lesson.course.programme, status=EnrolmentStatus.WITHDRAWN).user
        for stranger in (EnrolmentFactory().user, withdrawn):
            with pytest.raises(NoDoctorError):
                give(quiz, stranger, 10)
        assert not AuditEvent.objects.exists()


def test_holding_and_going_on_are_recorded(operator: User) -> None:
    quiz = make_quiz()
    before = database_now()
    hold_test(quiz=quiz, reason="Fire alarm", actor=operator)
    hold_test(quiz=quiz, reason="Again", actor=operator)
    resume_test(quiz=quiz, actor=operator)
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor", "at")
    assert [(action, actor) for action, actor, _ in events] == [
        ("quiz.held", operator.pk),
        ("quiz.resumed", operator.pk),
    ]
    assert all(at >= before for *_, at in events)
