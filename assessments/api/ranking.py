"""Where one stands in a test, and the board, as far as the review policy shows results by now."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from assessments.domain.ranking import NotRankedError, board_of, show_name, view_of
from assessments.rules import get_quiz_for
from core.api.problems import Conflict
from core.api.serializers import InputSerializer
from core.api.views import ApiView
from core.clock import now

GROUPS = ("all", "country", "specialty", "cohort")


class StandingSerializer(serializers.Serializer[object]):
    group = serializers.ChoiceField(choices=GROUPS)
    name = serializers.CharField()
    place = serializers.IntegerField(help_text="Equal results share one; the next is left out.")
    equal = serializers.IntegerField(help_text="So many have this very result, oneself included.")
    of = serializers.IntegerField()
    percentile = serializers.DecimalField(
        max_digits=5, decimal_places=2, help_text="Mid-rank: (below + half of equal) / of."
    )
    band = serializers.CharField()


class BoardRowSerializer(serializers.Serializer[object]):
    place = serializers.IntegerField()
    name = serializers.CharField()
    country = serializers.CharField()
    percent = serializers.DecimalField(max_digits=10, decimal_places=4)
    is_mine = serializers.BooleanField()


class RankingSerializer(serializers.Serializer[object]):
    quiz = serializers.IntegerField()
    is_shown = serializers.BooleanField(help_text="False before one's result is shown, and for fewer than five people.")
    is_final = serializers.BooleanField()
    refreshed_at = serializers.DateTimeField(allow_null=True)
    people = serializers.IntegerField(allow_null=True)
    bins = serializers.ListField(
        child=serializers.IntegerField(), help_text="People by result, in steps of five percent."
    )
    percent = serializers.DecimalField(max_digits=10, decimal_places=4, allow_null=True)
    standings = StandingSerializer(many=True, help_text="One's own; groups of fewer than five are left out.")
    shows_name = serializers.BooleanField()
    board = BoardRowSerializer(many=True, help_text="Those who show their names, fifty a page.")
    page = serializers.IntegerField()
    pages = serializers.IntegerField()


class ShowNameInput(InputSerializer):
    shows_name = serializers.BooleanField()


class RankingView(ApiView):
    @extend_schema(
        responses=RankingSerializer,
        operation_id="quizzes_ranking_retrieve",
        parameters=[
            OpenApiParameter("group", str, enum=GROUPS, description="Of the board; one's own group only."),
            OpenApiParameter("page", int),
        ],
    )
    def get(self, request: Request, quiz_id: int) -> Response:
        """One's own place, and the board."""
        group = request.query_params.get("group", "all")
        return Response(_shown(request, quiz_id, group=group, page=request.query_params.get("page")))


class RankingNameView(ApiView):
    @extend_schema(
        request=ShowNameInput,
        responses={200: RankingSerializer, 409: None},
        operation_id="quizzes_ranking_name_update",
    )
    def put(self, request: Request, quiz_id: int) -> Response:
        """One's name on the board, or off it, at once; 409 for who has not begun the test."""
        quiz = get_quiz_for(request.user, quiz_id)
        given = ShowNameInput(data=request.data)
        given.is_valid(raise_exception=True)
        with _as_absent():
            view = view_of(quiz=quiz, user=_person(request), now=now())
        if not view.is_candidate:
            raise Conflict
        show_name(quiz=quiz, user=_person(request), shows=given.validated_data["shows_name"])
        return Response(_shown(request, quiz_id))


@contextmanager
def _as_absent() -> Iterator[None]:
    try:
        yield
    except NotRankedError as absent:
        raise NotFound from absent


def _shown(request: Request, quiz_id: int, *, group: str = "all", page: str | None = None) -> dict[str, Any]:
    person = _person(request)
    with _as_absent():
        view = view_of(quiz=get_quiz_for(person, quiz_id), user=person, now=now())
    board = board_of(view=view, user=person, group=group if group in GROUPS else "all", page=page)
    ranking, own = (view.ranking, view.own) if view.is_shown else (None, None)
    shown = {
        "quiz": view.quiz.pk,
        "is_shown": view.is_shown,
        "is_final": ranking.is_final if ranking else False,
        "refreshed_at": ranking.refreshed_at if ranking else None,
        "people": ranking.people if ranking else None,
        "bins": ranking.bins if ranking else [],
        "percent": own.percent if own else None,
        "standings": own.standings if own else [],
        "shows_name": view.shows_name,
        "board": board.rows,
        "page": board.page.number,
        "pages": board.page.paginator.num_pages,
    }
    return dict(RankingSerializer(shown).data)


def _person(request: Request) -> User:
    return cast("User", request.user)
