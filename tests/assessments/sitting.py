"""Short words for what doctors do in a test."""

from datetime import datetime, timedelta

from accounts.models import User
from assessments.domain.saving import save_answer
from assessments.domain.starting import start_attempt
from assessments.domain.submitting import submit
from assessments.enums import EndedBy
from assessments.models import Attempt, Quiz
from core.clock import now


def start(quiz: Quiz, user: User) -> Attempt:
    return start_attempt(quiz=quiz, user=user, now=now())[0]


def choose(attempt: Attempt, position: int, choice: str | None, saved: int = 1) -> datetime:
    return save_answer(attempt=attempt, position=position, raw={"choice": choice}, saved=saved)


def hand_in(attempt: Attempt) -> Attempt:
    return submit(attempt_id=attempt.pk, by=EndedBy.PERSON)


def make_older(attempt: Attempt, seconds: float) -> None:
    """As if it had begun that much earlier: the clock of the database cannot be set."""
    moved = timedelta(seconds=seconds)
    attempt.started_at -= moved
    if attempt.deadline_at is not None:
        attempt.deadline_at -= moved
    attempt.save(update_fields=["started_at", "deadline_at"])
