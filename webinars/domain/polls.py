"""Polls: prepared, opened (one at a time), closed, their results shown or not. One vote per person, by constraint."""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.limits import hit
from webinars.domain.broadcasts import program_now
from webinars.domain.desk_log import log
from webinars.domain.lanes import MutedError, lanes_of
from webinars.domain.poll_results import post_poll, post_results
from webinars.domain.schedule import state_of
from webinars.domain.tallies import joining, mark
from webinars.domain.texts import clean_line
from webinars.enums import PollKind, PollState, WebinarState
from webinars.models import Poll, PollOption, PollVote, Webinar

LONGEST_POLL = 300
LONGEST_OPTION = 200
LONGEST_WORD = 40
MOST_OPTIONS = 12
VOTES_A_MINUTE = 60
ROOM_IS_OPEN = frozenset({WebinarState.DOORS_OPEN, WebinarState.LIVE})


class PollError(Exception):
    """Nothing was changed; `message` is for the person."""

    message = _("This is not possible now.")


class PollNotFoundError(PollError):
    message = _("This poll is not here any more.")


class PollStateError(PollError):
    message = _("This is not possible with the poll as it stands.")


class AnotherOpenError(PollError):
    message = _("Another poll is open. Close it first.")


class RoomClosedError(PollError):
    message = _("Polls can be opened from the opening of the doors to the end of the webinar.")


class PollClosedError(PollError):
    message = _("This poll is closed.")


class VoteError(PollError):
    message = _("Choose from the answers of this poll.")


class TooManyVotesError(PollError):
    message = _("That was a lot in one minute. Please wait a moment.")

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class WordsStillOpenError(PollError):
    message = _("Close the word cloud before you show it: then nobody can add a word that you have not seen.")


class PollOptionsError(PollError):
    message = _("Give 2 to 12 different answers.")


class PollRangeError(PollError):
    message = _("Check the number of answers and the ends of the scale: a scale has 2 to 11 steps.")


