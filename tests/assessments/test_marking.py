"""People mark what no key can; and a key that was wrong is corrected for everybody."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from assessments.domain.marking import (
    MarkingError,
    NotInDisputeError,
    OwnAnswerError,
    PointsError,
    mark_by_hand,
)
from assessments.domain.marking_desk import desk_of, take_next
from assessments.domain.remarking import (
    NoReasonError,
    SameKeyError,
    correct_key,
    mark_again,
    preview_correction,
)
from assessments.enums import AttemptState, Outcome
from assessments.items.base import ItemError
from assessments.models import Attempt, ItemVersion, KeyRevision, Quiz, ScoreChange
from core.clock import now
from courses.models import LessonCompletion
from tests.assessments.sitting import choose, hand_in, start
from tests.assessments.written import essay_quiz, open_of, write
from tests.factories.accounts import UserFactory
from tests.factories.assessments import SINGLE, candidate_of, make_quiz

pytestmark = pytest.mark.django_db
TWO = Decimal(2)  # of four


class TestMarking:
    def test_an_essay_waits_for_a_person_and_then_the_attempt_is_finished(self) -> None:
        quiz = essay_quiz(pass_percent=50)
        attempt = write(quiz)
        assert (attempt.state, attempt.score, attempt.is_passed) == (AttemptState.SUBMITTED, None, None)
        marker = UserFactory()
        assert (desk_of(quiz=quiz, marker=marker).mine, take_next(quiz=quiz, marker=marker)) == (1, open_of(attempt))
        mark_by_hand(answer_id=open_of(attempt).pk, marker=marker, points=TWO, comment="Good")
        attempt.refresh_from_db()
        assert (attempt.state, attempt.score, attempt.is_passed, attempt.counts) == ("marked", 3, True, True)
        assert desk_of(quiz=quiz, marker=marker).all == 0

    def test_two_who_agree_decide_by_their_mean(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two = UserFactory(), UserFactory()
        mark_by_hand(answer_id=open_of(attempt).pk, marker=one, points=TWO)
        assert take_next(quiz=quiz, marker=one) is None
        assert take_next(quiz=quiz, marker=two) == open_of(attempt)
        mark_by_hand(answer_id=open_of(attempt).pk, marker=two, points=Decimal("2.8"))
        attempt.refresh_from_db()
        assert attempt.score == 1 + 4 * Decimal("0.6")

    def test_two_who_disagree_leave_it_to_a_third(self) -> None:
        quiz = essay_quiz(markers_needed=2)
        attempt = write(quiz)
        one, two, third = (UserFactory() for _ in range(3))
        with pytest.raises(NotInDisputeError):
            mark_by_hand(answer_id=open_of(attempt).pk, marker=third, points=TWO, decides=True)
        for marker, points in ((one, Decimal(0)), (two, Decimal(4))):
            mark_by_hand(answer_id=open_of(attempt).pk, marker=marker, points=points)
        desk = desk_of(quiz=quiz, marker=third)
        assert (desk.disputed, desk.mine) == (1, 0)
        assert take_next(quiz=quiz, marker=third, disputed=True) == open_of(attempt)
        attempt.refresh_from_db()
        assert attempt.state == AttemptState.SUBMITTED
        mark_by_hand(answer_id=open_of(attempt).pk, marker=third, points=TWO, decides=True)
        attempt.refresh_from_db()
        assert attempt.score == 3

    def test_nobody_marks_their_own_answer_nor_more_than_there_is_nor_what_is_decided(self) -> None:
        quiz = essay_quiz()
        user = candidate_of(quiz)
        attempt = write(quiz, user)
        with pytest.raises(OwnAnswerError):
            mark_by_hand(answer_id=open_of(attempt).pk, marker=user, points=TWO)
        assert take_next(quiz=quiz, marker=user) is None
        for points in (Decimal("-0.1"), Decimal("4.01")):
            with pytest.raises(PointsError):
                mark_by_hand(answer_id=open_of(attempt).pk, marker=UserFactory(), points=points)
        mark_by_hand(answer_id=open_of(attempt).pk, marker=UserFactory(), points=TWO)
        with pytest.raises(MarkingError):
            mark_by_hand(answer_id=open_of(attempt).pk, marker=UserFactory(), points=TWO)


def corrected(right: str) -> dict[str, Any]:
    return {**SINGLE["key"], "right": right}


def version_at(quiz: Quiz, position: int) -> ItemVersion:
    ids = quiz.sections.get().picks.order_by("position").values_list("item__version", flat=True)
    return ItemVersion.objects.select_related("item").get(pk=ids[position])


class TestCorrectingAKey:
    def sat(self, quiz: Quiz, *choices: str) -> Attempt:
        attempt = start(quiz, candidate_of(quiz))
        for position, choice in enumerate(choices):
            choose(attempt, position, choice)
        return hand_in(attempt)

    def test_the_preview_says_who_changes_and_changes_nothing(self) -> None:
        quiz = make_quiz(items=2, pass_percent=100)
        loses, gains, same = self.sat(quiz, "b", "b"), self.sat(quiz, "c", "b"), self.sat(quiz, "a", "b")
        changes = preview_correction(version=version_at(quiz, 0), key=corrected("c")).changes
        assert {
            (one.attempt_id, one.score_before, one.score_after, one.was_passed, one.is_passed) for one in changes
        } == {
            (loses.pk, 2, 1, True, False),
            (gains.pk, 1, 2, False, True),
        }
        same.refresh_from_db()
        loses.refresh_from_db()
        assert (loses.score, same.score, KeyRevision.objects.count()) == (2, 1, 0)

    def test_everybody_is_marked_again_with_a_trail_and_no_completion_is_taken_away(self) -> None:
        quiz = make_quiz(items=2, pass_percent=100, completes_by="passing")
        loses, gains, same = self.sat(quiz, "b", "b"), self.sat(quiz, "c", "b"), self.sat(quiz, "a", "b")
        still_open = start(quiz, candidate_of(quiz))
        choose(still_open, 0, "c")
        actor = UserFactory()
        correct_key(version=version_at(quiz, 0), key=corrected("c"), reason="Two experts say C", actor=actor, now=now())
        assert mark_again() == 3
        assert mark_again() == 0
        scores = [Attempt.objects.get(pk=one.pk).score for one in (loses, gains, same)]
        assert scores == [1, 2, 1]
        trail = ScoreChange.objects.order_by("attempt").values_list("attempt", "score_before", "score_after", "by")
        assert list(trail) == [(loses.pk, 2, 1, actor.pk), (gains.pk, 1, 2, actor.pk)]
        completed = set(LessonCompletion.objects.values_list("user_id", flat=True))
        assert completed == {loses.user_id, gains.user_id}
        hand_in(still_open)
        assert Attempt.objects.get(pk=still_open.pk).score == 1
        assert mark_again() == 0

    def test_a_second_correction_stands_on_the_first(self) -> None:
        quiz = make_quiz(items=1)
        attempt = self.sat(quiz, "d")
        for right in ("c", "d"):
            correct_key(
                version=version_at(quiz, 0), key=corrected(right), reason="Once more", actor=UserFactory(), now=now()
            )
        mark_again()
        attempt.refresh_from_db()
        assert attempt.score == 1
        assert list(KeyRevision.objects.values_list("number", flat=True)) == [1, 2]

    def test_what_a_person_has_marked_stands(self) -> None:
        quiz = essay_quiz()
        attempt = write(quiz)
        mark_by_hand(answer_id=open_of(attempt).pk, marker=UserFactory(), points=TWO)
        rubric = [{"id": "a", "text": "Reasoning and style", "points": "4"}]
        version = version_at(quiz, 1)
        correct_key(version=version, key={"rubric": rubric}, reason="Clearer", actor=UserFactory(), now=now())
        mark_again()
        attempt.refresh_from_db()
        assert (attempt.score, open_of(attempt).outcome) == (3, Outcome.PARTLY)

    def test_a_correction_needs_a_reason_a_difference_and_a_sound_key(self) -> None:
        quiz = make_quiz(items=1)
        version, actor = version_at(quiz, 0), UserFactory()
        with pytest.raises(NoReasonError):
            correct_key(version=version, key=corrected("c"), reason="  ", actor=actor, now=now())
        with pytest.raises(SameKeyError):
            correct_key(version=version, key=corrected("b"), reason="why", actor=actor, now=now())
        with pytest.raises(ItemError):
            correct_key(version=version, key=corrected("z"), reason="why", actor=actor, now=now())
        assert not KeyRevision.objects.exists()

    def test_versions_corrections_and_the_trail_cannot_be_rewritten(self) -> None:
        quiz = make_quiz(items=1)
        self.sat(quiz, "c")
        correct_key(version=version_at(quiz, 0), key=corrected("c"), reason="Why", actor=UserFactory(), now=now())
        mark_again()
        for model in (ItemVersion, KeyRevision, ScoreChange):
            row = model.objects.get()
            with pytest.raises(DatabaseError), transaction.atomic():
                row.save()
            with pytest.raises(DatabaseError), transaction.atomic():
                model.objects.filter(pk=row.pk)._raw_delete(using="default")
