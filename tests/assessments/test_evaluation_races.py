"""Two tabs, two devices, an author at the last moment: real threads and transactions."""

import pytest

from assessments.domain.evaluation_forms import AnsweredError, FrozenError, save_evaluation, save_question
from assessments.domain.evaluations import AlreadyAnsweredError, ChangedError, IncompleteError
from assessments.models import Evaluation, EvaluationAnswer, EvaluationQuestion, EvaluationReceipt, EvaluationResponse
from courses.models import LessonCompletion
from tests.assessments.feedback import hand_in, questions_of
from tests.courses.test_completion_races import at_once
from tests.factories.assessments import candidate_of, make_evaluation

pytestmark = pytest.mark.django_db(transaction=True)


def test_four_tabs_that_hand_in_at_once_leave_one_answer() -> None:
    evaluation = make_evaluation()
    for _ in range(4):
        doctor = candidate_of(evaluation)
        results = at_once(*[lambda: hand_in(evaluation, user=doctor) for _ in range(4)])  # noqa: B023
        assert results.count(doctor) == 1
        assert sum(isinstance(one, AlreadyAnsweredError) for one in results) == 3
        assert EvaluationReceipt.objects.filter(user=doctor).count() == 1
    assert EvaluationResponse.objects.count() == 4
    assert EvaluationAnswer.objects.count() == 4 * 6
    assert LessonCompletion.objects.count() == 4


def test_doctors_do_not_wait_in_vain_for_each_other() -> None:
    evaluation = make_evaluation()
    doctors = [candidate_of(evaluation) for _ in range(4)]
    results = at_once(*[lambda person=person: hand_in(evaluation, user=person) for person in doctors])

    assert results == doctors
    assert EvaluationResponse.objects.count() == 4


def test_a_question_changes_before_the_first_answer_or_not_at_all() -> None:
    for _ in range(6):
        evaluation = make_evaluation()
        doctor = candidate_of(evaluation)
        question = questions_of(evaluation)[5]
        question.is_required, question.text = True, "What did you miss?"

        def change(one: EvaluationQuestion = question) -> str:
            return save_question(question=one).text

        answered, changed = at_once(
            lambda: hand_in(evaluation, 4, 4, 9, 0, user=doctor),  # noqa: B023
            change,
        )
        stored = questions_of(evaluation)[5].text
        if isinstance(changed, FrozenError):
            assert (answered, stored) == (doctor, "Anything else?")
        else:
            assert isinstance(answered, IncompleteError)  # it met the question that is now required
            assert stored == "What did you miss?"


def test_the_promise_changes_before_the_first_answer_or_not_at_all() -> None:
    for _ in range(6):
        evaluation = make_evaluation()
        doctor = candidate_of(evaluation)

        def name_them(one: int = evaluation.pk) -> Evaluation:
            found = Evaluation.objects.get(pk=one)
            found.is_anonymous = False
            return save_evaluation(evaluation=found)

        answered, changed = at_once(lambda: hand_in(evaluation, user=doctor), name_them)  # noqa: B023
        if isinstance(changed, AnsweredError):
            assert answered == doctor
            assert evaluation.responses.get().user is None
        else:
            assert isinstance(answered, ChangedError)
            assert not evaluation.responses.exists()
