"""What waits at the marking desk, and who has which answer before them.

A marker is given one answer at a time, and nobody else is given it meanwhile: for half an hour, or until it is marked
or put off. Questions come one after the other, because one marks more evenly so; within a question those first that
somebody has begun, then whoever has waited longest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from assessments.domain.keys import current_key
from assessments.domain.marking import AGREEMENT, MarkingError, is_disputed, most_points_of, why_fixed
from assessments.domain.questions import Question, question_of
from assessments.domain.submitting import mark_by
from assessments.enums import FINISHED_STATES, AttemptState, Outcome
from assessments.items import type_of
from assessments.items.base import Criterion, Guide
from assessments.models import Answer, HandMark, ItemVersion, MarkingTurn, Quiz
from core.clock import database_now, now

TURN = timedelta(minutes=30)
RECENT = 5


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits in one test for one marker."""

    quiz: Quiz
    mine: int = 0  # to be marked by this person
    disputed: int = 0  # two have marked, do not agree, and this person may decide
    busy: int = 0  # before another marker right now
    others: int = 0  # for others to say: this person has marked them, or wrote them
    oldest: datetime | None = None  # since when the oldest waits

    @property
    def all(self) -> int:
        return self.mine + self.disputed + self.busy + self.others


@dataclass(frozen=True, slots=True)
class Progress:
    """Of all answers of a test that people mark."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 100


@dataclass(frozen=True, slots=True)
class Paper:
    """One answer before a marker, without the name of who gave it.

    `marks` are others' marks: nothing of them is here but for the third person, who has to decide.
    """

    answer: Answer
    question: Question
    story: Question | None
    text: str
    most: Decimal
    note: str
    suggested: Decimal | None
    criteria: Sequence[Criterion]
    guide: Sequence[Guide]
    model: str
    mine: HandMark | None
    marks: Sequence[HandMark]
    may_mark: bool
    decides: bool
    is_busy: bool
    is_disputed: bool
    fixed: MarkingError | None
    result_stands: bool

    @property
    def suggested_points(self) -> Decimal | None:
        """Where the key suggests neither none nor all of them."""
        points: Decimal | None = None if self.suggested is None else self.suggested * self.most
        return points if points is not None and 0 < points < self.most else None

    @property
    def may_change(self) -> bool:
        return self.mine is not None and self.fixed is None


def desks_of(*, marker: User, quizzes: QuerySet[Quiz]) -> list[Desk]:
    """Tests with something waiting, the one that has waited longest first. Two queries, whatever waits."""
    rows = list(
        _waiting(marker)
        .filter(attempt__quiz__in=quizzes)
        .order_by()
        .values("attempt__quiz")
        .annotate(
            for_me=Count("pk", filter=MINE),
            to_decide=Count("pk", filter=TO_DECIDE),
            at_others=Count("pk", filter=BUSY),
            all=Count("pk"),
            oldest=Min("attempt__submitted_at"),
        )
    )
    found = Quiz.objects.select_related("lesson__course__programme").in_bulk([row["attempt__quiz"] for row in rows])
    desks = [_desk(found[row["attempt__quiz"]], row) for row in rows]
    return sorted(desks, key=lambda desk: (desk.oldest is None, desk.oldest))


def desk_of(*, quiz: Quiz, marker: User) -> Desk:
    desks = desks_of(marker=marker, quizzes=Quiz.objects.filter(pk=quiz.pk))
    return desks[0] if desks else Desk(quiz)


def waiting_for(*, marker: User, quizzes: QuerySet[Quiz]) -> int:
    """How many answers this person could mark or decide now. One query."""
    return _waiting(marker).filter(MINE | TO_DECIDE, attempt__quiz__in=quizzes).count()


def progress_of(*, quiz: Quiz) -> Progress:
    answers = Answer.objects.filter(attempt__quiz=quiz, attempt__state__in=FINISHED_STATES)
    counted = answers.aggregate(
        done=Count("pk", filter=Q(is_marked_by_hand=True)),
        total=Count("pk", filter=Q(is_marked_by_hand=True) | Q(outcome=Outcome.WAITING)),
    )
    return Progress(counted["done"], counted["total"])


def recent_marks(*, quizzes: QuerySet[Quiz], marker: User) -> list[HandMark]:
    """One's own, the last one first."""
    marks = HandMark.objects.filter(marker=marker, answer__attempt__quiz__in=quizzes)
    found = marks.select_related("answer__attempt__quiz__lesson", "answer__version__item")
    return list(found.defer("answer__attempt__paper", "answer__version__key").order_by("-at", "-pk")[:RECENT])


