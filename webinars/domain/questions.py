"""What doctors do: ask, write about their own question, vote for published ones. Moderators: `domain.answers`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.limits import hit
from webinars.domain.broadcasts import program_now
from webinars.domain.lanes import lanes_of
from webinars.domain.question_shown import Shown, post_question, show
from webinars.domain.schedule import state_of
from webinars.domain.tallies import joining, mark
from webinars.domain.texts import clean_text
from webinars.enums import Lane, Phase, QuestionState, WebinarState
from webinars.models import Question, QuestionMessage, QuestionVote, Webinar

LONGEST_QUESTION = 1000
LONGEST_MESSAGE = 2000
WRITES_A_MINUTE = 5  # questions and messages of one doctor, each
VOTES_A_MINUTE = 60


class QuestionError(Exception):
    """Nothing was changed; `message` is for the person who wanted it."""

    message = _("This is not possible now.")


class QuestionNotFoundError(QuestionError):
    message = _("This question is not here any more.")


class TooManyError(QuestionError):
    message = _("That was a lot in one minute. Please wait a moment.")

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class KeyUsedError(QuestionError):
    message = _("This was sent already, for something else. Please reload the page.")


@transaction.atomic
def ask(
    *,
    webinar: Webinar,
    author: User,
    text: str,
    is_anonymous: bool = False,
    client_key: UUID,
    at_seconds: float | None = None,
    now: datetime,
) -> Question:
    """Raises LaneError, TextError, TooManyError. Sending the same key again answers the question it has made.

    `at_seconds` is where the doctor's player is, in the timeline of the phase; what lies beyond it is brought back.
    """
    lanes_of(webinar=webinar, user=author, now=now).require(Lane.ATTENDEE)
    text = clean_text(text, most=LONGEST_QUESTION)
    _one_at_a_time(author)
    sent = Question.objects.filter(author=author, client_key=client_key).first()
    if sent is not None:
        return _of(sent, webinar)
    recent = Question.objects.filter(author=author, asked_at__gt=now - timedelta(minutes=1))
    _check_rate([one.asked_at for one in recent.order_by("asked_at")], now=now)
    phase, seconds = _asked_at(webinar, at_seconds, now=now)
    question = Question.objects.create(
        webinar=webinar,
        author=author,
        client_key=client_key,
        text=text,
        is_anonymous=is_anonymous,
        phase=phase,
        asked_at=now,
        asked_seconds=seconds,
    )
    post_question(question, before=None, now=now)
    return question


@transaction.atomic
def say(
    *, webinar: Webinar, author: User, question_id: int, text: str, client_key: UUID, now: datetime
) -> QuestionMessage:
    """A doctor about their own question, in the lane to the moderators. Does not raise the question's version:
    a doctor who writes on must not make a moderator's answer fail.
    """
    lanes_of(webinar=webinar, user=author, now=now).require(Lane.ATTENDEE)
    text = clean_text(text, most=LONGEST_MESSAGE)
    _one_at_a_time(author)
    ids = family_of(question_id, webinar_id=webinar.pk, author=author)
    sent = QuestionMessage.objects.filter(author=author, client_key=client_key).first()
    if sent is not None:
        if sent.question_id != question_id:
            raise KeyUsedError
        return sent
    recent = QuestionMessage.objects.filter(author=author, at__gt=now - timedelta(minutes=1))
    _check_rate([one.at for one in recent.order_by("at")], now=now)
    with changing(webinar_id=webinar.pk, ids=ids, now=now):
        return QuestionMessage.objects.create(
            question_id=question_id, lane=Lane.ATTENDEE, author=author, client_key=client_key, text=text, at=now
        )


def vote(*, webinar: Webinar, user: User, question_id: int, now: datetime) -> None:
    """Once per person; again changes nothing. Everybody hears the new count at most every 2 s: `domain.tallies`."""
    _check_vote(webinar, user, now=now)
    with _published(webinar, question_id) as question:
        _, is_new = QuestionVote.objects.get_or_create(question=question, user=user, defaults={"at": now})
        if is_new:
            Question.objects.filter(pk=question.pk).update(votes=F("votes") + 1)
            mark(webinar_id=webinar.pk, question_id=question.pk, now=now)


def unvote(*, webinar: Webinar, user: User, question_id: int, now: datetime) -> None:
    _check_vote(webinar, user, now=now)
    with _published(webinar, question_id) as question:
        removed, _ = QuestionVote.objects.filter(question=question, user=user).delete()
        if removed:
            Question.objects.filter(pk=question.pk).update(votes=F("votes") - 1)
            mark(webinar_id=webinar.pk, question_id=question.pk, now=now)


def family_of(question_id: int, *, webinar_id: int, author: User | None = None) -> tuple[int, ...]:
    """The question, and the one it was merged into: that one's answer is part of what the asker sees."""
    found = Question.objects.filter(pk=question_id, webinar=webinar_id)
    if author is not None:
        found = found.filter(author=author)
    rows = found.values_list("pk", "merged_into")
    for pk, merged_into in rows:
        return (pk, merged_into) if merged_into else (pk,)
    raise QuestionNotFoundError


