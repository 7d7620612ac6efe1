"""Polls and their results as they are shown, and the events that say so."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Prefetch, prefetch_related_objects

from accounts.models import User
from core.prepared import Prepared
from webinars.domain.room import post_event
from webinars.enums import Audience, EventKind, PollKind, PollState
from webinars.models import Poll, PollVote, Webinar

MOST_WORDS = 60

_CHOICES = """
SELECT choice, count(*) FROM webinars_pollvote, unnest(choices) AS choice WHERE poll_id = %s GROUP BY choice
"""
# What a moderator keeps back leaves its place empty: the next word in order is one that nobody has looked at.
_WORDS = """
SELECT word, said FROM (
    SELECT word, count(*) AS said FROM webinars_pollvote, unnest(words) AS word
    WHERE poll_id = %s GROUP BY word ORDER BY said DESC, word LIMIT %s
) AS most WHERE NOT word = ANY (%s::text[]) ORDER BY said DESC, word
"""


def poll_payload(poll: Poll) -> dict[str, Any]:
    return {
        "id": poll.pk,
        "kind": poll.kind,
        "question": poll.question,
        "options": [{"position": one.position, "text": one.text} for one in poll.options.all()],
        "most_choices": poll.most_choices,
        "scale_from": poll.scale_from,
        "scale_to": poll.scale_to,
        "state": poll.state,
        "is_shown": poll.is_shown,
    }


def results_of(poll: Poll, *, for_all: bool = False) -> dict[str, Any]:
    """Counted by PostgreSQL from the votes themselves. `for_all` leaves out the words a moderator keeps back."""
    hidden = poll.hidden_words if for_all else []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM webinars_pollvote WHERE poll_id = %s", [poll.pk])
        (votes,) = cursor.fetchone()
        cursor.execute(_CHOICES, [poll.pk])
        counts = dict(sorted(cursor.fetchall()))
        cursor.execute(_WORDS, [poll.pk, MOST_WORDS, hidden])
        words = dict(cursor.fetchall())
    given = sum(counts.values())
    is_scale = poll.kind == PollKind.SCALE and given
    return {
        "id": poll.pk,
        "votes": votes,
        "counts": {str(choice): count for choice, count in counts.items()},
        "words": words,
        "mean": round(sum(choice * count for choice, count in counts.items()) / given, 2) if is_scale else None,
    }


def post_poll(poll: Poll, *, now: datetime) -> None:
    """A prepared poll is for presenters and moderators only."""
    _post(poll, EventKind.POLL, poll_payload(poll), for_all=poll.state != PollState.DRAFT, now=now)


def post_results(poll: Poll, *, now: datetime) -> None:
    _post(poll, EventKind.POLL_RESULTS, results_of(poll, for_all=poll.is_shown), for_all=poll.is_shown, now=now)


_known = Prepared[Poll](lambda webinar: Poll.objects.filter(webinar=webinar).exclude(state=PollState.DRAFT))


def shown_polls(*, webinar: Webinar, user: User) -> list[dict[str, Any]]:
    """For doctors: what is open or shown, with their own vote. Three queries, and those of shown results."""
    polls = _known.rows(webinar=webinar.pk)
    prefetch_related_objects(polls, "options", Prefetch("votes", PollVote.objects.filter(user=user), to_attr="own"))
    found = []
    for poll in polls:
        if poll.state == PollState.OPEN or poll.is_shown:
            mine: list[PollVote] = getattr(poll, "own")  # noqa: B009 – unknown to the type checker
            found.append(
                {
                    **poll_payload(poll),
                    "mine": {"choices": mine[0].choices, "words": mine[0].words} if mine else None,
                    "results": results_of(poll, for_all=True) if poll.is_shown else None,
                }
            )
    return found


def all_polls(*, webinar: Webinar) -> list[dict[str, Any]]:
    """For desk and stage."""
    return [desk_poll(poll) for poll in webinar.polls.prefetch_related("options")]


def desk_poll(poll: Poll) -> dict[str, Any]:
    """With results as they stand and the program minute."""
    return {
        **poll_payload(poll),
        "opened_at": poll.opened_at,
        "closed_at": poll.closed_at,
        "opened_seconds": poll.opened_seconds,
        "hidden_words": poll.hidden_words,
        "results": None if poll.state == PollState.DRAFT else results_of(poll),
    }


def _post(poll: Poll, kind: EventKind, payload: dict[str, Any], *, for_all: bool, now: datetime) -> None:
    audience = Audience.ALL if for_all else Audience.PRESENTERS
    post_event(webinar_id=poll.webinar_id, kind=kind, audience=audience, payload=payload, now=now)
