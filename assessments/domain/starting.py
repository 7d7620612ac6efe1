"""Beginning an attempt: once, whoever presses how often in how many tabs.

The candidate's row is locked by the same statement that makes it; the second tab waits there and finds the first one's
attempt. What code might forget, constraints refuse: a second open attempt, a number above the limit.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assessments.domain import checks
from assessments.domain.papers import make_paper
from assessments.domain.submitting import is_overdue, submit_locked
from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt, Quiz
from core.prepared import Prepared
from courses.domain.queries import lesson_availability
from courses.rules import get_enrolment_for

_CANDIDATE = """
INSERT INTO assessments_candidate AS c (quiz_id, user_id, extra_percent, extra_attempts, extra_reason, shows_name)
VALUES (%s, %s, 0, 0, '', false)
ON CONFLICT (quiz_id, user_id) DO UPDATE SET quiz_id = excluded.quiz_id
RETURNING c.extra_percent, c.extra_attempts, clock_timestamp(),
    EXISTS (SELECT FROM assessments_pause WHERE quiz_id = c.quiz_id AND ended_at IS NULL)
"""

_attempts = Prepared[Attempt](lambda quiz, user: Attempt.objects.filter(quiz=quiz, user=user).order_by("number"))


class StartError(Exception):
    """No attempt was begun; `message` is for the doctor."""

    message: Any = _("This test cannot be started now.")


class NotEnrolledError(StartError):
    message = _("Only doctors of the programme can take this test.")


class NotOpenError(StartError):
    message = _("This test is not open now.")


class NotHeldUpError(StartError):
    message = _("This check is opened during the webinar.")


class PausedError(StartError):
    message = _("This test is being held for a moment. Please try again soon.")


class NoAttemptLeftError(StartError):
    message = _("You have used all your attempts.")


class AnotherAttemptError(StartError):
    message = _("That attempt is over. You find its result below.")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands in a test: the same figures for its page and for the start.

    `number` is that of the open attempt, or of the one that would be begun.
    """

    used: int
    allowed: int | None
    open: Attempt | None
    number: int

    @property
    def left(self) -> int | None:
        return None if self.allowed is None else max(0, self.allowed - self.used)


def start_attempt(*, quiz: Quiz, user: User, now: datetime, number: int | None = None) -> tuple[Attempt, bool]:
    """The open attempt, and whether it was begun by this call. Raises StartError and PaperError.

    `number` is the attempt that is meant: a page that is sent once more when it is over begins no other one.
    The number of queries does not depend on how many questions, attempts or people there are.
    """
    enrolment = get_enrolment_for(user, quiz.lesson.course.programme)
    if enrolment is None:
        raise NotEnrolledError
    window = lesson_availability(
        lesson=quiz.lesson,
        user_id=user.pk,
        now=now,
        enrolment=enrolment,
        has_prerequisites=quiz.has_prerequisites,
    )
    with transaction.atomic():
        extra_percent, extra_attempts, moment, is_held = _candidate(quiz, user)
        attempts = _attempts.rows(quiz=quiz.pk, user=user.pk)
        standing = standing_of(quiz=quiz, attempts=attempts, extra_attempts=extra_attempts)
        if standing.open is not None:
            if not is_overdue(standing.open, moment):
                standing.open.quiz = quiz
                return standing.open, False
            submit_locked(attempt=standing.open, by=EndedBy.DEADLINE, moment=moment)
        if number is not None and number != standing.number:
            raise AnotherAttemptError
        if not checks.is_open(quiz=quiz, window=window):
            raise NotOpenError
        if is_held:
            raise PausedError
        if standing.left == 0:
            raise NoAttemptLeftError
        moment_of_check = checks.moment_of(quiz=quiz, user=user, now=now, holds=True)
        if moment_of_check is not None and not moment_of_check.lets_in:
            raise NotHeldUpError
        return _begin(
            quiz=quiz,
            user=user,
            attempts=attempts,
            standing=standing,
            extra_percent=extra_percent,
            closes_at=window.closes_at,
            moment=moment,
        ), True


def standing_of(*, quiz: Quiz, attempts: list[Attempt], extra_attempts: int) -> Standing:
    """Of all attempts of one person in one test. One that was struck out is not counted."""
    used = sum(attempt.state != AttemptState.VOID for attempt in attempts)
    allowed = None if quiz.attempts_allowed is None else quiz.attempts_allowed + extra_attempts
    still_open = next((attempt for attempt in attempts if attempt.state == AttemptState.OPEN), None)
    return Standing(used, allowed, still_open, still_open.number if still_open else len(attempts) + 1)


def _candidate(quiz: Quiz, user: User) -> tuple[int, int, datetime, bool]:
    """Extra time in percent, extra attempts, the database's time, and whether the test is being held.

    Locks the row to the end of the transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATE, [quiz.pk, user.pk])
        row: tuple[int, int, datetime, bool] = cursor.fetchone()
    return row


def _begin(
    *,
    quiz: Quiz,
    user: User,
    attempts: list[Attempt],
    standing: Standing,
    extra_percent: int,
    closes_at: datetime | None,
    moment: datetime,
) -> Attempt:
    seed = secrets.randbits(62)
    seen = {entry.get("g", entry["v"]) for attempt in attempts for entry in attempt.paper["items"]}
    paper = make_paper(quiz=quiz, seed=seed, seen=seen)
    struck_out = len(attempts) - standing.used
    return Attempt.objects.create(
        quiz=quiz,
        user=user,
        number=len(attempts) + 1,
        allowed=None if standing.allowed is None else standing.allowed + struck_out,
        seed=seed,
        paper=paper.to_json(),
        is_one_way=quiz.is_one_way,
        wrong_share=quiz.wrong_share,
        started_at=moment,
        time_limit_seconds=quiz.time_limit_seconds,
        deadline_at=_deadline(quiz, extra_percent, closes_at, moment),
        grace_seconds=quiz.grace_seconds,
        most_points=paper.most_points,
        pass_percent=quiz.pass_percent,
    )


def _deadline(quiz: Quiz, extra_percent: int, closes_at: datetime | None, moment: datetime) -> datetime | None:
    """The time a person has, or the end of the window where that comes first."""
    ends = [closes_at] if closes_at is not None and closes_at > moment else []
    if quiz.time_limit_seconds is not None:
        ends.append(moment + timedelta(seconds=quiz.time_limit_seconds * (100 + extra_percent) / 100))
    return min(ends, default=None)
