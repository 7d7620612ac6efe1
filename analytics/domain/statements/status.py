"""What is in the outbox, for whoever looks after it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from analytics.domain.statements.making import FEED
from analytics.enums import DEAD_STATEMENTS, StatementState
from analytics.models import Statement, StatementFeed


@dataclass(frozen=True, slots=True)
class Status:
    """`dead`: the newest of those that were refused or given up: id, verb, when it ended, how it ended, why.
    `stuck`: sources that cannot be read to their end.
    """

    due: int
    later: int
    in_hand: int
    oldest_seconds: float
    sent: int
    refused: int
    given_up: int
    made_through: datetime | None
    paused_until: datetime | None
    problem: str
    dead: list[Statement]
    stuck: list[StatementFeed]


def status(*, now: datetime, most: int = 10) -> Status:
    waiting = Q(state=StatementState.WAITING)
    free = waiting & Q(claim=None)
    found = Statement.objects.aggregate(
        due=Count("pk", filter=free & Q(due_at__lte=now)),
        later=Count("pk", filter=free & Q(due_at__gt=now)),
        in_hand=Count("pk", filter=waiting & Q(claim__isnull=False)),
        sent=Count("pk", filter=Q(state=StatementState.SENT)),
        refused=Count("pk", filter=Q(state=StatementState.REFUSED)),
        given_up=Count("pk", filter=Q(state=StatementState.GIVEN_UP)),
    )
    oldest = Statement.objects.filter(waiting).aggregate(at=Min("due_at"))["at"]
    feed = StatementFeed.objects.filter(name=FEED).first() or StatementFeed()
    pause = feed.paused_until if feed.paused_until and feed.paused_until > now else None
    return Status(
        **found,
        oldest_seconds=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        made_through=feed.made_through,
        paused_until=pause,
        problem=feed.problem,
        dead=list(Statement.objects.filter(state__in=DEAD_STATEMENTS).order_by("-ended_at", "pk")[:most]),
        stuck=list(StatementFeed.objects.exclude(name=FEED).order_by("name")),
    )