def take_next(*, quiz: Quiz, marker: User, disputed: bool = False) -> Answer | None:
    """Before this marker from now on. Who has one open already gets that one; what was put off comes last.

    The test's row orders those who ask in the same moment: no two get the same answer.
    """
    with transaction.atomic():
        Quiz.objects.select_for_update(no_key=True).get(pk=quiz.pk)
        moment = database_now()
        turn = MarkingTurn.objects.filter(answer=OuterRef("pk"), marker=marker)
        found: Answer | None = (
            _waiting(marker, moment)
            .filter(TO_DECIDE if disputed else MINE, attempt__quiz=quiz)
            .annotate(put_off=Subquery(turn.values("skipped_at")), is_open=Exists(turn.filter(until__gt=moment)))
            .order_by(
                "-is_open", F("put_off").asc(nulls_first=True), "version", "-marks", "attempt__submitted_at", "pk"
            )
            .first()
        )
        if found is not None:
            until = {"until": moment + TURN}
            MarkingTurn.objects.update_or_create(answer=found, marker=marker, defaults=until)
    return found


def put_off(*, answer_id: int, marker: User) -> None:
    """For now: it comes again after the others, and others may have it meanwhile."""
    moment = database_now()
    off = {"until": moment, "skipped_at": moment}
    MarkingTurn.objects.update_or_create(answer_id=answer_id, marker=marker, defaults=off)


def paper_of(*, answer: Answer, marker: User) -> Paper:
    """Everything the page of one answer shows. `answer` with its attempt and quiz."""
    version = ItemVersion.objects.select_related("item").prefetch_related("revisions").get(pk=answer.version_id)
    answer.version = version
    kind, key = type_of(version.item.kind), current_key(version)
    attempt, marks = answer.attempt, list(answer.hand_marks.order_by("at", "pk"))
    entry = attempt.paper["items"][answer.position]
    mine = next((one for one in marks if one.marker_id == marker.pk), None)
    disputed = is_disputed(marks, attempt.quiz)
    turns = MarkingTurn.objects.filter(answer=answer, until__gt=now()).exclude(marker=marker).count()
    waits = attempt.state == AttemptState.SUBMITTED and answer.outcome == Outcome.WAITING
    is_mine = waits and mine is None and attempt.user_id != marker.pk
    needed = 1 if disputed else attempt.quiz.markers_needed - len(marks)
    value = answer.value or {}
    remark = mark_by(version=version, key=key, value=answer.value, wrong_share=attempt.wrong_share)
    return Paper(
        answer=answer,
        question=question_of(version.pk),
        story=question_of(entry["g"]) if "g" in entry else None,
        text=kind.describe(shown=version.shown, value=answer.value),
        most=most_points_of(attempt, answer.position),
        note=remark.note,
        suggested=remark.share,
        criteria=kind.criteria(key=key),
        guide=kind.guide(key=key, value=value),
        model=key.get("model", ""),
        mine=mine,
        marks=marks if is_mine and disputed else [],
        may_mark=is_mine and (needed > turns or not turns),
        decides=is_mine and disputed,
        is_busy=is_mine and 0 < turns >= needed,
        is_disputed=waits and disputed,
        fixed=None if mine is None else why_fixed(answer=answer, mark=mine, marks=marks),
        result_stands=attempt.state == AttemptState.MARKED,
    )


def _desk(quiz: Quiz, row: dict[str, Any]) -> Desk:
    known = row["for_me"] + row["to_decide"] + row["at_others"]
    return Desk(quiz, row["for_me"], row["to_decide"], row["at_others"], row["all"] - known, row["oldest"])


# One waiting answer seen by one marker, as `_waiting` annotates it. Each is in one of these, or for others to say.
# Without room and without anybody's turn: a test that wanted two markers wants one now. Somebody has to say a word.
_open_to_me = Q(has_mine=False, is_own=False)
_needed = F("attempt__quiz__markers_needed")
_disputed = Q(attempt__quiz__markers_needed__gt=1, marks__gte=_needed, spread__gt=AGREEMENT)
_is_free = ~_disputed & Q(room__gt=0) | Q(turns=0)
MINE = _open_to_me & ~_disputed & _is_free
TO_DECIDE = _open_to_me & _disputed & _is_free
BUSY = _open_to_me & ~_is_free


def _waiting(marker: User, moment: datetime | None = None) -> QuerySet[Any]:
    """With `marks`, their `spread`, the `turns` of others, the `room` for one more, `has_mine` and `is_own`."""
    given = HandMark.objects.filter(answer=OuterRef("pk")).order_by().values("answer")
    turns = MarkingTurn.objects.filter(answer=OuterRef("pk"), until__gt=moment or now())
    others = turns.exclude(marker=marker).order_by().values("answer")
    return (
        Answer.objects.filter(attempt__state=AttemptState.SUBMITTED, outcome=Outcome.WAITING)
        .annotate(
            marks=Coalesce(Subquery(given.annotate(n=Count("pk")).values("n")), 0),
            spread=Subquery(given.annotate(s=Max("share") - Min("share")).values("s")),
            turns=Coalesce(Subquery(others.annotate(n=Count("pk")).values("n")), 0),
            has_mine=Exists(HandMark.objects.filter(answer=OuterRef("pk"), marker=marker)),
            is_own=Q(attempt__user=marker),
        )
        .annotate(room=_needed - F("marks") - F("turns"))
    )
