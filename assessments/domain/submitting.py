"""The end of an attempt: by the person, by the clock, by an operator. Once, and with everything that was acknowledged.

open → marked where every answer can be marked at once, open → submitted where a person has to look; `finish` takes the
second to the first. Locks in this order, everywhere: candidate, attempt, enrolment.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Prefetch

from assessments.domain.keys import current_key, last_revision
from assessments.enums import AttemptState, CompletesBy, Counting, EndedBy, Outcome
from assessments.items import type_of
from assessments.items.base import BLANK, GIVEN, Json, Mark
from assessments.models import Answer, Attempt, Candidate, ItemVersion, KeyRevision, Pause
from core.clock import database_now, now
from courses.domain.completion import Done, complete_lessons

logger = logging.getLogger(__name__)
POINT_PLACES = Decimal("0.0001")
# A replica's clock, set by the database's, is nearer than that: nobody has to be asked.
FAR_AWAY = timedelta(seconds=10)
_MARKS = """
UPDATE assessments_answer AS a
SET outcome = given.outcome, share = given.share, points = given.points, key_number = given.key_number
FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::integer[])
    AS given (id, outcome, share, points, key_number)
WHERE a.id = given.id
"""


def submit(*, attempt_id: int, by: EndedBy) -> Attempt:
    """Hand in. Idempotent: who comes second gets what the first one made.

    Whose time was over already has handed in at the deadline.
    """
    with transaction.atomic():
        attempt = hold(attempt_id)
        if attempt.state == AttemptState.OPEN:
            moment = database_now()
            submit_locked(attempt=attempt, by=EndedBy.DEADLINE if is_overdue(attempt, moment) else by, moment=moment)
    return attempt


def end_if_over(*, attempt: Attempt) -> bool:
    """Whether it is over. One whose time ran out unnoticed is handed in: nobody is shown a door that is shut."""
    if attempt.state != AttemptState.OPEN:
        return True
    if attempt.deadline_at is None or attempt.deadline_at - now() > FAR_AWAY:
        return False
    if not is_overdue(attempt, database_now()):
        return False
    submit(attempt_id=attempt.pk, by=EndedBy.DEADLINE)
    return True


def submit_overdue(*, most: int = 200) -> int:
    """Attempts whose time is over, browser or not. How many were handed in. For a sweep.

    Each by itself: one that fails is told to the log and holds nobody up; it is tried again by the next sweep.
    """
    moment = database_now()
    due = Attempt.objects.filter(state=AttemptState.OPEN, deadline_at__lt=moment).order_by("deadline_at")
    held = Pause.objects.filter(ended_at=None).values("quiz")
    ended = 0
    for attempt_id in due.exclude(quiz__in=held).values_list("pk", flat=True)[:most]:
        try:
            ended += _submit_if_overdue(attempt_id, moment)
        except Exception:
            logger.exception("An attempt could not be handed in: %s", attempt_id)
    return ended


@transaction.atomic
def _submit_if_overdue(attempt_id: int, moment: datetime) -> bool:
    attempt = hold(attempt_id)
    if attempt.state != AttemptState.OPEN or not is_overdue(attempt, moment):
        return False
    submit_locked(attempt=attempt, by=EndedBy.DEADLINE, moment=moment)
    return True


def hold(attempt_id: int) -> Attempt:
    """The attempt with quiz and lesson, locked to the end of the transaction: it waits for saves under way."""
    who = Candidate.objects.filter(quiz__attempts=attempt_id, user__attempts=attempt_id)
    who.select_for_update(no_key=True, of=("self",)).get()
    attempts = Attempt.objects.select_related("quiz__lesson").select_for_update(no_key=True, of=("self",))
    return attempts.get(pk=attempt_id)


def is_overdue(attempt: Attempt, moment: datetime) -> bool:
    """The grace included: until then what was sent in time may still arrive. While a test is held no time runs."""
    if attempt.deadline_at is None:
        return False
    end = attempt.deadline_at + timedelta(seconds=attempt.grace_seconds)
    if moment <= end:
        return False
    held = Pause.objects.filter(quiz=attempt.quiz_id, ended_at=None).values_list("began_at", flat=True).first()
    return held is None or held > end


def submit_locked(*, attempt: Attempt, by: EndedBy, moment: datetime) -> None:
    """Ended, marked, and the lesson completed where that completes it. The caller holds the candidate's row."""
    attempt.state, attempt.ended_by = AttemptState.SUBMITTED, by
    attempt.submitted_at = moment
    if by == EndedBy.DEADLINE and attempt.deadline_at is not None:
        attempt.submitted_at = min(moment, attempt.deadline_at)
    attempt.save(update_fields=["state", "ended_by", "submitted_at"])
    finish(attempt=attempt, answers=mark_answers(attempt=attempt), moment=moment)


def mark_answers(*, attempt: Attempt) -> list[Answer]:
    """By the key as it stands now. Rows of untouched questions are written. Four statements, whatever the length."""
    items = attempt.paper["items"]
    versions = versions_with_keys({entry["v"] for entry in items})
    given = {answer.position: answer for answer in attempt.answers.all()}
    marked = []
    for position, entry in enumerate(items):
        answer = given.get(position) or Answer(attempt=attempt, position=position, version_id=entry["v"])
        mark = mark_of(version=versions[entry["v"]], value=answer.value, wrong_share=attempt.wrong_share)
        set_mark(answer, mark, most=Decimal(entry["p"]))
        last = last_revision(versions[entry["v"]])
        answer.key_number = last.number if last else 0
        marked.append(answer)
    Answer.objects.bulk_create([answer for answer in marked if answer.position not in given])
    write_marks([answer for answer in marked if answer.position in given])
    return marked


