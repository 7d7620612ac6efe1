from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from assessments.api.serializers import (
    AnswerInput,
    GoOnInput,
    NothingInput,
    PositionSerializer,
    QuizSerializer,
    ResultSerializer,
    SavedSerializer,
    SheetSerializer,
)
from assessments.domain.overview import overview_of, result_of
from assessments.domain.papers import PaperError
from assessments.domain.saving import (
    BadAnswerError,
    NewerSavedError,
    NoSuchQuestionError,
    SaveError,
    go_on,
    read_form,
    save_answer,
)
from assessments.domain.sheet import sheet_of
from assessments.domain.starting import NotEnrolledError, StartError, start_attempt
from assessments.domain.submitting import end_if_over, submit
from assessments.enums import EndedBy
from assessments.rules import get_attempt_for, get_quiz_for, get_sitting_for
from core.api.problems import Conflict
from core.api.views import ApiView
from core.clock import now


@contextmanager
def _as_answers() -> Iterator[None]:
    """A newer answer comes along with the conflict: it is one's own, from another window."""
    try:
        yield
    except NotEnrolledError as error:
        raise PermissionDenied(str(error.message)) from error
    except StartError as error:
        raise Conflict(str(error.message)) from error
    except PaperError as error:
        raise Conflict(str(error)) from error
    except NoSuchQuestionError as error:
        raise NotFound from error
    except BadAnswerError as error:
        raise ValidationError({"value": [str(error.message)]}) from error
    except NewerSavedError as error:
        newer = error.answer
        current = {"value": newer.value, "saved": newer.saved, "is_flagged": newer.is_flagged}
        raise Conflict(str(error.message), current=current) from error
    except SaveError as error:
        raise Conflict(str(error.message)) from error


class QuizView(ApiView):
    @extend_schema(responses=QuizSerializer, operation_id="quizzes_retrieve")
    def get(self, request: Request, quiz_id: int) -> Response:
        """What to expect, and how one stands in it."""
        overview = overview_of(quiz=get_quiz_for(request.user, quiz_id), user=_person(request), now=now())
        still_open = overview.standing.open
        given = {
            "quiz": overview.quiz,
            "time_limit_seconds": overview.time_limit_seconds,
            "state": overview.state.value,
            "opens_at": overview.availability.opens_at,
            "closes_at": overview.availability.closes_at,
            "attempts_left": overview.standing.left,
            "open_attempt": still_open.pk if still_open else None,
            "attempts": [
                {"id": one.attempt.pk, "number": one.attempt.number, "is_passed": one.is_passed}
                for one in overview.past
            ],
        }
        return Response(QuizSerializer(given).data)


class AttemptsView(ApiView):
    @extend_schema(
        request=NothingInput,
        responses={200: SheetSerializer, 201: SheetSerializer, 409: None},
        operation_id="quizzes_attempts_create",
    )
    def post(self, request: Request, quiz_id: int) -> Response:
        """Begin, or come back to the attempt that is open: it is never begun twice."""
        quiz = get_quiz_for(request.user, quiz_id)
        with _as_answers():
            attempt, is_new = start_attempt(quiz=quiz, user=_person(request), now=now())
        return Response(SheetSerializer(sheet_of(attempt=attempt)).data, status=201 if is_new else 200)


class AttemptView(ApiView):
    @extend_schema(responses={200: SheetSerializer, 409: None}, operation_id="attempts_retrieve")
    def get(self, request: Request, attempt_id: int) -> Response:
        """The open sheet with all saved answers, on whatever device."""
        attempt = get_attempt_for(request.user, attempt_id)
        if end_if_over(attempt=attempt):
            raise Conflict
        return Response(SheetSerializer(sheet_of(attempt=attempt)).data)


class AnswerView(ApiView):
    @extend_schema(
        request=AnswerInput, responses={200: SavedSerializer, 409: None}, operation_id="attempts_answers_update"
    )
    def put(self, request: Request, attempt_id: int, position: int) -> Response:
        """Save one answer. Sent again it changes nothing; an older one never overwrites a newer one."""
        attempt = get_sitting_for(request.user, attempt_id)
        given = AnswerInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        with _as_answers():
            raw = read_form(attempt=attempt, position=position, form=said["form"]) if "form" in said else said["value"]
            moment = save_answer(
                attempt=attempt,
                position=position,
                raw=raw,
                saved=said["saved"],
                is_flagged=said["is_flagged"],
                seconds=said["seconds"],
            )
        return Response(SavedSerializer({"saved": said["saved"], "saved_at": moment}).data)


class GoOnView(ApiView):
    @extend_schema(request=GoOnInput, responses={200: PositionSerializer, 409: None}, operation_id="attempts_go_on")
    def post(self, request: Request, attempt_id: int) -> Response:
        """To the next question of a test without a way back."""
        attempt = get_sitting_for(request.user, attempt_id)
        given = GoOnInput(data=request.data)
        given.is_valid(raise_exception=True)
        with _as_answers():
            position = go_on(attempt=attempt, to=given.validated_data["to"])
        return Response({"position": position})


class SubmitView(ApiView):
    @extend_schema(request=NothingInput, responses=ResultSerializer, operation_id="attempts_submit")
    def post(self, request: Request, attempt_id: int) -> Response:
        """Hand in. Doing it twice is doing it once."""
        attempt = get_attempt_for(request.user, attempt_id)
        submit(attempt_id=attempt.pk, by=EndedBy.PERSON)
        return _result(request, attempt_id)


class ResultView(ApiView):
    @extend_schema(responses={200: ResultSerializer, 409: None}, operation_id="attempts_result_retrieve")
    def get(self, request: Request, attempt_id: int) -> Response:
        """What the review policy of the test shows by now."""
        if not end_if_over(attempt=get_attempt_for(request.user, attempt_id)):
            raise Conflict
        return _result(request, attempt_id)


def _result(request: Request, attempt_id: int) -> Response:
    attempt = get_attempt_for(request.user, attempt_id)
    return Response(ResultSerializer(result_of(attempt=attempt, user=_person(request), now=now())).data)


def _person(request: Request) -> User:
    return cast("User", request.user)
