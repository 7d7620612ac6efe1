"""Real threads: markers who ask, mark and change in the same moment."""

from decimal import Decimal

import pytest

from assessments.domain.marking import FasterError, MarkingError, change_mark, mark_by_hand
from assessments.domain.marking_desk import take_next
from assessments.domain.remarking import correct_key, mark_again
from assessments.models import Answer, Attempt, HandMark, MarkingTurn, ScoreChange
from core.clock import now
from tests.assessments.test_races import at_once
from tests.assessments.written import essay_quiz, marker_of, open_of, write

pytestmark = pytest.mark.django_db(transaction=True)


def test_markers_who_ask_in_the_same_moment_get_different_answers() -> None:
    quiz = essay_quiz()
    for _ in range(4):
        write(quiz)
    markers = [marker_of(quiz) for _ in range(6)]
    found = at_once(*[lambda marker=marker: take_next(quiz=quiz, marker=marker) for marker in markers])
    given = [one for one in found if one is not None]
    assert all(isinstance(one, Answer) for one in given)
    assert (len(given), len({one.pk for one in given}), found.count(None)) == (4, 4, 2)
    assert MarkingTurn.objects.count() == 4


def test_of_many_marks_in_the_same_moment_one_is_kept_and_the_others_are_told() -> None:
    quiz = essay_quiz()
    attempt = write(quiz)
    answer_id = open_of(attempt).pk
    markers = [marker_of(quiz) for _ in range(4)]
    results = at_once(
        *[
            lambda marker=marker, points=points: mark_by_hand(
                answer_id=answer_id, marker=marker, points=Decimal(points)
            )
            for points, marker in enumerate(markers)
        ]
    )
    assert sum(isinstance(one, Answer) for one in results) == 1
    assert sum(isinstance(one, FasterError) for one in results) == 3
    mark = HandMark.objects.get()
    assert Attempt.objects.get().score == 1 + mark.points


def test_a_double_click_marks_once() -> None:
    quiz = essay_quiz()
    attempt = write(quiz)
    marker, answer_id = marker_of(quiz), open_of(attempt).pk
    results = at_once(*[lambda: mark_by_hand(answer_id=answer_id, marker=marker, points=Decimal(2))] * 4)
    assert all(isinstance(one, Answer) for one in results)
    assert (HandMark.objects.count(), Attempt.objects.get().score) == (1, 3)


def test_a_changed_mark_and_a_corrected_key_at_once_leave_a_sum_of_what_stands() -> None:
    quiz = essay_quiz()
    attempt = write(quiz)
    marker, answer = marker_of(quiz), open_of(attempt)
    mark_by_hand(answer_id=answer.pk, marker=marker, points=Decimal(2))
    closed = attempt.answers.select_related("version__item").get(position=0).version
    key = {**closed.key, "right": "c"}
    correct_key(version=closed, key=key, reason="Experts say so", actor=marker, now=now())

    def change() -> Answer:
        return change_mark(answer_id=answer.pk, marker=marker, points=Decimal(4), reason="A slip")

    results = at_once(change, mark_again, mark_again)
    assert not any(isinstance(one, MarkingError) for one in results)
    assert Attempt.objects.get().score == 4
    trail = list(ScoreChange.objects.order_by("pk").values_list("score_before", "score_after"))
    assert (trail[0][0], trail[0][1], trail[1][1]) == (3, trail[1][0], 4)
