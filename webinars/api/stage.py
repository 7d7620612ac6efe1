"""What presenters see and say."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.clock import now
from webinars.api.refusals import as_answers, person
from webinars.api.room_serializers import (
    DeskPollsSerializer,
    StageMoveInput,
    StageQuestionSerializer,
    StageQuestionsSerializer,
)
from webinars.domain.answers import answer_live_on_stage, say_on_stage
from webinars.domain.poll_results import all_polls
from webinars.domain.question_lists import forwarded_questions, shown_on_stage
from webinars.rules import get_presented_webinar

_NEEDED = {"answer-live": frozenset[str](), "say": frozenset({"text", "client_key"})}


class StageQuestionsView(ApiView):
    @extend_schema(responses=StageQuestionsSerializer, operation_id="webinars_stage_questions_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """The questions that moderators passed on: what matters first, then in order."""
        webinar = get_presented_webinar(request.user, webinar_id)
        return Response({"results": forwarded_questions(webinar=webinar)})


class StagePollsView(ApiView):
    @extend_schema(responses=DeskPollsSerializer, operation_id="webinars_stage_polls_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """All polls with their results as they stand."""
        webinar = get_presented_webinar(request.user, webinar_id)
        return Response({"results": all_polls(webinar=webinar)})


class StageMoveView(ApiView):
    @extend_schema(
        request=StageMoveInput,
        responses={200: StageQuestionSerializer, 409: None},
        operation_id="webinars_stage_questions_move",
    )
    def post(self, request: Request, webinar_id: int, question_id: int, stage_move: str) -> Response:
        """`answer-live`: it is being answered on air. `say`: a word to the moderators."""
        webinar = get_presented_webinar(request.user, webinar_id)
        if stage_move not in _NEEDED:
            raise Http404
        given = StageMoveInput(data=request.data)
        given.is_valid(raise_exception=True)
        if set(given.validated_data) != _NEEDED[stage_move]:
            raise ValidationError({name: ["Give exactly this."] for name in sorted(_NEEDED[stage_move]) or ["text"]})
        work = say_on_stage if stage_move == "say" else answer_live_on_stage
        with as_answers():
            question = work(
                webinar=webinar, question_id=question_id, actor=person(request), **given.validated_data, now=now()
            )
        return Response(shown_on_stage(question))
