"""Announces the counts that changed: one event for each question or poll, each room at most every 2 seconds."""

from datetime import datetime, timedelta

from django.db import transaction

from webinars.domain.poll_results import post_results
from webinars.domain.question_shown import for_everybody
from webinars.domain.room import post_event
from webinars.domain.tallies import excluding
from webinars.enums import Audience, EventKind, PollState, QuestionState
from webinars.models import Poll, Question, Tally

EARLY = timedelta(seconds=0.25)  # the worker's clock and the bell's may differ from the voter's by so much


def announce_due(*, now: datetime) -> int:
    """Returns how many events were posted. Any number of workers may run it at once."""
    due = Tally.objects.filter(due_at__lte=now + EARLY).order_by("webinar").values_list("webinar", flat=True)
    return sum(_announce(webinar_id, now) for webinar_id in due.distinct())


@transaction.atomic
def _announce(webinar_id: int, now: datetime) -> int:
    """All of the room's counts together, so that the room is quiet for 2 s from here.

    Deleting the notes under the lock and counting after it is what makes the last vote before a pause heard.
    """
    excluding(webinar_id)
    if not Tally.objects.filter(webinar=webinar_id, due_at__lte=now + EARLY).exists():
        return 0
    tallies = list(Tally.objects.filter(webinar=webinar_id).order_by("pk"))
    Tally.objects.filter(pk__in=[one.pk for one in tallies]).delete()
    polls = Poll.objects.filter(pk__in=[one.poll_id for one in tallies if one.poll_id], state=PollState.OPEN)
    questions = Question.objects.filter(
        pk__in=[one.question_id for one in tallies if one.question_id], state=QuestionState.PUBLISHED
    ).select_related("author")
    shown = list(polls)
    for poll in shown:
        post_results(poll, now=now)
    published = list(questions)
    for question in published:
        post_event(
            webinar_id=webinar_id,
            kind=EventKind.PUBLISHED,
            audience=Audience.ALL,
            payload=for_everybody(question),
            now=now,
        )
    return len(shown) + len(published)
