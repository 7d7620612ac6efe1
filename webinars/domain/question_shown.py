"""What each audience gets to see of a question. The one place: events, the API and pages all show these.

Nothing of a question reaches doctors before a moderator has published it, but to its own asker. The name of who asked
anonymously is in what moderators see, and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webinars.domain.room import overwrite_events, post_event
from webinars.enums import Audience, EventKind, Lane, QuestionState
from webinars.models import Question, QuestionMessage

Payload = dict[str, Any]
ANSWERED_STATES = frozenset({QuestionState.ANSWERED, QuestionState.PUBLISHED})
WITH_PRESENTERS = frozenset({QuestionState.FORWARDED, *ANSWERED_STATES})


def is_with_presenters(question: Question) -> bool:
    return question.forwarded_at is not None and question.state in WITH_PRESENTERS


def for_moderators(question: Question, messages: Iterable[QuestionMessage]) -> Payload:
    author, claimed_by = question.author, question.claimed_by
    return {
        "id": question.pk,
        "state": question.state,
        "text": question.text,
        "edited_text": question.edited_text,
        "author": {"id": author.pk, "name": author.get_full_name(), "country": str(author.country)},
        "is_anonymous": question.is_anonymous,
        "is_priority": question.is_priority,
        "merged_into": question.merged_into_id,
        "claimed_by": {"id": claimed_by.pk, "name": claimed_by.get_full_name()} if claimed_by else None,
        "claimed_until": _iso(question.claimed_until),
        "answer_text": question.answer_text,
        "is_answered_live": question.is_answered_live,
        "answered_seconds": question.answered_seconds,
        "asked_at": _iso(question.asked_at),
        "asked_seconds": question.asked_seconds,
        "votes": question.votes,
        "version": question.version,
        "messages": [_message(one) for one in messages],
    }


def for_presenters(question: Question, messages: Iterable[QuestionMessage], *, merged_count: int) -> Payload:
    """Who asked anonymously has no country either: in a small room it would be the name."""
    return {
        "id": question.pk,
        "text": question.shown_text,
        "name": _public_name(question),
        "country": "" if question.is_anonymous else str(question.author.country),
        "is_priority": question.is_priority,
        "state": question.state,
        "answer_text": question.answer_text,
        "is_answered_live": question.is_answered_live,
        "merged_count": merged_count,
        "version": question.version,
        "messages": [_message(one) for one in messages if one.lane == Lane.PRESENTER],
        "removed": False,
        "reworded": False,
    }


def for_author(question: Question, messages: Iterable[QuestionMessage], *, root: Question) -> Payload:
    """`root` is what the question was merged into, or itself: every asker is told the answer."""
    is_answered = root.state in ANSWERED_STATES
    return {
        "id": question.pk,
        "text": question.text,
        "state": question.state,
        "answer_text": root.answer_text if is_answered else "",
        "is_answered_live": root.is_answered_live and is_answered,
        "answered_seconds": root.answered_seconds if is_answered else None,
        "messages": [
            {**_message(one), "mine": one.author_id == question.author_id}
            for one in messages
            if one.lane == Lane.ATTENDEE
        ],
    }


def for_everybody(question: Question) -> Payload:
    return {
        "id": question.pk,
        "text": question.shown_text,
        "name": _public_name(question),
        "answer_text": question.answer_text,
        "is_answered_live": question.is_answered_live,
        "answered_seconds": question.answered_seconds,
        "votes": question.votes,
        "removed": False,
        "reworded": False,
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A question as all its audiences see it; None where it is not for them. `askers` by merged question."""

    moderators: Payload
    presenters: Payload | None
    author: Payload
    everybody: Payload | None
    askers: Mapping[int, tuple[int, Payload]] = field(default_factory=dict)


def show(question: Question) -> Shown:
    """Two queries, and one more where others were merged into it."""
    merged = list(question.merged.order_by("pk"))
    messages: dict[int, list[QuestionMessage]] = {one.pk: [] for one in (question, *merged)}
    for message in QuestionMessage.objects.filter(question__in=messages).select_related("author").order_by("pk"):
        messages[message.question_id].append(message)
    own = messages[question.pk]
    return Shown(
        moderators=for_moderators(question, own),
        presenters=for_presenters(question, own, merged_count=len(merged)) if is_with_presenters(question) else None,
        author=for_author(question, own, root=question.merged_into or question),
        everybody=for_everybody(question) if question.state == QuestionState.PUBLISHED else None,
        askers={one.pk: (one.author_id, for_author(one, messages[one.pk], root=question)) for one in merged},
    )


# What a question taken back still says: its number, and that it is gone.
_BLANK: Payload = {"text": "", "name": "", "country": "", "answer_text": "", "messages": [], "removed": True}
# What people wrote, and by what name. An answer that was not there before replaces nothing.
_WORDS = ("text", "name", "answer_text")


def post_question(question: Question, *, before: Shown | None, skip_askers: Sequence[int] = (), now: datetime) -> None:
    """One event for every audience to which the question looks different now. Part of the caller's transaction.

    Where it is not to be seen any more, the audience hears just that. What it was told before in other words is
    replayed to nobody: a name that slipped through must not come back.
    """
    after = show(question)
    post = _Poster(question.webinar_id, now)
    if before is None or before.moderators != after.moderators:
        post(EventKind.QUESTION, Audience.MODERATORS, after.moderators)
    shown = _change(before.presenters if before else None, after.presenters)
    if shown:
        post(EventKind.FORWARDED, Audience.PRESENTERS, shown)
    if before is None or before.author != after.author:
        post(EventKind.OWN_QUESTION, Audience.PERSON, after.author, person_id=question.author_id)
    for pk, (person_id, payload) in after.askers.items():
        known = before.askers.get(pk) if before else None
        if pk not in skip_askers and (known is None or known[1] != payload):
            post(EventKind.OWN_QUESTION, Audience.PERSON, payload, person_id=person_id)
    shown = _change(before.everybody if before else None, after.everybody)
    if shown:
        post(EventKind.PUBLISHED, Audience.ALL, shown)


@dataclass(frozen=True, slots=True)
class _Poster:
    webinar_id: int
    now: datetime

    def __call__(
        self,
        kind: EventKind,
        audience: Audience,
        payload: Payload,
        person_id: int | None = None,
    ) -> None:
        if payload.get("removed") or payload.get("reworded"):
            overwrite_events(webinar_id=self.webinar_id, kind=kind, about=payload["id"], payload=payload)
        post_event(
            webinar_id=self.webinar_id,
            kind=kind,
            audience=audience,
            payload=payload,
            person_id=person_id,
            now=self.now,
        )


def _change(before: Payload | None, after: Payload | None) -> Payload | None:
    """For those who were told `before` and are to know `after`, if that is anything new."""
    if after is None:
        if before is None:
            return None
        return {**before, **{name: _BLANK[name] for name in before if name in _BLANK}}
    if before == after:
        return None
    return {**after, "reworded": before is not None and any(before[name] not in ("", after[name]) for name in _WORDS)}


def _message(message: QuestionMessage) -> Payload:
    return {
        "id": message.pk,
        "lane": message.lane,
        "author": message.author.get_full_name(),
        "text": message.text,
        "at": _iso(message.at),
    }


def _public_name(question: Question) -> str:
    return "" if question.is_anonymous else question.author.get_full_name()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
