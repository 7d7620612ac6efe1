"""Answers, saved one by one as they are given.

One statement decides and writes: it holds the attempt in share mode, so that handing in waits for saves under way,
and a save that comes after it finds the attempt closed. The clock is the database's. `saved` is a number that the
browser raises with every change of an answer: a repetition changes nothing, an older one never overwrites a newer one.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.db import connection
from django.utils.translation import gettext_lazy as _

from assessments.domain.questions import question_of
from assessments.domain.submitting import is_overdue
from assessments.enums import AttemptState
from assessments.items.base import AnswerError, Json
from assessments.models import Answer, Attempt, Pause
from core.clock import database_now

MOST_SECONDS = 24 * 60 * 60
MOST_SAVED = 2**31 - 1
MOST_FIELDS = 500
_SAVE = """
WITH held AS (
    SELECT a.id FROM assessments_attempt a
    WHERE a.id = %(attempt)s AND a.state = 'open'
      AND (a.deadline_at IS NULL OR clock_timestamp() <= a.deadline_at + make_interval(secs => a.grace_seconds))
      AND (NOT a.is_one_way OR a.reached = %(position)s)
      AND NOT EXISTS (SELECT FROM assessments_pause p WHERE p.quiz_id = a.quiz_id AND p.ended_at IS NULL)
    FOR SHARE OF a
)
INSERT INTO assessments_answer AS w (
    attempt_id, position, version_id, value, saved, saved_at, is_flagged, seconds, outcome
)
SELECT held.id, %(position)s, %(version)s, %(value)s::jsonb, %(saved)s, clock_timestamp(), %(flagged)s, %(seconds)s, ''
FROM held
ON CONFLICT (attempt_id, position) DO UPDATE SET
    value = excluded.value, saved = excluded.saved, saved_at = excluded.saved_at, is_flagged = excluded.is_flagged,
    seconds = greatest(w.seconds, excluded.seconds)
WHERE w.saved < excluded.saved
RETURNING saved_at
"""


class SaveError(Exception):
    """The answer was not saved; `message` is for the doctor."""

    message: Any = _("Your answer was not saved. Please reload the page.")


class NoSuchQuestionError(SaveError):
    message = _("There is no such question in this test.")


class BadAnswerError(SaveError):
    message: Any = _("This answer cannot be read. Please choose again.")

    def __init__(self, text: str = "") -> None:
        super().__init__()
        if text:
            self.message = text


class FinishedError(SaveError):
    message = _("This attempt is handed in already.")


class TimeUpError(SaveError):
    message = _("The time for this test is over. What was saved before counts.")


class HeldError(SaveError):
    message = _("The test is being held for a moment. Your time does not run.")


class PassedByError(SaveError):
    message = _("This question is not open. In this test there is no way back, and none ahead.")


class NewerSavedError(SaveError):
    """Another tab or device has saved since. `answer` is what stands."""

    message = _("This question was answered in another window meanwhile. That answer is shown now.")

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def save_answer(
    *, attempt: Attempt, position: int, raw: Any, saved: int, is_flagged: bool = False, seconds: int = 0
) -> datetime:
    """When it was saved. `raw` is any JSON; none takes the answer back. One statement, where it goes well.

    Raises SaveError.
    """
    version_id = _entry(attempt, position)["v"]
    if not 1 <= saved <= MOST_SAVED:
        raise NoSuchQuestionError
    value = _cleaned(version_id, raw)
    parameters = {
        "attempt": attempt.pk,
        "position": position,
        "version": version_id,
        "value": None if value is None else json.dumps(value),
        "saved": saved,
        "flagged": is_flagged,
        "seconds": max(0, min(seconds, MOST_SECONDS)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, parameters)
        row = cursor.fetchone()
    if row is not None:
        moment: datetime = row[0]
        return moment
    return _known(attempt, position, value=value, saved=saved, is_flagged=is_flagged)


def read_form(*, attempt: Attempt, position: int, form: str) -> Any:
    """What a page's form says, URL-encoded, as `raw`. Raises SaveError."""
    question = question_of(_entry(attempt, position)["v"])
    try:
        fields = parse_qs(form, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadAnswerError(str(error)) from error
    return question.type.read_form(shown=question.shown, data=fields)


def save_if_changed(*, attempt: Attempt, position: int, form: str, saved: int, is_flagged: bool) -> None:
    """For forms, which are sent whether anything was answered or not. `saved` is of the answer the form was made of.

    Raises SaveError.
    """
    raw = read_form(attempt=attempt, position=position, form=form)
    value = _cleaned(_entry(attempt, position)["v"], raw)
    stands = attempt.answers.filter(position=position).values_list("value", "is_flagged").first() or (None, False)
    if (value, is_flagged) != stands:
        save_answer(attempt=attempt, position=position, raw=raw, saved=saved + 1, is_flagged=is_flagged)


def go_on(*, attempt: Attempt, to: int) -> int:
    """The position that is open now: in a test without a way back, one further at a time. Idempotent."""
    _entry(attempt, to)
    if not attempt.is_one_way:
        return to
    moved = Attempt.objects.filter(pk=attempt.pk, state=AttemptState.OPEN, reached=to - 1).update(reached=to)
    if not moved and not Attempt.objects.filter(pk=attempt.pk, reached=to).exists():
        raise PassedByError
    return to


def _entry(attempt: Attempt, position: int) -> Json:
    items: list[Json] = attempt.paper["items"]
    if not 0 <= position < len(items):
        raise NoSuchQuestionError
    return items[position]


def _cleaned(version_id: int, raw: Any) -> Json | None:
    if raw is None:
        return None
    question = question_of(version_id)
    try:
        return question.type.clean_answer(shown=question.shown, raw=raw)
    except AnswerError as error:
        raise BadAnswerError from error


def _known(attempt: Attempt, position: int, *, value: Json | None, saved: int, is_flagged: bool) -> datetime:
    """Why the statement wrote nothing: when it wrote the same before, that is a success. Otherwise raises SaveError."""
    stands = Answer.objects.filter(attempt=attempt, position=position).first()
    if stands is not None and (stands.saved, stands.value, stands.is_flagged) == (saved, value, is_flagged):
        if stands.saved_at is None:
            raise SaveError
        return stands.saved_at
    attempt.refresh_from_db(fields=["state", "deadline_at", "reached"])
    if attempt.state != AttemptState.OPEN:
        raise FinishedError
    if Pause.objects.filter(quiz=attempt.quiz_id, ended_at=None).exists():
        raise HeldError
    if is_overdue(attempt, database_now()):
        raise TimeUpError
    if attempt.is_one_way and attempt.reached != position:
        raise PassedByError
    if stands is not None and stands.saved >= saved:
        raise NewerSavedError(stands)
    raise SaveError
