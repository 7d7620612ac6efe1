"""How a test stands for one doctor: its page, the API and the result page ask the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from assessments.domain import checks
from assessments.domain.afterwards import Lecture, Topic, topics_of, watch_again
from assessments.domain.sheet import Policy, Reviewed, policy_of, review_of
from assessments.domain.starting import Standing, standing_of
from assessments.domain.submitting import end_if_over
from assessments.enums import FINISHED_STATES, AttemptState
from assessments.models import Attempt, Candidate, Quiz
from core.prepared import Prepared
from courses.domain.availability import Availability, State
from courses.domain.lesson_kinds import Moment
from courses.domain.queries import lesson_availability

# Every doctor asks before the start, all in the same minutes. Papers are long, and nothing of them is said here.
_attempts = Prepared[Attempt](
    lambda quiz, user: Attempt.objects.filter(quiz=quiz, user=user).order_by("number").defer("paper")
)
_extra = Prepared[tuple[int, int]](
    lambda quiz, user: Candidate.objects.filter(quiz=quiz, user=user).values_list("extra_attempts", "extra_percent")
)


@dataclass(frozen=True, slots=True)
class Past:
    """A finished attempt; `score` only where the policy shows it."""

    attempt: Attempt
    shows_marks: bool

    @property
    def score(self) -> Decimal | None:
        return self.attempt.score if self.shows_marks else None

    @property
    def is_passed(self) -> bool | None:
        return self.attempt.is_passed if self.shows_marks else None


@dataclass(frozen=True, slots=True)
class Overview:
    quiz: Quiz
    availability: Availability
    standing: Standing
    past: Sequence[Past]
    time_limit_seconds: int | None
    moment: Moment | None = None  # of a check within a webinar

    @property
    def may_start(self) -> bool:
        return self.standing.open is not None or (self.is_open and self.standing.left != 0)

    @property
    def state(self) -> State:
        """Of its window, and of a check's moment: who waits only for its webinar may begin."""
        if self.is_open:
            return State.OPEN
        in_room = {Moment.BEFORE: State.NOT_YET, Moment.OVER: State.CLOSED}
        return in_room.get(self.moment, self.availability.state) if self.moment else self.availability.state

    @property
    def is_open(self) -> bool:
        is_open = checks.is_open(quiz=self.quiz, window=self.availability)
        return is_open and (self.moment is None or self.moment.lets_in)


@dataclass(frozen=True, slots=True)
class Result:
    attempt: Attempt
    policy: Policy
    questions: Sequence[Reviewed]
    overview: Overview
    topics: Sequence[Topic]
    watch: Sequence[Lecture]

    @property
    def score(self) -> Decimal | None:
        return self.attempt.score if self.policy.marks else None

    @property
    def is_passed(self) -> bool | None:
        return self.attempt.is_passed if self.policy.marks else None


def overview_of(*, quiz: Quiz, user: User, now: datetime) -> Overview:
    """An attempt whose time ran out unnoticed is handed in first."""
    attempts = _attempts.rows(quiz=quiz.pk, user=user.pk)
    if any(end_if_over(attempt=one) for one in attempts if one.state == AttemptState.OPEN):
        attempts = _attempts.rows(quiz=quiz.pk, user=user.pk)
    extra_attempts, extra_percent = _extra.first(quiz=quiz.pk, user=user.pk) or (0, 0)
    standing = standing_of(quiz=quiz, attempts=attempts, extra_attempts=extra_attempts)
    availability = lesson_availability(
        lesson=quiz.lesson, user_id=user.pk, now=now, has_prerequisites=quiz.has_prerequisites
    )
    moment = checks.moment_of(quiz=quiz, user=user, now=now)
    past = []
    for attempt in attempts:
        if attempt.state in FINISHED_STATES:
            attempt.quiz = quiz
            past.append(Past(attempt, _policy(attempt, attempts, standing, availability, moment).marks))
    limit: Any = quiz.time_limit_seconds
    if limit is not None:
        limit = limit * (100 + extra_percent) // 100
    return Overview(quiz, availability, standing, past, limit, moment)


def result_of(*, attempt: Attempt, user: User, now: datetime) -> Result:
    """Of a finished attempt; `attempt` as its door gives it."""
    overview = overview_of(quiz=attempt.quiz, user=user, now=now)
    attempts = [one.attempt for one in overview.past] + [one for one in (overview.standing.open,) if one]
    policy = _policy(attempt, attempts, overview.standing, overview.availability, overview.moment)
    questions = review_of(attempt=attempt, policy=policy)
    topics = topics_of(questions=questions, policy=policy)
    watch = watch_again(questions=questions, policy=policy, quiz=attempt.quiz, user=user, now=now)
    return Result(attempt, policy, questions, overview, topics, watch)


def _policy(
    attempt: Attempt,
    attempts: Sequence[Attempt],
    standing: Standing,
    availability: Availability,
    moment: Moment | None,
) -> Policy:
    """While a check is open in the room nobody is told what is right, whatever its settings: others are still at it."""
    policy = policy_of(
        attempt=attempt, attempts=attempts, attempts_left=standing.left, closes_at=availability.closes_at
    )
    return replace(policy, answers=False) if moment is Moment.RUNNING else policy
