"""What a person left in tests and feedback: erased of names, and for their own copy."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from assessments.models import (
    Answer,
    Attempt,
    Candidate,
    EvaluationAnswer,
    EvaluationReceipt,
    EvaluationResponse,
    MarkingTurn,
    Place,
)


def duties(user: User, *, now: datetime) -> list[str]:
    turns = MarkingTurn.objects.filter(marker=user, until__gt=now).count()
    return [f"{turns} answers are before them to be marked"] if turns else []


def found(user: User) -> dict[str, int]:
    return {
        "feedback with a name": EvaluationResponse.objects.filter(user=user).count(),
        "names on boards": Candidate.objects.filter(user=user, shows_name=True).count(),
    }


@transaction.atomic
def erase(*, user: User, now: datetime) -> None:
    """Results stay with the pseudonym. Feedback given with a name stays without it. Why somebody had more time goes."""
    EvaluationResponse.objects.filter(user=user).update(user=None)
    Candidate.objects.filter(user=user).update(shows_name=False)
    Candidate.objects.filter(user=user).exclude(extra_reason="").update(extra_reason="erased")
    Place.objects.filter(user=user).update(is_named=False, country="", specialty="")


def own_data(user: User) -> dict[str, Any]:
    """What they answered and what it was worth; not the questions' keys, which others are still asked about."""
    answers = Answer.objects.filter(attempt__user=user).order_by("attempt", "position")
    said = EvaluationAnswer.objects.filter(response__user=user).order_by("response", "question__position")
    return {
        "attempts": list(
            Attempt.objects.filter(user=user)
            .order_by("pk")
            .values(
                "id", "quiz__lesson__title", "number", "state", "started_at", "submitted_at", "score", "most_points",
                "is_passed",
            )
        ),
        "answers": list(answers.values("attempt_id", "position", "version__stem", "value", "seconds", "points")),
        "more_time_or_attempts": list(
            Candidate.objects.filter(user=user)
            .order_by("pk")
            .values("quiz__lesson__title", "extra_percent", "extra_attempts", "extra_reason", "shows_name")
        ),
        "feedback_given": list(
            EvaluationReceipt.objects.filter(user=user)
            .order_by("evaluation")
            .values("evaluation__lesson__title", "answered_on")
        ),
        "feedback_with_my_name": list(
            said.values("response__evaluation__lesson__title", "question__text", "number", "chosen", "text")
        ),
    }  # fmt: skip
