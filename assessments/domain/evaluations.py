"""Feedback: the form of a lesson, answered once by each person. What the answers look like: `evaluation_sheet`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assessments.domain.evaluation_forms import freeze
from assessments.domain.evaluation_sheet import Given, read_answers
from assessments.models import (
    Evaluation,
    EvaluationAnswer,
    EvaluationForm,
    EvaluationReceipt,
    EvaluationResponse,
)
from courses.domain import completion
from courses.domain.availability import Availability
from courses.domain.queries import lesson_availability
from courses.rules import get_enrolment_for


class EvaluationError(Exception):
    """Nothing was written; `message` is for the doctor."""

    message: Any = _("The feedback was not taken.")


class NotEnrolledError(EvaluationError):
    message = _("Only doctors of the programme give feedback.")


class NotOpenError(EvaluationError):
    message = _("This feedback form is not open now.")


class ChangedError(EvaluationError):
    message = _("This feedback form has changed meanwhile. Please read it again and hand it in once more.")


class AlreadyAnsweredError(EvaluationError):
    message = _("You have given this feedback already. Thank you.")


class IncompleteError(EvaluationError):
    """`errors` by question id; what was given is kept by whoever shows the form again."""

    message = _("Some answers are missing or cannot be read.")

    def __init__(self, errors: Mapping[int, str]) -> None:
        super().__init__(errors)
        self.errors = errors


def standing_of(*, evaluation: Evaluation, user: User, now: datetime) -> Availability:
    """By the windows and the order of its course, like every lesson."""
    return lesson_availability(lesson=evaluation.lesson, user_id=user.pk, now=now)


def has_answered(*, evaluation: Evaluation, user: User) -> bool:
    return EvaluationReceipt.objects.filter(evaluation=evaluation, user=user).exists()


def answer_evaluation(*, evaluation: Evaluation, user: User, given: Mapping[int, Any], now: datetime) -> None:
    """Takes the answers and completes the lesson, both or neither. `given` is raw values by question id.

    The receipt is written first: of two tabs that hand in at the same moment the second one waits for the first and
    finds it there. Nothing about the answers goes into the evidence of the completion, which staff and auditors read.
    """
    if get_enrolment_for(user, evaluation.lesson.course.programme) is None:
        raise NotEnrolledError
    if has_answered(evaluation=evaluation, user=user):
        raise AlreadyAnsweredError
    if evaluation.form_id is None or not standing_of(evaluation=evaluation, user=user, now=now).is_open:
        raise NotOpenError
    with transaction.atomic():
        _hold(evaluation)
        form = freeze(form_id=evaluation.form_id, now=now)
        found, errors = read_answers(questions=list(form.questions.order_by("position")), given=given)
        if errors:
            raise IncompleteError(errors)
        _write(evaluation=evaluation, form=form, user=user, found=found, now=now)
        evidence = {"evaluation": evaluation.pk, "form": form.pk, "edition": form.edition}
        try:
            completion.complete_lesson(user_id=user.pk, lesson_id=evaluation.lesson_id, evidence=evidence, now=now)
        except completion.NotEnrolledError as error:
            raise NotEnrolledError from error


def _hold(evaluation: Evaluation) -> None:
    """Nobody answers under other terms than they read. Shared: thousands answer at once, only an author waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT form_id, is_anonymous FROM assessments_evaluation WHERE id = %s FOR SHARE", [evaluation.pk]
        )
        if cursor.fetchone() != (evaluation.form_id, evaluation.is_anonymous):
            raise ChangedError


def _write(
    *, evaluation: Evaluation, form: EvaluationForm, user: User, found: Mapping[int, Given], now: datetime
) -> None:
    """The day only: an exact moment would join receipt and response."""
    today = now.astimezone(UTC).date()
    written = EvaluationReceipt.objects.bulk_create(
        [EvaluationReceipt(evaluation=evaluation, user=user, answered_on=today)], ignore_conflicts=True
    )
    if not EvaluationReceipt.objects.filter(pk=written[0].pk).exists():
        raise AlreadyAnsweredError
    response = EvaluationResponse.objects.create(
        evaluation=evaluation,
        form=form,
        user=None if evaluation.is_anonymous else user,
        answered_on=today,
    )
    EvaluationAnswer.objects.bulk_create(
        [
            EvaluationAnswer(
                response=response, question_id=question, number=one.number, chosen=list(one.chosen), text=one.text
            )
            for question, one in found.items()
        ]
    )
