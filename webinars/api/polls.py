"""Polls for doctors."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.views import ApiView
from core.clock import now
from webinars.api.refusals import as_answers, person
from webinars.api.room_serializers import PollsSerializer, PollVoteInput, PollVoteSerializer
from webinars.domain.lanes import lanes_of
from webinars.domain.poll_results import shown_polls
from webinars.domain.polls import vote
from webinars.rules import get_room_for


class PollsView(ApiView):
    @extend_schema(responses=PollsSerializer, operation_id="webinars_polls_list")
    def get(self, request: Request, webinar_id: int) -> Response:
        """The open poll and those whose results are shown, with one's own vote."""
        webinar = get_room_for(request.user, webinar_id)
        with as_answers():
            lanes_of(webinar=webinar, user=person(request), now=now()).require_place()
        return Response({"results": shown_polls(webinar=webinar, user=person(request))})


class PollVoteView(ApiView):
    @extend_schema(
        request=PollVoteInput,
        responses={200: PollVoteSerializer, 409: None},
        operation_id="webinars_polls_vote_update",
    )
    def put(self, request: Request, webinar_id: int, poll_id: int) -> Response:
        """Vote, or change one's vote while the poll is open."""
        webinar = get_room_for(request.user, webinar_id)
        given = PollVoteInput(data=request.data)
        given.is_valid(raise_exception=True)
        with as_answers():
            mine = vote(webinar=webinar, user=person(request), poll_id=poll_id, **given.validated_data, now=now())
        return Response({"choices": mine.choices, "words": mine.words})
