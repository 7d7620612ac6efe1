"""What moderators and presenters do with questions: claim, forward, answer, publish, put aside, merge, talk."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from webinars.domain.broadcasts import program_now
from webinars.domain.desk_log import log
from webinars.domain.lanes import lanes_of
from webinars.domain.question_shown import is_with_presenters
from webinars.domain.questions import (
    LONGEST_MESSAGE,
    LONGEST_QUESTION,
    KeyUsedError,
    QuestionError,
    QuestionNotFoundError,
    changing,
    family_of,
)
from webinars.domain.texts import clean_text
from webinars.enums import Lane, QuestionState
from webinars.models import Question, QuestionMessage, QuestionVote, Webinar
from webinars.rules import Part

LONGEST_ANSWER = 4000
CLAIM_SECONDS = 60
RENEW_AFTER_SECONDS = 15  # a renewal is an event on every desk: sooner it is not worth one


class Move(StrEnum):
    CLAIM = "claim"
    RELEASE = "release"
    FORWARD = "forward"
    ANSWER = "answer"
    ANSWER_LIVE = "answer-live"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    DISMISS = "dismiss"
    RESTORE = "restore"
    MERGE = "merge"
    SAY = "say"


_S = QuestionState
_OPEN = frozenset({_S.NEW, _S.FORWARDED, _S.ANSWERED, _S.PUBLISHED})
ALLOWED: Mapping[Move, frozenset[QuestionState]] = {
    Move.CLAIM: frozenset(QuestionState),
    Move.RELEASE: frozenset(QuestionState),
    Move.FORWARD: frozenset({_S.NEW, _S.FORWARDED}),
    Move.ANSWER: _OPEN,
    Move.ANSWER_LIVE: _OPEN,
    Move.PUBLISH: _OPEN,
    Move.UNPUBLISH: frozenset({_S.PUBLISHED}),
    Move.DISMISS: _OPEN,
    Move.RESTORE: frozenset({_S.DISMISSED, _S.MERGED}),
    Move.MERGE: _OPEN,
    Move.SAY: frozenset(QuestionState),
}


class ConflictError(QuestionError):
    """Carries the question as it is now, for the desk to show."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.pk)
        self.question = question


class ChangedMeanwhileError(ConflictError):
    message = _("Somebody else has changed this question meanwhile. This is how it stands now.")


class ClaimedError(ConflictError):
    message = _("Somebody else is working on this question.")


class MoveRefusedError(ConflictError):
    message = _("This is not possible with the question as it stands.")


class NotOnAirError(QuestionError):
    message = _("Nothing is on air now, so nothing can be answered in the broadcast.")


class ForeignLaneError(QuestionError):
    message = _("Nobody writes in that lane.")


def claim(*, webinar: Webinar, question_id: int, actor: User, version: int, now: datetime) -> Question:
    """For 60 s, or longer by claiming again while one types. An expired claim may be taken by anybody.

    Does not raise the version: who works on a question changes nothing of it.
    """
    with _checked(_Work(Move.CLAIM, webinar, question_id, actor, version, now)) as questions:
        question = questions[question_id]
        until = now + timedelta(seconds=CLAIM_SECONDS)
        is_mine = question.claimed_by_id == actor.pk and question.claimed_until is not None
        fresh = timedelta(seconds=CLAIM_SECONDS - RENEW_AFTER_SECONDS)
        if not (is_mine and question.claimed_until and question.claimed_until - now > fresh):
            question.claimed_by, question.claimed_until = actor, until
    return question


def release(*, webinar: Webinar, question_id: int, actor: User, version: int, now: datetime) -> Question:
    with _checked(_Work(Move.RELEASE, webinar, question_id, actor, version, now)) as questions:
        question = questions[question_id]
        question.claimed_by = question.claimed_until = None
    return question