@transaction.atomic
def save_poll(
    *,
    webinar: Webinar,
    poll_id: int | None = None,
    kind: PollKind,
    question: str,
    options: Sequence[str] = (),
    most_choices: int = 1,
    scale_from: int = 1,
    scale_to: int = 5,
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> Poll:
    """Prepare one, or change one that was never open. Raises PollError and TextError."""
    question = clean_line(question, most=LONGEST_POLL)
    texts = _options(kind, options)
    _check_figures(kind, most_choices, scale_from, scale_to, len(texts))
    poll = _locked(webinar, poll_id) if poll_id is not None else Poll(webinar=webinar, created_by=actor)
    if poll.state != PollState.DRAFT:
        raise PollStateError
    if poll_id is None:
        poll.position = webinar.polls.count() + 1
    poll.kind, poll.question, poll.most_choices = kind, question, most_choices
    poll.scale_from, poll.scale_to = scale_from, scale_to
    poll.save()
    poll.options.all().delete()
    PollOption.objects.bulk_create(
        [PollOption(poll=poll, position=number, text=text) for number, text in enumerate(texts, 1)]
    )
    _log("poll.prepared", poll, actor, request, now)
    post_poll(poll, now=now)
    return poll


@transaction.atomic
def delete_poll(
    *, webinar: Webinar, poll_id: int, actor: User, request: HttpRequest | None = None, now: datetime
) -> None:
    """One that was never open; results are kept. The other desks hear of it by the log."""
    poll = _locked(webinar, poll_id)
    if poll.state != PollState.DRAFT:
        raise PollStateError
    _log("poll.deleted", poll, actor, request, now)
    poll.delete()


def open_poll(
    *, webinar: Webinar, poll_id: int, actor: User, request: HttpRequest | None = None, now: datetime
) -> Poll:
    """Only once: its results belong to that minute. Idempotent while it is open."""
    _check_room(webinar, now)
    with transaction.atomic():
        # One at a time by constraint; the webinar's lock makes the second desk wait instead of fail on it.
        Webinar.objects.select_for_update(no_key=True).get(pk=webinar.pk)
        poll = _locked(webinar, poll_id)
        if poll.state == PollState.OPEN:
            return poll
        if poll.state != PollState.DRAFT:
            raise PollStateError
        if webinar.polls.filter(state=PollState.OPEN).exists():
            raise AnotherOpenError
        poll.state, poll.opened_at, poll.opened_seconds = PollState.OPEN, now, program_now(webinar, now)
        poll.save()
        _log("poll.opened", poll, actor, request, now)
        post_poll(poll, now=now)
    return poll


def close_poll(
    *, webinar: Webinar, poll_id: int, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> Poll:
    """The results posted with it are exact: votes under way are waited for, later ones refused. Idempotent."""
    with _changing(webinar, poll_id, PollState.OPEN, PollState.CLOSED) as poll:
        if poll.state == PollState.OPEN:
            poll.state, poll.closed_at = PollState.CLOSED, now
            poll.save()
            _log("poll.closed", poll, actor, request, now)
            post_poll(poll, now=now)
            post_results(poll, now=now)
    return poll


def close_left_open(*, now: datetime) -> int:
    """Those of webinars that ended meanwhile: nobody can vote there any more, so the result is final."""
    left = Poll.objects.filter(state=PollState.OPEN, webinar__ended_at__isnull=False).select_related("webinar")
    for poll in left:
        close_poll(webinar=poll.webinar, poll_id=poll.pk, actor=None, now=now)
    return len(left)


def show_results(
    *,
    webinar: Webinar,
    poll_id: int,
    hidden_words: Sequence[str] | None = None,
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> Poll:
    """To everybody. Of a word cloud only when it is closed, without the words the moderator keeps back."""
    with _changing(webinar, poll_id, PollState.OPEN, PollState.CLOSED) as poll:
        if poll.kind == PollKind.WORDS and poll.state != PollState.CLOSED:
            raise WordsStillOpenError
        if hidden_words is not None:
            poll.hidden_words = sorted(set(hidden_words))
        poll.is_shown = True
        poll.save()
        _log("poll.shown", poll, actor, request, now)
        post_poll(poll, now=now)
        post_results(poll, now=now)
    return poll


def hide_results(
    *, webinar: Webinar, poll_id: int, actor: User, request: HttpRequest | None = None, now: datetime
) -> Poll:
    with _changing(webinar, poll_id, PollState.OPEN, PollState.CLOSED) as poll:
        if poll.is_shown:
            poll.is_shown = False
            poll.save()
            _log("poll.hidden", poll, actor, request, now)
            post_poll(poll, now=now)
    return poll


def vote(
    *, webinar: Webinar, user: User, poll_id: int, choices: Sequence[int] = (), words: Sequence[str] = (), now: datetime
) -> PollVote:
    """One per person. While the poll is open it may be changed; the same again changes nothing.

    Nothing is announced here: the room hears of results at most every 2 s. Raises PollError and LaneError.
    """
    lanes = lanes_of(webinar=webinar, user=user, now=now)
    lanes.require_place()
    if lanes.is_muted or lanes.is_removed:
        raise MutedError
    _check_room(webinar, now)
    decision = hit(f"poll-votes:{user.pk}", limit=VOTES_A_MINUTE, window_seconds=60)
    if not decision:
        raise TooManyVotesError(decision.retry_after_seconds)
    with transaction.atomic():
        joining(webinar.pk)
        poll = _open_for_voting(webinar, poll_id)
        chosen, said = _chosen(poll, choices), _said(poll, words)
        given, is_new = PollVote.objects.get_or_create(
            poll=poll, user=user, defaults={"choices": chosen, "words": said, "at": now}
        )
        is_changed = (given.choices, given.words) != (chosen, said)
        if is_changed:
            given.choices, given.words, given.at = chosen, said, now
            given.save()
        if is_new or is_changed:
            mark(webinar_id=webinar.pk, poll_id=poll.pk, now=now)
    return given


@contextmanager
def _changing(webinar: Webinar, poll_id: int, *states: PollState) -> Iterator[Poll]:
    with transaction.atomic():
        poll = _locked(webinar, poll_id)
        if poll.state not in states:
            raise PollStateError
        yield poll


def _locked(webinar: Webinar, poll_id: int) -> Poll:
    """Voters hold the row in share mode: this waits for those under way."""
    poll = Poll.objects.select_for_update(no_key=True).filter(pk=poll_id, webinar=webinar).first()
    if poll is None:
        raise PollNotFoundError
    return poll


def _open_for_voting(webinar: Webinar, poll_id: int) -> Poll:
    """Shared, so that voters do not wait for each other, and closing waits for them all."""
    query = "SELECT * FROM webinars_poll WHERE id = %s AND webinar_id = %s AND state = 'open' FOR SHARE"
    for poll in Poll.objects.raw(query, [poll_id, webinar.pk]):
        return poll
    if webinar.polls.filter(pk=poll_id).exclude(state=PollState.DRAFT).exists():
        raise PollClosedError
    raise PollNotFoundError


def _chosen(poll: Poll, choices: Sequence[int]) -> list[int]:
    """Sorted, each once: the same answer is the same row, in whatever order it was given."""
    chosen = sorted(set(choices))
    if poll.kind == PollKind.WORDS:
        offered, most = set(), 0
    elif poll.kind == PollKind.SCALE:
        offered, most = set(range(poll.scale_from, poll.scale_to + 1)), 1
    else:
        offered, most = set(poll.options.values_list("position", flat=True)), poll.most_choices
    if (not chosen and most) or len(chosen) > most or not offered.issuperset(chosen):
        raise VoteError
    return chosen


def _said(poll: Poll, words: Sequence[str]) -> list[str]:
    """Words that differ in capitals or spaces only are one word."""
    said = sorted({clean_line(unicodedata.normalize("NFKC", one), most=LONGEST_WORD).casefold() for one in words})
    if poll.kind != PollKind.WORDS:
        if said:
            raise VoteError
        return []
    if not 1 <= len(said) <= poll.most_choices or any(len(one) > LONGEST_WORD for one in said):
        raise VoteError
    return said


def _options(kind: PollKind, options: Sequence[str]) -> list[str]:
    if kind not in {PollKind.SINGLE, PollKind.MULTIPLE}:
        if options:
            raise PollOptionsError
        return []
    texts = [clean_line(one, most=LONGEST_OPTION) for one in options]
    if not 2 <= len(texts) <= MOST_OPTIONS or len(set(texts)) != len(texts):
        raise PollOptionsError
    return texts


def _check_figures(kind: PollKind, most_choices: int, scale_from: int, scale_to: int, options: int) -> None:
    most = {PollKind.MULTIPLE: options, PollKind.WORDS: 20}.get(kind, 1)
    if not 1 <= most_choices <= most or not 0 < scale_to - scale_from <= 10 or not -100 <= scale_from <= 100:
        raise PollRangeError


def _log(did: str, poll: Poll, actor: User | None, request: HttpRequest | None, now: datetime) -> None:
    log(did, webinar_id=poll.webinar_id, actor=actor, what=poll.question, subject=poll, request=request, now=now)


def _check_room(webinar: Webinar, now: datetime) -> None:
    if state_of(webinar, now=now) not in ROOM_IS_OPEN:
        raise RoomClosedError
