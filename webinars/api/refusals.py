"""What the domain of the live room refuses, as the API says it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from rest_framework.exceptions import NotFound, PermissionDenied, Throttled, ValidationError
from rest_framework.request import Request

from accounts.models import User
from core.api.problems import Conflict
from webinars.domain.announcements import PinError, PinNotFoundError
from webinars.domain.answers import ConflictError, ForeignLaneError
from webinars.domain.lane_access import LaneTargetError
from webinars.domain.lanes import LaneError
from webinars.domain.polls import (
    PollError,
    PollNotFoundError,
    PollOptionsError,
    PollRangeError,
    TooManyVotesError,
    VoteError,
)
from webinars.domain.question_lists import shown_at_desk
from webinars.domain.questions import QuestionError, QuestionNotFoundError, TooManyError
from webinars.domain.restrictions import RestrictionError
from webinars.domain.texts import TextError

_ABSENT = (QuestionNotFoundError, PollNotFoundError, PinNotFoundError)
_UNFIT = (TextError, PollOptionsError, PollRangeError, VoteError, PinError, ForeignLaneError, LaneTargetError)
_NOT_NOW = (QuestionError, PollError, RestrictionError)


@contextmanager
def as_answers(*, at_desk: bool = False) -> Iterator[None]:
    """A conflict brings the present question along, but only to desks: it has names and unpublished words."""
    try:
        yield
    except _ABSENT as error:
        raise NotFound from error
    except _UNFIT as error:
        raise ValidationError([error.message]) from error
    except (TooManyError, TooManyVotesError) as error:
        raise Throttled(wait=error.retry_after_seconds) from error
    except LaneError as error:
        raise PermissionDenied(error.message) from error
    except ConflictError as error:
        raise Conflict(error.message, current=shown_at_desk(error.question) if at_desk else None) from error
    except _NOT_NOW as error:
        raise Conflict(error.message) from error


def person(request: Request) -> User:
    """The permission class has seen to it that nobody else comes this far."""
    return cast("User", request.user)