@contextmanager
def changing(*, webinar_id: int, ids: Sequence[int], now: datetime) -> Iterator[dict[int, Question]]:
    """Locks the questions in one order, saves what the block does to them, and tells every audience what it sees now.

    Raises QuestionNotFoundError where one is not of this webinar.
    """
    with transaction.atomic():
        found = {
            one.pk: one
            for one in Question.objects.select_for_update(of=("self",), no_key=True)
            .filter(webinar_id=webinar_id, pk__in=set(ids))
            .select_related("author", "claimed_by")
            .order_by("pk")
        }
        if len(found) != len(set(ids)):
            raise QuestionNotFoundError
        before = {pk: _shown(one, found) for pk, one in found.items()}
        yield found
        for one in found.values():
            one.save()
        for pk, one in found.items():
            post_question(one, before=before[pk], skip_askers=tuple(found), now=now)


def _shown(question: Question, found: dict[int, Question]) -> Shown:
    if question.merged_into_id in found:
        question.merged_into = found[question.merged_into_id]
    return show(question)


@contextmanager
def _published(webinar: Webinar, question_id: int) -> Iterator[Question]:
    """Locked first and counted last: a merge that moves votes takes the same lock before it touches them."""
    with transaction.atomic():
        joining(webinar.pk)
        question = (
            Question.objects.select_for_update(no_key=True)
            .filter(pk=question_id, webinar=webinar, state=QuestionState.PUBLISHED)
            .first()
        )
        if question is None:
            raise QuestionNotFoundError
        yield question


def _check_vote(webinar: Webinar, user: User, *, now: datetime) -> None:
    lanes_of(webinar=webinar, user=user, now=now).require(Lane.PUBLISHED)
    decision = hit(f"room-votes:{user.pk}", limit=VOTES_A_MINUTE, window_seconds=60)
    if not decision:
        raise TooManyError(decision.retry_after_seconds)


def _one_at_a_time(author: User) -> None:
    """Until the transaction ends: so the same key is never inserted twice, and the rate holds for parallel requests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"asking:{author.pk}"])


def _check_rate(recent: Sequence[datetime], *, now: datetime) -> None:
    if len(recent) >= WRITES_A_MINUTE:
        free_at = recent[-WRITES_A_MINUTE] + timedelta(minutes=1)
        raise TooManyError(max(1, int((free_at - now).total_seconds() + 0.999)))


def _of(sent: Question, webinar: Webinar) -> Question:
    if sent.webinar_id != webinar.pk:
        raise KeyUsedError
    return sent


def _asked_at(webinar: Webinar, reported: float | None, *, now: datetime) -> tuple[Phase, float | None]:
    """Live, nobody can be ahead of the live edge; without a report it is the edge itself."""
    if state_of(webinar, now=now) in {WebinarState.DOORS_OPEN, WebinarState.LIVE}:
        edge = program_now(webinar, now)
        if edge is None:
            return Phase.LIVE, None
        return Phase.LIVE, edge if reported is None else min(max(0.0, reported), edge)
    length = webinar.video.duration_seconds if webinar.video and webinar.video.is_published else None
    if reported is None or length is None:
        return Phase.ON_DEMAND, None
    return Phase.ON_DEMAND, min(max(0.0, reported), length)