def write_marks(answers: Sequence[Answer]) -> None:
    """As `bulk_update` would, whose statement takes a third of what handing in costs: a whole exam does so at once."""
    columns = ([getattr(one, name) for one in answers] for name in ("pk", "outcome", "share", "points", "key_number"))
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, list(columns))


def mark_of(*, version: ItemVersion, value: Json | None, wrong_share: Decimal) -> Mark:
    """`version` as `versions_with_keys` reads it. Only kinds with one choice take `wrong_share` from a wrong answer."""
    last = last_revision(version)
    if last is not None and last.gives_everybody:
        return GIVEN
    return mark_by(version=version, key=current_key(version), value=value, wrong_share=wrong_share)


def mark_by(*, version: ItemVersion, key: Json, value: Json | None, wrong_share: Decimal) -> Mark:
    """By a key that need not be the one that counts."""
    if value is None:
        return BLANK
    return type_of(version.item.kind).mark(shown=version.shown, key=key, value=value, wrong_share=wrong_share)


def set_mark(answer: Answer, mark: Mark, *, most: Decimal) -> None:
    answer.outcome, answer.share = mark.outcome, mark.share
    answer.points = None
    if mark.outcome != Outcome.WAITING and mark.share is not None:
        answer.points = (mark.share * most).quantize(POINT_PLACES)


def finish(*, attempt: Attempt, moment: datetime, answers: Iterable[Answer] | None = None) -> None:
    """The sum, once nothing waits for a person any more; and the lesson, as its test says. Idempotent.

    `answers` where they were just marked; else they are read.
    """
    attempt.score = sum_of(attempt, attempt.answers.all() if answers is None else answers)
    if attempt.score is not None:
        attempt.is_passed = None if attempt.pass_percent is None else is_pass(attempt)
        attempt.state = AttemptState.MARKED
        attempt.save(update_fields=["score", "is_passed", "state"])
        choose_counting(quiz_id=attempt.quiz_id, user_id=attempt.user_id)
    complete(attempt=attempt, moment=moment)


def sum_of(attempt: Attempt, answers: Iterable[Answer]) -> Decimal | None:
    """Never below nothing, whatever wrong answers cost. None while one waits for a person."""
    answers = list(answers)
    if any(answer.outcome == Outcome.WAITING for answer in answers):
        return None
    total = sum((answer.points for answer in answers if answer.points is not None), Decimal(0))
    return min(attempt.most_points, max(Decimal(0), total))


def complete(*, attempt: Attempt, moment: datetime) -> None:
    """The lesson, where this attempt completes it. Idempotent; what is complete stays so."""
    if attempt.quiz.completes_by == CompletesBy.SUBMITTING or attempt.is_passed:
        complete_lessons([Done(attempt.user_id, attempt.quiz.lesson_id, evidence_of(attempt))], now=moment)


def is_pass(attempt: Attempt, score: Decimal | None = None) -> bool:
    """In exact numbers: 59.999 % of a pass mark of 60 is no pass, and 60 is one. With its own score, or another one."""
    score = attempt.score if score is None else score
    if score is None or attempt.pass_percent is None:
        raise ValueError("Only an attempt with a score and a pass mark is passed or not.")
    return score * 100 >= attempt.pass_percent * attempt.most_points


def choose_counting(*, quiz_id: int, user_id: int) -> None:
    """Exactly one marked attempt of a person counts. The caller holds the candidate; a constraint sees to the rest."""
    attempts = list(
        Attempt.objects.filter(quiz_id=quiz_id, user_id=user_id, state=AttemptState.MARKED)
        .select_related("quiz")
        .order_by("number")
    )
    chosen = _counting(attempts)
    for attempt in attempts:
        if attempt.counts and attempt is not chosen:
            Attempt.objects.filter(pk=attempt.pk).update(counts=False)
    if chosen is not None and not chosen.counts:
        Attempt.objects.filter(pk=chosen.pk).update(counts=True)


def evidence_of(attempt: Attempt) -> Json:
    return {
        "attempt": attempt.pk,
        "number": attempt.number,
        "score": None if attempt.score is None else str(attempt.score),
        "of": str(attempt.most_points),
        "passed": attempt.is_passed,
        "submitted_at": attempt.submitted_at.isoformat() if attempt.submitted_at else None,
    }


def _counting(attempts: list[Attempt]) -> Attempt | None:
    if not attempts:
        return None
    counting = attempts[0].quiz.counting
    if counting == Counting.FIRST:
        return attempts[0]
    if counting == Counting.LAST:
        return attempts[-1]
    return max(attempts, key=_worth)


def _worth(attempt: Attempt) -> tuple[Decimal, int]:
    """The papers of random draws may have different sums: the share decides; the earlier one where it is the same."""
    share = (attempt.score or Decimal(0)) / attempt.most_points if attempt.most_points else Decimal(0)
    return share, -attempt.number


def versions_with_keys(ids: Iterable[int]) -> dict[int, ItemVersion]:
    newest_first = Prefetch("revisions", queryset=KeyRevision.objects.order_by("-number"))
    return ItemVersion.objects.select_related("item").prefetch_related(newest_first).in_bulk(list(ids))
