"""The polls of lectures with their results, as the desk shows them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from webinars.domain.poll_results import desk_poll
from webinars.enums import PollState
from webinars.models import Poll, Webinar


@dataclass(frozen=True, slots=True)
class PollFigures:
    """`asked` is what `desk_poll` gives."""

    webinar_id: int
    asked: dict[str, Any]


def polls_of(webinar: Webinar) -> tuple[dict[str, Any], ...]:
    """In the order of asking. Two queries, and three for each."""
    return tuple(desk_poll(poll) for poll in _asked_in([webinar.pk]).order_by("opened_at", "pk"))


def latest_polls_of(webinars: Collection[int], *, most: int) -> tuple[Sequence[PollFigures], int]:
    """So many of several lectures, the newest first; and how many there are. Three queries, and three for each."""
    polls = _asked_in(webinars)
    latest = polls.order_by("-opened_at", "-pk")[:most]
    return [PollFigures(poll.webinar_id, desk_poll(poll)) for poll in latest], polls.count()


def _asked_in(webinars: Collection[int]) -> QuerySet[Poll]:
    return Poll.objects.filter(webinar__in=webinars).exclude(state=PollState.DRAFT).prefetch_related("options")
