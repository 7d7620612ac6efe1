"""Reading questions: what pages and the API begin with, before events bring the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet, prefetch_related_objects
from django.db.models.functions import Greatest

from accounts.models import User
from core.prepared import Prepared
from webinars.domain.lanes import Lanes
from webinars.domain.question_shown import (
    WITH_PRESENTERS,
    Payload,
    for_author,
    for_everybody,
    for_moderators,
    for_presenters,
    is_with_presenters,
)
from webinars.domain.room_state import last_number
from webinars.domain.timeline import Timeline
from webinars.domain.timelines import RecordingMap, shown_over_time, shown_then, timeline_of
from webinars.enums import Phase, QuestionState
from webinars.models import CannedReply, Question, QuestionMessage, QuestionVote, Webinar

MOST_PUBLISHED = 300
MOST_OWN = 100
PAGE = 50
LONGEST_SEARCH = 100
MOST_WORDS = 8
ALIKE = 0.5  # of 1: forgives a letter or two in a word


def questions_for_doctor(*, webinar: Webinar, user: User, lanes: Lanes) -> dict[str, Any]:
    """One's own and the published ones. `number` is of the room before they were read: events after it bring the rest.

    At most eight queries, however many questions there are.
    """
    return {
        "number": last_number(webinar.pk),  # before the rest is read
        "may": lanes.may(),
        "own": own_questions(webinar=webinar, user=user),
        "published": published_questions(webinar=webinar, user=user) if lanes.may_read else [],
    }


_own = Prepared[Question](
    lambda webinar, author: (
        Question.objects.filter(webinar=webinar, author=author)
        .select_related("merged_into")
        .order_by("-asked_at", "-pk")[:MOST_OWN]
    )
)
_published = Prepared[Question](
    lambda webinar: (
        Question.objects.filter(webinar=webinar, state=QuestionState.PUBLISHED)
        .select_related("author")
        .order_by("-votes", "published_at", "pk")[:MOST_PUBLISHED]
    )
)
_voted = Prepared[int](
    lambda webinar, user: QuestionVote.objects.filter(
        user=user, question__webinar=webinar, question__state=QuestionState.PUBLISHED
    ).values_list("question", flat=True)
)


def own_questions(*, webinar: Webinar, user: User) -> list[Payload]:
    """The oldest first; of very many the latest."""
    latest = _own.rows(webinar=webinar.pk, author=user.pk)
    prefetch_related_objects(latest, _in_order())
    return [for_author(one, one.messages.all(), root=one.merged_into or one) for one in reversed(latest)]


def published_questions(*, webinar: Webinar, user: User | None = None) -> list[Payload]:
    """The most wanted first. With `voted` for that person, and the place in the recording where there is one."""
    questions = _published.rows(webinar=webinar.pk)
    voted = set(_voted.rows(webinar=webinar.pk, user=user.pk)) if user and questions else set()
    has_recording = webinar.video is not None and webinar.video.is_published
    timeline = timeline_of(webinar.pk) if has_recording else Timeline()
    editions = shown_over_time(webinar) if timeline.pieces and any(map(_is_of_recording, questions)) else ()
    return [
        {
            **for_everybody(one),
            "voted": one.pk in voted,
            "recording_seconds": recording_seconds(one, timeline, editions),
        }
        for one in questions
    ]


def recording_seconds(
    question: Question, timeline: Timeline, editions: Sequence[tuple[datetime, RecordingMap]] = ()
) -> float | None:
    """Where it was answered on air, or else asked. None without a recording, and for what was asked off the air.

    What was asked in the recording goes by the edition that was shown then: cuts made since have moved its words.
    """
    place = question.asked_seconds if question.answered_seconds is None else question.answered_seconds
    if place is not None and _is_of_recording(question):
        then = shown_then(editions, at=question.asked_at, second=place)
        return timeline.to_recording(then.program_to_shown.to_program(place)) if then else place
    return timeline.to_recording(place) if place is not None and timeline.pieces else None


def _is_of_recording(question: Question) -> bool:
    """Whether its place is a second of the recording, not of the broadcast."""
    return question.phase == Phase.ON_DEMAND and question.answered_seconds is None


def forwarded_questions(*, webinar: Webinar) -> list[Payload]:
    """For the stage: what matters first, then in the order in which it came."""
    found = Question.objects.filter(webinar=webinar, state__in=WITH_PRESENTERS, forwarded_at__isnull=False)
    questions = _with_messages(found.select_related("author")).annotate(followers=Count("merged"))
    return [
        for_presenters(one, one.messages.all(), merged_count=one.followers)
        for one in questions.order_by("-is_priority", "forwarded_at", "pk")
    ]


def shown_on_stage(question: Question) -> Payload | None:
    if not is_with_presenters(question):
        return None
    return for_presenters(question, _messages(question), merged_count=question.merged.count())


def shown_at_desk(question: Question) -> Payload:
    return for_moderators(question, _messages(question))


def shown_to_author(question: Question) -> Payload:
    return for_author(question, _messages(question), root=question.merged_into or question)


@dataclass(frozen=True, slots=True)
class DeskPage:
    questions: list[Payload]
    count: int
    page: int
    pages: int
    by_state: dict[str, int]


def desk_questions(*, webinar: Webinar, state: str = "", search: str = "", page: int = 1) -> DeskPage:
    """The queue: priority, then the oldest first. Four queries and the messages'."""
    everything = Question.objects.filter(webinar=webinar)
    counted = dict(everything.order_by().values_list("state").annotate(Count("pk")))
    found = everything.filter(state=state) if state else everything
    found = _matching(found, search).select_related("author", "claimed_by").order_by("-is_priority", "asked_at", "pk")
    pages = Paginator(_with_messages(found), PAGE)
    shown = pages.get_page(page)
    return DeskPage(
        questions=[for_moderators(one, one.messages.all()) for one in shown.object_list],
        count=pages.count,
        page=shown.number,
        pages=pages.num_pages,
        by_state={one.value: counted.get(one.value, 0) for one in QuestionState},
    )


def canned_replies(*, webinar: Webinar) -> list[dict[str, Any]]:
    programme = webinar.lesson.course.programme
    found = CannedReply.objects.filter(Q(programme=None) | Q(programme=programme))
    return [{"id": one.pk, "title": one.title, "text": one.text} for one in found]


def _matching(found: QuerySet[Question], search: str) -> QuerySet[Question]:
    """Every word in the texts or the name, as it stands or almost. Within one webinar a scan is fast enough."""
    for word in search.replace("\x00", "")[:LONGEST_SEARCH].split()[:MOST_WORDS]:
        alike = Greatest(TrigramWordSimilarity(word, "text"), TrigramWordSimilarity(word, "author__last_name"))
        found = found.alias(alike=alike).filter(
            Q(text__icontains=word)
            | Q(edited_text__icontains=word)
            | Q(answer_text__icontains=word)
            | Q(author__first_name__icontains=word)
            | Q(author__last_name__icontains=word)
            | Q(alike__gte=ALIKE)
        )
    return found


def _with_messages(found: QuerySet[Question]) -> QuerySet[Question]:
    return found.prefetch_related(_in_order())


def _in_order() -> Prefetch[Any]:
    return Prefetch("messages", QuestionMessage.objects.select_related("author").order_by("pk"))


def _messages(question: Question) -> list[QuestionMessage]:
    return list(question.messages.select_related("author").order_by("pk"))
