"""The marking desk: what waits, the next answer without its doctor's name, and a mark."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rules import person_of
from assessments.api.serializers import NothingInput
from assessments.domain.marking import (
    LONGEST_COMMENT,
    LONGEST_REASON,
    MarkingError,
    NoReasonError,
    PointsError,
    change_mark,
    mark_by_hand,
)
from assessments.domain.marking_desk import desks_of, paper_of, put_off, take_next
from assessments.forms.marking import MarkForm, criterion_name
from assessments.models import Answer
from assessments.rules import get_answer_to_mark, get_marked_quiz, marked_quizzes_for, require_marker
from core.api.problems import Conflict
from core.api.serializers import InputSerializer
from core.api.views import ApiView


class DeskSerializer(serializers.Serializer[object]):
    quiz = serializers.IntegerField(source="quiz.pk")
    title = serializers.CharField(source="quiz.lesson.title")
    mine = serializers.IntegerField(help_text="For oneself to mark.")
    disputed = serializers.IntegerField(help_text="Two markers differ, and oneself may decide.")
    busy = serializers.IntegerField(help_text="Before another marker right now.")
    others = serializers.IntegerField(help_text="For others to mark.")
    oldest = serializers.DateTimeField(allow_null=True, help_text="Since when the oldest waits.")


class CriterionSerializer(serializers.Serializer[object]):
    id = serializers.CharField()
    text = serializers.CharField(help_text="HTML of a small safe subset, as is `rationale`.")
    points = serializers.DecimalField(max_digits=9, decimal_places=2)
    rationale = serializers.CharField()


class GuideSerializer(serializers.Serializer[object]):
    text = serializers.CharField()
    share = serializers.DecimalField(max_digits=7, decimal_places=6, help_text="Of the points.")
    percent = serializers.IntegerField(allow_null=True, help_text="How like it the answer is.")


class MarkSerializer(serializers.Serializer[object]):
    points = serializers.DecimalField(max_digits=9, decimal_places=4)
    rubric = serializers.ListField(child=serializers.CharField())
    comment = serializers.CharField()


class PaperSerializer(serializers.Serializer[object]):
    answer = serializers.IntegerField(source="answer.pk")
    quiz = serializers.IntegerField(source="answer.attempt.quiz_id")
    story = serializers.CharField(source="story.stem", default="", help_text="Of the vignette it belongs to.")
    stem = serializers.CharField(source="question.stem")
    text = serializers.CharField(help_text="What the doctor answered. Nobody is told who.")
    note = serializers.CharField()
    most = serializers.DecimalField(max_digits=9, decimal_places=2, help_text="Points of the question on this paper.")
    suggested_points = serializers.DecimalField(max_digits=9, decimal_places=4, allow_null=True)
    criteria = CriterionSerializer(many=True, help_text="Of the rubric; empty: one number.")
    guide = GuideSerializer(many=True, help_text="What the key accepts.")
    model = serializers.CharField(help_text="A model answer.")
    mine = MarkSerializer(allow_null=True, help_text="The mark one gave.")
    marks = MarkSerializer(many=True, help_text="Of others; only to the one who has to decide between them.")
    may_mark = serializers.BooleanField()
    decides = serializers.BooleanField(help_text="As the third person: send `decides` with the mark.")
    may_change = serializers.BooleanField()


class NextInput(InputSerializer):
    disputed = serializers.BooleanField(required=False, default=False, help_text="One on which two markers differ.")


class PointsInput(InputSerializer):
    points = serializers.CharField(required=False, help_text="Where there is no rubric; at most two decimal places.")
    rubric = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Points by the id of each criterion."
    )
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=LONGEST_COMMENT)


class MarkInput(PointsInput):
    decides = serializers.BooleanField(required=False, default=False)


class ChangeInput(PointsInput):
    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=LONGEST_REASON, help_text="Where the result stands."
    )


class DesksView(ApiView):
    @extend_schema(responses={200: DeskSerializer(many=True), 403: None}, operation_id="marking_list")
    def get(self, request: Request) -> Response:
        """Tests with answers that wait for a person, the one that has waited longest first."""
        require_marker(request.user)
        desks = desks_of(marker=person_of(request), quizzes=marked_quizzes_for(request.user))
        return Response(DeskSerializer(desks, many=True).data)


class NextAnswerView(ApiView):
    @extend_schema(request=NextInput, responses={200: PaperSerializer, 204: None}, operation_id="marking_next_answer")
    def post(self, request: Request, quiz_id: int) -> Response:
        """One answer, which nobody else is given for half an hour; 204 where none waits for oneself."""
        quiz = get_marked_quiz(request.user, quiz_id)
        given = NextInput(data=request.data)
        given.is_valid(raise_exception=True)
        found = take_next(quiz=quiz, marker=person_of(request), disputed=given.validated_data["disputed"])
        return Response(status=204) if found is None else _paper(request, found.pk)


class PaperView(ApiView):
    @extend_schema(responses=PaperSerializer, operation_id="marking_answers_retrieve")
    def get(self, request: Request, answer_id: int) -> Response:
        return _paper(request, answer_id)


class MarkView(ApiView):
    @extend_schema(request=MarkInput, responses={200: PaperSerializer, 409: None}, operation_id="marking_answers_mark")
    def post(self, request: Request, answer_id: int) -> Response:
        """One's mark. The same again changes nothing."""
        found = get_answer_to_mark(request.user, answer_id)
        given = MarkInput(data=request.data)
        given.is_valid(raise_exception=True)
        with _as_answers():
            mark_by_hand(**_mark(request, found, given.validated_data), decides=given.validated_data["decides"])
        return _paper(request, answer_id)

    @extend_schema(
        request=ChangeInput, responses={200: PaperSerializer, 409: None}, operation_id="marking_answers_change"
    )
    def put(self, request: Request, answer_id: int) -> Response:
        """Another mark instead of one's own, as long as nobody else's counts with it."""
        found = get_answer_to_mark(request.user, answer_id)
        given = ChangeInput(data=request.data)
        given.is_valid(raise_exception=True)
        with _as_answers():
            change_mark(**_mark(request, found, given.validated_data), reason=given.validated_data["reason"])
        return _paper(request, answer_id)


