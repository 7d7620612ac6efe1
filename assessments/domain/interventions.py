"""What an operator does to one doctor's test: extra time and attempts, ending an attempt, striking one out.

Each takes the locks that handing in takes, in the same order (candidate, attempt): what a doctor saves or hands in at
the same moment is either before it, and acknowledged, or after it, and refused in words. Each needs a reason, which
stays with the attempt or the candidate and in the audit trail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from assessments.domain.submitting import choose_counting, hold, is_overdue, submit_locked
from assessments.enums import AttemptState, EndedBy
from assessments.models import Attempt, Candidate, Pause, Quiz, ScoreChange
from core.clock import database_now
from courses.domain.queries import lesson_availability
from courses.enums import EnrolmentStatus
from courses.models import Enrolment

LONGEST_REASON = 300
MOST_PERCENT = 300
MOST_ATTEMPTS = 20


class InterventionError(Exception):
    """Nothing was changed; `message` is for the operator."""

    message: Any = _("This cannot be done.")


class ReasonMissingError(InterventionError):
    message = _("Say why: the doctor will ask, and an auditor too.")


class NotOpenError(InterventionError):
    message = _("This attempt has ended already.")


class StruckOutError(InterventionError):
    message = _("This attempt is struck out already.")


class TooMuchError(InterventionError):
    message = _("At most 300 percent of extra time and 20 extra attempts can be given.")


class NoDoctorError(InterventionError):
    message = _("Only doctors of the programme take this test.")


@dataclass(frozen=True, slots=True)
class Given:
    """`deadline_before` and `deadline_after` are those of the open attempt, where its deadline was moved."""

    candidate: Candidate
    deadline_before: datetime | None = None
    deadline_after: datetime | None = None


@transaction.atomic
def end_attempt(*, attempt_id: int, reason: str, actor: User, request: HttpRequest | None = None) -> Attempt:
    """Handed in as it stands: marked, counted, and the lesson completed where that completes it.

    Raises InterventionError. One whose time was over has handed in at its deadline.
    """
    reason = reason_of(reason)
    attempt = hold(attempt_id)
    if attempt.state != AttemptState.OPEN:
        raise NotOpenError
    moment = database_now()
    by = EndedBy.DEADLINE if is_overdue(attempt, moment) else EndedBy.OPERATOR
    submit_locked(attempt=attempt, by=by, moment=moment)
    details = _facts(attempt, reason)
    audit.record("attempt.ended", actor=actor, subject=attempt, request=request, details=details, now=moment)
    return attempt


@transaction.atomic
def strike_out(*, attempt_id: int, reason: str, actor: User, request: HttpRequest | None = None) -> Attempt:
    """It counts no longer: another attempt of the person does, or none, and the limit gives this one back.

    An open one ends unmarked. Everything that was answered stays to be read, and so does a completion: nothing takes
    those away, and its evidence names the attempt. The ranking follows with its next look. Raises InterventionError.
    """
    reason = reason_of(reason)
    attempt = hold(attempt_id)
    if attempt.state == AttemptState.VOID:
        raise StruckOutError
    moment = database_now()
    was = attempt.state
    if was == AttemptState.OPEN:
        attempt.submitted_at, attempt.ended_by = moment, EndedBy.OPERATOR
    attempt.state, attempt.counts = AttemptState.VOID, False
    attempt.save(update_fields=["state", "counts", "submitted_at", "ended_by"])
    ScoreChange.objects.create(
        attempt=attempt,
        by=actor,
        reason=reason,
        score_before=attempt.score,
        was_passed=attempt.is_passed,
        at=moment,
    )
    choose_counting(quiz_id=attempt.quiz_id, user_id=attempt.user_id)
    details = _facts(attempt, reason) | {"was": was}
    audit.record("attempt.struck_out", actor=actor, subject=attempt, request=request, details=details, now=moment)
    return attempt


def give_extra(
    *,
    quiz: Quiz,
    user: User,
    percent: int,
    attempts: int,
    reason: str,
    actor: User,
    request: HttpRequest | None = None,
) -> Given:
    """Instead of what the person had before. More time holds for an open attempt at once.

    Less time holds from the next attempt on: a deadline that somebody has been shown is never brought forward. None is
    moved past the end of the window, and one that is over stays over. Raises InterventionError.
    """
    reason = reason_of(reason) if percent or attempts else " ".join(reason.split())[:LONGEST_REASON]
    if not (0 <= percent <= MOST_PERCENT and 0 <= attempts <= MOST_ATTEMPTS):
        raise TooMuchError
    if not doctors_of(quiz=quiz).filter(user=user).exists():
        raise NoDoctorError
    with transaction.atomic():
        Candidate.objects.bulk_create([Candidate(quiz=quiz, user=user)], ignore_conflicts=True)
        candidate = Candidate.objects.select_for_update(no_key=True).get(quiz=quiz, user=user)
        before = {"percent": candidate.extra_percent, "attempts": candidate.extra_attempts}
        candidate.extra_percent, candidate.extra_attempts, candidate.extra_reason = percent, attempts, reason
        candidate.save(update_fields=["extra_percent", "extra_attempts", "extra_reason"])
        moment = database_now()
        given = _move_deadline(quiz, candidate, moment)
        details = {
            "test": quiz.lesson.title,
            "person": user.pk,
            "before": before,
            "after": {"percent": percent, "attempts": attempts},
            "deadline": given.deadline_after.isoformat() if given.deadline_after else None,
            "reason": reason,
        }
        audit.record(
            "candidate.extra_given", actor=actor, subject=candidate, request=request, details=details, now=moment
        )
    return given


def doctors_of(*, quiz: Quiz) -> QuerySet[Enrolment]:
    """Who may be given something: also those who have not signed in yet, so that it can be prepared."""
    places = Enrolment.objects.filter(programme=quiz.lesson.course.programme_id)
    return places.exclude(status=EnrolmentStatus.WITHDRAWN)


def reason_of(text: str) -> str:
    """On one line. Raises ReasonMissingError."""
    reason = " ".join(text.replace("\x00", "").split())[:LONGEST_REASON]
    if not reason:
        raise ReasonMissingError
    return reason


def _move_deadline(quiz: Quiz, candidate: Candidate, moment: datetime) -> Given:
    """The candidate is locked, and then the attempt, so that a pause that ends now is either in here or adds to it."""
    found = Attempt.objects.select_for_update(no_key=True).filter(
        quiz=quiz, user=candidate.user_id, state=AttemptState.OPEN, deadline_at__isnull=False
    )
    attempt = found.first()
    if attempt is None or attempt.deadline_at is None or is_overdue(attempt, moment):
        return Given(candidate)
    wanted = deadline_with(quiz=quiz, attempt=attempt, percent=candidate.extra_percent, moment=moment)
    if wanted is None or wanted <= attempt.deadline_at:
        return Given(candidate)
    before, attempt.deadline_at = attempt.deadline_at, wanted
    attempt.save(update_fields=["deadline_at"])
    return Given(candidate, before, wanted)


def deadline_with(*, quiz: Quiz, attempt: Attempt, percent: int, moment: datetime) -> datetime | None:
    """What the deadline of an open attempt is with so much extra time: as at its start, pauses since then added.

    None where it has no time limit. By the limit of its start; one that began before that was kept has the test's.
    """
    limit = attempt.time_limit_seconds or quiz.time_limit_seconds
    if limit is None:
        return None
    ends = [attempt.started_at + timedelta(seconds=limit * (100 + percent) / 100)]
    closes_at = lesson_availability(lesson=quiz.lesson, user_id=attempt.user_id, now=moment).closes_at
    if closes_at is not None and closes_at > attempt.started_at:
        ends.append(closes_at)
    pauses = Pause.objects.filter(quiz=quiz, ended_at__gt=attempt.started_at).values_list("began_at", "ended_at")
    held = sum((end - max(began, attempt.started_at) for began, end in pauses if end is not None), timedelta())
    return min(ends) + held


def _facts(attempt: Attempt, reason: str) -> dict[str, Any]:
    return {
        "test": attempt.quiz.lesson.title,
        "person": attempt.user_id,
        "number": attempt.number,
        "score": None if attempt.score is None else str(attempt.score),
        "reason": reason,
    }
