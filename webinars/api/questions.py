"""Questions and votes of doctors."""

from http import HTTPStatus

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.clock import now
from webinars.api.refusals import as_answers, person
from webinars.api.room_serializers import (
    MessageInput,
    OwnQuestionSerializer,
    QuestionInput,
    QuestionsSerializer,
)
from webinars.domain.lanes import lanes_of
from webinars.domain.question_lists import questions_for_doctor, shown_to_author
from webinars.domain.questions import ask, say, unvote, vote
from webinars.rules import get_room_for


class QuestionsView(ApiView):
    @extend_schema(responses=QuestionsSerializer, operation_id="webinars_questions_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """One's own questions, what is published for all, and what one may do."""
        webinar = get_room_for(request.user, webinar_id)
        lanes = lanes_of(webinar=webinar, user=person(request), now=now())
        with as_answers():
            lanes.require_place()
        return Response(questions_for_doctor(webinar=webinar, user=person(request), lanes=lanes))

    @extend_schema(
        request=QuestionInput,
        responses={201: OwnQuestionSerializer, 409: None},
        operation_id="webinars_questions_create",
    )
    def post(self, request: Request, webinar_id: int) -> Response:
        """Ask. Only moderators see it until one of them decides."""
        webinar = get_room_for(request.user, webinar_id)
        given = QuestionInput(data=request.data)
        given.is_valid(raise_exception=True)
        with as_answers():
            question = ask(webinar=webinar, author=person(request), **given.validated_data, now=now())
        return Response(shown_to_author(question), status=HTTPStatus.CREATED)


class VotesView(ApiView):
    @extend_schema(request=None, responses={204: None, 409: None}, operation_id="webinars_questions_votes_create")
    def post(self, request: Request, webinar_id: int, question_id: int) -> Response:
        """Vote for a published question. Once; again changes nothing."""
        webinar = get_room_for(request.user, webinar_id)
        with as_answers():
            vote(webinar=webinar, user=person(request), question_id=question_id, now=now())
        return Response(status=HTTPStatus.NO_CONTENT)

    @extend_schema(responses={204: None, 409: None}, operation_id="webinars_questions_votes_destroy")
    def delete(self, request: Request, webinar_id: int, question_id: int) -> Response:
        """Take the vote back."""
        webinar = get_room_for(request.user, webinar_id)
        with as_answers():
            unvote(webinar=webinar, user=person(request), question_id=question_id, now=now())
        return Response(status=HTTPStatus.NO_CONTENT)


class MessagesView(ApiView):
    @extend_schema(
        request=MessageInput,
        responses={201: OwnQuestionSerializer, 409: None},
        operation_id="webinars_questions_messages_create",
    )
    def post(self, request: Request, webinar_id: int, question_id: int) -> Response:
        """Write to the moderators about one's own question."""
        webinar = get_room_for(request.user, webinar_id)
        given = MessageInput(data=request.data)
        given.is_valid(raise_exception=True)
        with as_answers():
            message = say(
                webinar=webinar,
                author=person(request),
                question_id=question_id,
                **given.validated_data,
                now=now(),
            )
        return Response(shown_to_author(message.question), status=HTTPStatus.CREATED)