class PutOffView(ApiView):
    @extend_schema(request=NothingInput, responses={204: None}, operation_id="marking_answers_put_off")
    def post(self, request: Request, answer_id: int) -> Response:
        """Skip it for now: it comes again after the others."""
        put_off(answer_id=get_answer_to_mark(request.user, answer_id).pk, marker=person_of(request))
        return Response(status=204)


@contextmanager
def _as_answers() -> Iterator[None]:
    try:
        yield
    except PointsError as error:
        raise ValidationError({"points": [str(error.message)]}) from error
    except NoReasonError as error:
        raise ValidationError({"reason": [str(error.message)]}) from error
    except MarkingError as error:
        raise Conflict(str(error.message)) from error


def _paper(request: Request, answer_id: int) -> Response:
    found = get_answer_to_mark(request.user, answer_id)
    return Response(PaperSerializer(paper_of(answer=found, marker=person_of(request))).data)


def _mark(request: Request, found: Answer, said: dict[str, Any]) -> dict[str, Any]:
    """The points as the page's form reads them: the same limits, places and conversion. Raises ValidationError."""
    paper = paper_of(answer=found, marker=person_of(request))
    rubric = said.get("rubric", {})
    data = {"points": said.get("points", ""), "comment": said["comment"]}
    data |= {criterion_name(one): rubric.get(one.id, "") for one in paper.criteria}
    form = MarkForm(criteria=paper.criteria, most=paper.most, data=data)
    if not form.is_valid():
        wrong = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
        of_rubric = {one.id: wrong[name] for one in paper.criteria if (name := criterion_name(one)) in wrong}
        raise ValidationError({"rubric": of_rubric} if of_rubric else wrong)
    return {
        "answer_id": found.pk,
        "marker": person_of(request),
        "points": form.given,
        "rubric": form.given_rubric,
        "comment": form.cleaned_data["comment"],
        "request": request,
    }
