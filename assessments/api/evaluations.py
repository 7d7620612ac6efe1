"""Feedback forms by API: the same questions, the same checks, the same promise as the page."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from assessments.domain.evaluation_sheet import fields_of
from assessments.domain.evaluations import (
    EvaluationError,
    IncompleteError,
    NotEnrolledError,
    answer_evaluation,
    has_answered,
    standing_of,
)
from assessments.enums import Dimension, QuestionKind
from assessments.models import Evaluation
from assessments.rules import get_evaluation_for
from core.api.problems import Conflict
from core.api.serializers import InputSerializer
from core.api.views import ApiView
from core.clock import now

LONGEST_ID = 18


class FeedbackOptionSerializer(serializers.Serializer[object]):
    value = serializers.IntegerField(help_text="What is sent.")
    text = serializers.CharField(source="label")


class FeedbackQuestionSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="question.pk")
    kind = serializers.ChoiceField(choices=QuestionKind.choices, source="question.kind")
    dimension = serializers.ChoiceField(choices=Dimension.choices, source="question.dimension")
    text = serializers.CharField(source="question.text")
    help = serializers.CharField(source="question.help")
    is_required = serializers.BooleanField(source="question.is_required")
    options = FeedbackOptionSerializer(many=True, help_text="Empty for free text.")


class EvaluationSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField(source="evaluation.pk")
    lesson = serializers.IntegerField(source="evaluation.lesson_id")
    title = serializers.CharField(source="evaluation.lesson.title")
    about_lesson = serializers.IntegerField(source="evaluation.about_id", allow_null=True)
    is_anonymous = serializers.BooleanField(
        source="evaluation.is_anonymous", help_text="Whether answers are kept without the name."
    )
    state = serializers.CharField(help_text="open, not_yet, closed or locked.")
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    is_answered = serializers.BooleanField(help_text="What was answered is never read back.")
    introduction = serializers.CharField()
    questions = FeedbackQuestionSerializer(many=True)


class EvaluationInput(InputSerializer):
    answers = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text="By question id: a number, a list of numbers for several choices, or a text.",
    )


class EvaluationView(ApiView):
    @extend_schema(responses=EvaluationSerializer, operation_id="evaluations_retrieve")
    def get(self, request: Request, evaluation_id: int) -> Response:
        """The feedback form of a lesson, and whether one has answered it."""
        return Response(_shown(get_evaluation_for(request.user, evaluation_id), _person(request)))

    @extend_schema(
        request=EvaluationInput,
        responses={201: EvaluationSerializer, 409: None},
        operation_id="evaluations_answer",
    )
    def post(self, request: Request, evaluation_id: int) -> Response:
        """Hand it in, once. It completes the lesson."""
        evaluation = get_evaluation_for(request.user, evaluation_id)
        given = EvaluationInput(data=request.data)
        given.is_valid(raise_exception=True)
        answers = _by_question(given.validated_data["answers"])
        try:
            answer_evaluation(evaluation=evaluation, user=_person(request), given=answers, now=now())
        except NotEnrolledError as error:
            raise PermissionDenied(str(error.message)) from error
        except IncompleteError as error:
            wrong = {str(question): [text] for question, text in error.errors.items()}
            raise ValidationError({"answers": wrong}) from error
        except EvaluationError as error:
            raise Conflict(str(error.message)) from error
        return Response(_shown(evaluation, _person(request)), status=201)


def _by_question(answers: dict[str, Any]) -> dict[int, Any]:
    """A key that is no number is a question that nobody asked: -1 stands for all of them."""
    return {
        int(key) if key.isascii() and key.isdigit() and len(key) <= LONGEST_ID else -1: value
        for key, value in answers.items()
    }


def _shown(evaluation: Evaluation, person: User) -> dict[str, Any]:
    form = evaluation.form
    availability = standing_of(evaluation=evaluation, user=person, now=now())
    shown = {
        "evaluation": evaluation,
        "state": availability.state.value,
        "opens_at": availability.opens_at,
        "closes_at": availability.closes_at,
        "is_answered": has_answered(evaluation=evaluation, user=person),
        "introduction": form.introduction if form else "",
        "questions": fields_of(questions=list(form.questions.order_by("position")) if form else []),
    }
    return dict(EvaluationSerializer(shown).data)


def _person(request: Request) -> User:
    return cast("User", request.user)
