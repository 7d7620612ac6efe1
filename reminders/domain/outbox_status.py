"""The outbox in numbers, by channel."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from reminders.enums import DeliveryState
from reminders.models import Delivery
from reminders.models.delivery import LEASED

LATE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """`due` waits now, `later` lies ahead or was put off; what ended is of the time asked for."""

    channel: str
    due: int
    later: int
    in_hand: int
    oldest_seconds: float
    sent: int
    failed: int
    unknown: int
    skipped: int

    @property
    def is_late(self) -> bool:
        return self.due > 0 and self.oldest_seconds > LATE_SECONDS


def status(*, which: Q, since: timedelta, now: datetime) -> list[ChannelStatus]:
    """One query."""
    planned = Q(state=DeliveryState.PLANNED)
    rows = (
        Delivery.objects.filter(which)
        .filter(Q(ended_at=None) | Q(ended_at__gt=now - since))
        .order_by("channel")
        .values("channel")
        .annotate(
            due=Count("pk", filter=planned & Q(due_at__lte=now)),
            later=Count("pk", filter=planned & Q(due_at__gt=now)),
            in_hand=Count("pk", filter=Q(state__in=LEASED)),
            oldest=Min("due_at", filter=planned & Q(due_at__lte=now)),
            sent=Count("pk", filter=Q(state=DeliveryState.SENT)),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
            unknown=Count("pk", filter=Q(state=DeliveryState.UNKNOWN)),
            skipped=Count("pk", filter=Q(state=DeliveryState.SKIPPED)),
        )
    )
    return [
        ChannelStatus(
            channel=row["channel"],
            due=row["due"],
            later=row["later"],
            in_hand=row["in_hand"],
            oldest_seconds=(now - row["oldest"]).total_seconds() if row["oldest"] else 0.0,
            sent=row["sent"],
            failed=row["failed"],
            unknown=row["unknown"],
            skipped=row["skipped"],
        )
        for row in rows
    ]
