"""Marking by people: essays, and short answers that the key is unsure of.

An answer is decided when as many people as the test wants have marked it and they agree to a fifth of the points (the
mean counts), or when a third person has decided. Nobody marks the same answer twice; nobody sees the others' marks
before giving their own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from assessments.domain.keys import last_revision
from assessments.domain.submitting import POINT_PLACES, choose_counting, complete, finish, hold, is_pass, sum_of
from assessments.enums import AttemptState, Outcome
from assessments.items.base import FULL, NONE, SHARE_PLACES, Mark
from assessments.models import Answer, Attempt, HandMark, MarkingTurn, Quiz, ScoreChange
from core.clock import database_now

AGREEMENT = Decimal("0.2")  # of the points
LONGEST_COMMENT = 2000
LONGEST_REASON = 500


class MarkingError(Exception):
    """Nothing was changed; `message` is for the marker."""

    message: Any = _("This answer is not waiting for a mark.")


class PointsError(MarkingError):
    message = _("Give between none and all of the points.")


class OwnAnswerError(MarkingError):
    message = _("Nobody marks their own answer.")


class NotInDisputeError(MarkingError):
    message = _("Only where two markers disagree a third one decides.")


class FasterError(MarkingError):
    message = _("Somebody else was faster: this answer is marked. Your mark was not needed and was not kept.")


class MarkedAlreadyError(MarkingError):
    message = _("You have marked this answer already. You may change your mark here.")


class DecidedError(MarkingError):
    message = _("This mark cannot be changed any more: the answer was decided with others.")


class EverybodyError(MarkingError):
    message = _("Everybody was given the points of this question: its key was corrected.")


class NoReasonError(MarkingError):
    message = _("Say why: the result stands already, and the doctor may ask.")


def mark_by_hand(
    *,
    answer_id: int,
    marker: User,
    points: Decimal,
    comment: str = "",
    rubric: Sequence[str] = (),
    decides: bool = False,
    request: HttpRequest | None = None,
) -> Answer:
    """Give one mark; the attempt is finished when it was the last one. The same mark again changes nothing.

    `decides`: as the third person of a dispute. Raises MarkingError.
    """
    with transaction.atomic():
        attempt, answer = _held(answer_id)
        given = list(answer.hand_marks.all())
        mine = next((one for one in given if one.marker_id == marker.pk), None)
        if mine is not None:
            if mine.points == points.quantize(POINT_PLACES):
                return answer
            raise MarkedAlreadyError
        _check(attempt, answer, marker, given, decides=decides)
        moment = database_now()
        mark = HandMark(answer=answer, marker=marker, is_deciding=decides)
        _write(mark, attempt, points=points, comment=comment, rubric=rubric, moment=moment)
        MarkingTurn.objects.filter(answer=answer, marker=marker).delete()
        action = "answer.decided" if decides else "answer.marked"
        _record(action, mark, attempt, request=request, moment=moment)
        _decide(attempt, answer, moment)
    return answer


def change_mark(
    *,
    answer_id: int,
    marker: User,
    points: Decimal,
    comment: str = "",
    rubric: Sequence[str] = (),
    reason: str = "",
    request: HttpRequest | None = None,
) -> Answer:
    """One's own mark, as long as nobody else's has decided the answer with it. Raises MarkingError.

    Where the result stands already it needs a reason, and leaves a row in the trail of changed results.
    """
    with transaction.atomic():
        attempt, answer = _held(answer_id)
        given = list(answer.hand_marks.all())
        mark = next((one for one in given if one.marker_id == marker.pk), None)
        if mark is None:
            raise MarkingError
        if refused := why_fixed(answer=answer, mark=mark, marks=given):
            raise refused
        reason = " ".join(reason.split())[:LONGEST_REASON]
        if attempt.state == AttemptState.MARKED and not reason:
            raise NoReasonError
        moment, before = database_now(), mark.points
        _write(mark, attempt, points=points, comment=comment, rubric=rubric, moment=moment)
        details = {"before": before, "reason": reason}
        _record("answer.mark_changed", mark, attempt, request=request, moment=moment, details=details)
        if answer.outcome == Outcome.WAITING:
            _decide(attempt, answer, moment)
        else:
            _change_result(attempt, answer, marker, reason, moment)
    return answer


def why_fixed(*, answer: Answer, mark: HandMark, marks: Sequence[HandMark]) -> MarkingError | None:
    """Why this mark cannot be changed any more; none where it can. `answer` with its attempt."""
    last = last_revision(answer.version)
    if last is not None and last.gives_everybody:
        return EverybodyError()
    if answer.attempt.state not in (AttemptState.SUBMITTED, AttemptState.MARKED):
        return MarkingError()
    if answer.outcome == Outcome.WAITING:
        return None
    if not answer.is_marked_by_hand or used_of(marks) != [mark]:
        return DecidedError()
    return None


def used_of(marks: Sequence[HandMark]) -> list[HandMark]:
    """Those that decide."""
    return [mark for mark in marks if mark.is_deciding] or list(marks)


def is_disputed(marks: Sequence[HandMark], quiz: Quiz) -> bool:
    shares = [mark.share for mark in marks]
    return len(shares) >= quiz.markers_needed > 1 and max(shares) - min(shares) > AGREEMENT


def set_hand_mark(answer: Answer, marks: Sequence[HandMark]) -> None:
    """The mean of those that decide. Not saved."""
    used = used_of(marks)
    mark = Mark.of(sum((one.share for one in used), NONE) / len(used))
    answer.outcome, answer.share = mark.outcome, mark.share
    answer.points = (sum((one.points for one in used), Decimal(0)) / len(used)).quantize(POINT_PLACES)
    answer.is_marked_by_hand = True


def most_points_of(attempt: Attempt, position: int) -> Decimal:
    """What the question at that place of the paper is worth."""
    return Decimal(attempt.paper["items"][position]["p"])


def _held(answer_id: int) -> tuple[Attempt, Answer]:
    attempt_id = Answer.objects.values_list("attempt_id", flat=True).get(pk=answer_id)
    attempt = hold(attempt_id)
    answer = Answer.objects.select_related("version").get(pk=answer_id)
    answer.attempt = attempt
    return attempt, answer


def _check(attempt: Attempt, answer: Answer, marker: User, given: Sequence[HandMark], *, decides: bool) -> None:
    if attempt.user_id == marker.pk:
        raise OwnAnswerError
    if attempt.state not in (AttemptState.SUBMITTED, AttemptState.MARKED):
        raise MarkingError
    if attempt.state != AttemptState.SUBMITTED or answer.outcome != Outcome.WAITING:
        raise FasterError if given else MarkingError
    disputed = is_disputed(given, attempt.quiz)
    if decides and not disputed:
        raise NotInDisputeError
    if disputed and not decides:
        raise FasterError


def _write(
    mark: HandMark, attempt: Attempt, *, points: Decimal, comment: str, rubric: Sequence[str], moment: datetime
) -> None:
    most = most_points_of(attempt, mark.answer.position)
    if not NONE <= points <= most:
        raise PointsError
    mark.points = points.quantize(POINT_PLACES)
    mark.share = (points / most).quantize(SHARE_PLACES) if most else FULL
    mark.comment = comment.strip()[:LONGEST_COMMENT]
    mark.rubric = list(rubric)
    mark.at = moment
    mark.save()


def _decide(attempt: Attempt, answer: Answer, moment: datetime) -> None:
    """From the marks as they are now; nothing while one is missing, or two do not agree."""
    marks = list(answer.hand_marks.all())
    deciding = any(mark.is_deciding for mark in marks)
    if not deciding and (len(marks) < attempt.quiz.markers_needed or is_disputed(marks, attempt.quiz)):
        return
    _settle(answer, marks)
    finish(attempt=attempt, moment=moment)


def _settle(answer: Answer, marks: Sequence[HandMark]) -> None:
    """Nobody has it before them any more."""
    MarkingTurn.objects.filter(answer=answer).delete()
    set_hand_mark(answer, marks)
    answer.save(update_fields=["outcome", "share", "points", "is_marked_by_hand"])


def _change_result(attempt: Attempt, answer: Answer, marker: User, reason: str, moment: datetime) -> None:
    """Of an answer that was decided by this one mark. No trail where no result stood yet."""
    _settle(answer, list(answer.hand_marks.all()))
    if attempt.state != AttemptState.MARKED:
        return
    before, was_passed = attempt.score, attempt.is_passed
    attempt.score = sum_of(attempt, attempt.answers.all())
    attempt.is_passed = is_pass(attempt) if attempt.pass_percent is not None else None
    if (before, was_passed) == (attempt.score, attempt.is_passed):
        return
    attempt.save(update_fields=["score", "is_passed"])
    ScoreChange.objects.create(
        attempt=attempt,
        by=marker,
        reason=reason,
        score_before=before,
        score_after=attempt.score,
        was_passed=was_passed,
        is_passed=attempt.is_passed,
        at=moment,
    )
    choose_counting(quiz_id=attempt.quiz_id, user_id=attempt.user_id)
    complete(attempt=attempt, moment=moment)


def _record(
    action: str,
    mark: HandMark,
    attempt: Attempt,
    *,
    request: HttpRequest | None,
    moment: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    facts = {"attempt": attempt.pk, "position": mark.answer.position, "points": mark.points, **(details or {})}
    audit.record(action, actor=mark.marker, subject=mark.answer, request=request, details=facts, now=moment)