def forward(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    edited_text: str = "",
    is_priority: bool = False,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """To the presenters; again to change the wording or the priority."""
    edited_text = clean_text(edited_text, most=LONGEST_QUESTION, required=False)
    with _moving(_Work(Move.FORWARD, webinar, question_id, actor, version, now, request)) as question:
        question.state = QuestionState.FORWARDED
        question.forwarded_at = question.forwarded_at or now
        question.edited_text = "" if edited_text == question.text else edited_text
        question.is_priority = is_priority
    return question


def answer(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    text: str,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """In words, to the asker and to those of merged questions; to all once it is published. Again to correct it."""
    text = clean_text(text, most=LONGEST_ANSWER)
    with _moving(_Work(Move.ANSWER, webinar, question_id, actor, version, now, request)) as question:
        question.answer_text = text
        _mark_answered(question, actor, now)
    return question


def answer_live(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """Answered on air: keeps the minute, which leads there in the recording."""
    seconds = _live_edge(webinar, now)
    with _moving(_Work(Move.ANSWER_LIVE, webinar, question_id, actor, version, now, request)) as question:
        question.is_answered_live, question.answered_seconds = True, seconds
        _mark_answered(question, actor, now)
    return question


def publish(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    edited_text: str | None = None,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """To everybody, answered or not. This is the approval; the wording may be changed here, also later."""
    if edited_text is not None:
        edited_text = clean_text(edited_text, most=LONGEST_QUESTION, required=False)
    with _moving(_Work(Move.PUBLISH, webinar, question_id, actor, version, now, request)) as question:
        if edited_text is not None:
            question.edited_text = "" if edited_text == question.text else edited_text
        question.state = QuestionState.PUBLISHED
        question.published_at = question.published_at or now
    return question


def unpublish(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    with _moving(_Work(Move.UNPUBLISH, webinar, question_id, actor, version, now, request)) as question:
        _put_back(question)
    return question


def dismiss(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    with _moving(_Work(Move.DISMISS, webinar, question_id, actor, version, now, request)) as question:
        question.published_at = None
        question.state = QuestionState.DISMISSED
    return question


def restore(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """Back to where it was, but never straight to everybody. Votes that went elsewhere by a merge stay there."""
    ids = family_of(question_id, webinar_id=webinar.pk)
    with _moving(_Work(Move.RESTORE, webinar, question_id, actor, version, now, request, ids)) as question:
        question.merged_into = None
        _put_back(question)
    return question


def merge(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    into_id: int,
    request: HttpRequest | None = None,
    now: datetime,
) -> Question:
    """Votes follow, one per person; the asker is told the other question's answer. What was merged into this one goes
    along, so that no chain is longer than one.
    """
    ids = (question_id, into_id, *_followers(question_id))
    with _moving_all(_Work(Move.MERGE, webinar, question_id, actor, version, now, request, ids)) as questions:
        question, target = questions[question_id], questions[into_id]
        if not _followers(question_id) <= set(ids):  # one more was merged into it before the lock
            raise ChangedMeanwhileError(question)
        if target.pk == question.pk or target.state not in _OPEN:
            raise MoveRefusedError(question)
        for one in questions.values():
            if question.pk in {one.pk, one.merged_into_id}:
                one.state, one.merged_into, one.published_at = QuestionState.MERGED, target, None
                _give_votes(one, target)
        target.version += 1
    return question


def say(
    *,
    webinar: Webinar,
    question_id: int,
    actor: User,
    version: int,
    lane: Lane,
    text: str,
    client_key: UUID,
    now: datetime,
) -> Question:
    """A moderator to the asker or to the presenters. Keeps the claim, and renews it."""
    lanes_of(webinar=webinar, user=actor, part=Part.MODERATOR, now=now).require(lane)
    sent = _sent_before(question_id, actor, client_key)
    if sent is not None:
        return sent
    text = clean_text(text, most=LONGEST_MESSAGE)
    ids = family_of(question_id, webinar_id=webinar.pk)
    with _checked(_Work(Move.SAY, webinar, question_id, actor, version, now, None, ids)) as questions:
        question = questions[question_id]
        _add_message(question, QuestionMessage(author=actor, lane=lane, text=text, client_key=client_key, at=now))
        question.version += 1
        if question.claimed_by_id == actor.pk:
            question.claimed_until = now + timedelta(seconds=CLAIM_SECONDS)
    return question


def answer_live_on_stage(*, webinar: Webinar, question_id: int, actor: User, now: datetime) -> Question:
    """By a presenter. The first time counts; a claim at the desk is no hindrance on stage."""
    lanes_of(webinar=webinar, user=actor, now=now).require(Lane.PRESENTER)
    seconds = _live_edge(webinar, now)
    with transaction.atomic():
        with changing(webinar_id=webinar.pk, ids=(question_id,), now=now) as questions:
            question = _on_stage(questions[question_id])
            is_new = not question.is_answered_live
            if is_new:
                question.is_answered_live, question.answered_seconds = True, seconds
                _mark_answered(question, actor, now)
                question.version += 1
        if is_new:
            _log(Move.ANSWER_LIVE, question, actor, None, now)
    return question


def say_on_stage(
    *, webinar: Webinar, question_id: int, actor: User, text: str, client_key: UUID, now: datetime
) -> Question:
    """A presenter to the moderators; doctors never see it."""
    lanes_of(webinar=webinar, user=actor, now=now).require(Lane.PRESENTER)
    sent = _sent_before(question_id, actor, client_key)
    if sent is not None and is_with_presenters(sent):
        return sent
    text = clean_text(text, most=LONGEST_MESSAGE)
    with changing(webinar_id=webinar.pk, ids=(question_id,), now=now) as questions:
        question = _on_stage(questions[question_id])
        _add_message(
            question, QuestionMessage(author=actor, lane=Lane.PRESENTER, text=text, client_key=client_key, at=now)
        )
        question.version += 1
    return question


@dataclass(frozen=True, slots=True)
class _Work:
    """A moderator's move. `also` are questions that change, or are looked at, with this one."""

    move: Move
    webinar: Webinar
    question_id: int
    actor: User
    version: int
    now: datetime
    request: HttpRequest | None = None
    also: tuple[int, ...] = ()


@contextmanager
def _checked(work: _Work) -> Iterator[dict[int, Question]]:
    """The one gate of moderators' moves. The row is locked: of two desks at once the second sees what the first did."""
    ids = (work.question_id, *work.also)
    with changing(webinar_id=work.webinar.pk, ids=ids, now=work.now) as questions:
        _check(questions[work.question_id], work)
        yield questions


@contextmanager
def _moving_all(work: _Work) -> Iterator[dict[int, Question]]:
    """A finished piece of work: checked, logged, the claim given back, the version raised."""
    with transaction.atomic():
        with _checked(work) as questions:
            yield questions
            question = questions[work.question_id]
            question.claimed_by = question.claimed_until = None
            question.version += 1
        _log(work.move, question, work.actor, work.request, work.now)


@contextmanager
def _moving(work: _Work) -> Iterator[Question]:
    with _moving_all(work) as questions:
        yield questions[work.question_id]


def _check(question: Question, work: _Work) -> None:
    if question.version != work.version:
        raise ChangedMeanwhileError(question)
    held = question.claimed_until is not None and question.claimed_until > work.now
    if held and question.claimed_by_id != work.actor.pk:
        raise ClaimedError(question)
    if question.state not in ALLOWED[work.move]:
        raise MoveRefusedError(question)


def _log(move: Move, question: Question, actor: User, request: HttpRequest | None, now: datetime) -> None:
    log(
        f"question.{move.value}",
        webinar_id=question.webinar_id,
        actor=actor,
        what=question.shown_text,
        subject=question,
        details={"merged_into": question.merged_into_id} if question.merged_into_id else None,
        request=request,
        now=now,
    )


def _mark_answered(question: Question, actor: User, now: datetime) -> None:
    """What was published stays so: whoever answers it is a moderator, or it is only the minute of the broadcast."""
    question.answered_at, question.answered_by = now, actor
    if question.state != QuestionState.PUBLISHED:
        question.state = QuestionState.ANSWERED


def _put_back(question: Question) -> None:
    question.published_at = None
    if question.answered_at is not None:
        question.state = QuestionState.ANSWERED
    else:
        question.state = QuestionState.FORWARDED if question.forwarded_at else QuestionState.NEW


def _followers(question_id: int) -> set[int]:
    return set(Question.objects.filter(merged_into=question_id).values_list("pk", flat=True))


def _give_votes(source: Question, target: Question) -> None:
    """Both rows are locked, so no vote for either is under way."""
    votes = list(QuestionVote.objects.filter(question=source))
    QuestionVote.objects.bulk_create(
        [QuestionVote(question=target, user_id=one.user_id, at=one.at) for one in votes], ignore_conflicts=True
    )
    QuestionVote.objects.filter(question=source).delete()
    source.votes = 0
    target.votes = QuestionVote.objects.filter(question=target).count()


def _live_edge(webinar: Webinar, now: datetime) -> float:
    seconds = program_now(webinar, now)
    if seconds is None:
        raise NotOnAirError
    return seconds


def _on_stage(question: Question) -> Question:
    if not is_with_presenters(question):
        raise QuestionNotFoundError
    return question


def _sent_before(question_id: int, actor: User, client_key: UUID) -> Question | None:
    found = QuestionMessage.objects.filter(author=actor, client_key=client_key).select_related("question").first()
    if found is None:
        return None
    if found.question_id != question_id:
        raise KeyUsedError
    return found.question


def _add_message(question: Question, message: QuestionMessage) -> None:
    """Under the question's lock: the same key sent twice at once arrives here one after the other."""
    if message.lane == Lane.PUBLISHED:
        raise ForeignLaneError
    QuestionMessage.objects.get_or_create(
        author=message.author,
        client_key=message.client_key,
        defaults={"question": question, "lane": message.lane, "text": message.text, "at": message.at},
    )
