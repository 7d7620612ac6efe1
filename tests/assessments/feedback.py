"""Short words for what doctors and authors do with a feedback form."""

from typing import Any

from accounts.models import User
from assessments.domain.evaluations import answer_evaluation
from assessments.models import Evaluation, EvaluationQuestion
from core.clock import now
from tests.factories.assessments import candidate_of


def questions_of(evaluation: Evaluation) -> list[EvaluationQuestion]:
    assert evaluation.form is not None
    return list(evaluation.form.questions.order_by("position"))


def filled_in(evaluation: Evaluation, *values: Any) -> dict[int, Any]:
    """By question, in order: `EVERY_KIND` is likert, stars, recommendation, one, several, text."""
    values = values or (4, 5, 9, 0, [0, 2], "More cases, please.")
    return {one.pk: value for one, value in zip(questions_of(evaluation), values, strict=False)}


def hand_in(evaluation: Evaluation, *values: Any, user: User | None = None) -> User:
    person = user or candidate_of(evaluation)
    answer_evaluation(evaluation=evaluation, user=person, given=filled_in(evaluation, *values), now=now())
    return person


def as_posted(evaluation: Evaluation, *values: Any) -> dict[str, Any]:
    return {
        f"q{question}": [str(one) for one in value] if isinstance(value, list) else str(value)
        for question, value in filled_in(evaluation, *values).items()
    }
