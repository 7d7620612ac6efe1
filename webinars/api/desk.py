"""The queue of questions at the moderators' desk."""

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.clock import now
from webinars.api.refusals import as_answers, person
from webinars.api.room_serializers import (
    CannedRepliesSerializer,
    DeskQuestionSerializer,
    DeskQuestionsSerializer,
    MoveInput,
)
from webinars.domain import answers
from webinars.domain.answers import Move
from webinars.domain.question_lists import canned_replies, desk_questions, shown_at_desk
from webinars.enums import QuestionState
from webinars.models import Question
from webinars.rules import get_desk_of

_WORK: dict[Move, Callable[..., Question]] = {
    Move.CLAIM: answers.claim,
    Move.RELEASE: answers.release,
    Move.FORWARD: answers.forward,
    Move.ANSWER: answers.answer,
    Move.ANSWER_LIVE: answers.answer_live,
    Move.PUBLISH: answers.publish,
    Move.UNPUBLISH: answers.unpublish,
    Move.DISMISS: answers.dismiss,
    Move.RESTORE: answers.restore,
    Move.MERGE: answers.merge,
    Move.SAY: answers.say,
}
_MOVES = frozenset(one.value for one in Move)
_NEEDED: dict[Move, set[str]] = {
    Move.ANSWER: {"text"},
    Move.MERGE: {"into_id"},
    Move.SAY: {"lane", "text", "client_key"},
}
_POSSIBLE: dict[Move, set[str]] = {Move.FORWARD: {"edited_text", "is_priority"}, Move.PUBLISH: {"edited_text"}}
_UNLOGGED = frozenset({Move.CLAIM, Move.RELEASE, Move.SAY})


class DeskQuestionsView(ApiView):
    @extend_schema(
        parameters=[
            OpenApiParameter("state", str, description="Only these.", enum=[one.value for one in QuestionState]),
            OpenApiParameter("q", str, description="Words of the question, the answer or the name."),
            OpenApiParameter("page", int, description="From 1."),
        ],
        responses=DeskQuestionsSerializer,
        operation_id="webinars_desk_questions_list",
    )
    def get(self, request: Request, webinar_id: int) -> Response:
        """The queue: priority first, then the oldest. With the number of questions in each state."""
        webinar = get_desk_of(request, webinar_id)
        state, page = request.query_params.get("state", ""), request.query_params.get("page", "1")
        if state and state not in QuestionState.values:
            raise ValidationError({"state": [_("There is no such state.")]})
        number = int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1
        found = desk_questions(webinar=webinar, state=state, search=request.query_params.get("q", ""), page=number)
        return Response(
            {
                "count": found.count,
                "page": found.page,
                "pages": found.pages,
                "by_state": found.by_state,
                "results": found.questions,
            }
        )


class DeskMoveView(ApiView):
    @extend_schema(
        request=MoveInput,
        responses={200: DeskQuestionSerializer, 409: None},
        operation_id="webinars_desk_questions_move",
    )
    def post(self, request: Request, webinar_id: int, question_id: int, move: str) -> Response:
        """`claim`, `release`, `forward`, `answer`, `answer-live`, `publish`, `unpublish`, `dismiss`, `restore`,
        `merge`, `say`. When somebody else was faster: 409 with the present question in `current`.
        """
        webinar = get_desk_of(request, webinar_id)
        if move not in _MOVES:
            raise Http404
        values = _values(Move(move), request)
        with as_answers(at_desk=True):
            question = _WORK[Move(move)](
                webinar=webinar, question_id=question_id, actor=person(request), now=now(), **values
            )
        return Response(shown_at_desk(question))


class RepliesView(ApiView):
    @extend_schema(responses=CannedRepliesSerializer, operation_id="webinars_desk_replies_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """Ready answers for this programme and for all."""
        webinar = get_desk_of(request, webinar_id)
        return Response({"results": canned_replies(webinar=webinar)})


def _values(move: Move, request: Request) -> dict[str, Any]:
    """Exactly what the move takes: a text that would be ignored is refused."""
    given = MoveInput(data=request.data)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = dict(given.validated_data)
    if "into" in values:
        values["into_id"] = values.pop("into")
    needed, possible = _NEEDED.get(move, set()), _POSSIBLE.get(move, set())
    missing, foreign = needed - values.keys(), values.keys() - needed - possible - {"version"}
    if missing or foreign:
        wrong = {name: [_("This is needed here.")] for name in missing}
        raise ValidationError(wrong | {name: [_("This has no meaning here.")] for name in foreign})
    if move not in _UNLOGGED:
        values["request"] = request._request  # noqa: SLF001 – the audit trail wants Django's
    return values
