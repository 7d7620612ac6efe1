"""What became of a programme's messages. Nothing is said that nobody knows: where a figure is not told it is None."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from core.replica import reading
from reminders.enums import Channel, DeliveryState, Kind
from reminders.models import Delivery
from reminders.transports import transport_for

LEFT = Q(state__in=(DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING))
SENT = Q(state=DeliveryState.SENT)
# By a link in the message, which says who came: not in notices, which lead to a page like any other.
FOLLOWED = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.INBOX})
# Of those that were sent.
TOLD: Mapping[str, Q] = {
    "delivered": SENT & Q(delivered_at__isnull=False, bounced_at=None),
    "opened": SENT & Q(read_at__isnull=False),
    "followed": SENT & Q(followed_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages of one kind by one channel; of one of both where they are added up, and the other is None.

    `sent` left this site, those that came back (`returned`) included; `failed` never did. `delivered`, `opened` and
    `followed` are of those sent, None where nobody tells.
    """

    kind: Kind | None
    channel: Channel | None
    sent: int
    failed: int
    unknown: int
    skipped: int
    returned: int
    delivered: int | None
    opened: int | None
    followed: int | None


def known(channel: Channel, row: Mapping[str, int]) -> dict[str, int | None]:
    """Of counts by the names of TOLD: those that are told on this channel, None for the rest."""
    way = None if channel == Channel.INBOX else transport_for(channel)
    is_here = channel == Channel.INBOX
    return {
        "delivered": row["delivered"] if is_here or row["delivered"] or (way and way.tells_delivery) else None,
        "opened": row["opened"] if is_here or row["opened"] or (way and way.tells_read) else None,
        "followed": row["followed"] if channel in FOLLOWED else None,
    }


def performance_of(*, programme_id: int) -> list[Sent]:
    """By kind in the order of a programme, then by channel. Tests to oneself are left out. One query."""
    found = Delivery.objects.using(reading()).filter(programme=programme_id).exclude(kind=Kind.TEST).exclude(LEFT)
    rows = (
        found.order_by()
        .values("kind", "channel")
        .annotate(
            sent=Count("pk", filter=SENT),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
            unknown=Count("pk", filter=Q(state=DeliveryState.UNKNOWN)),
            skipped=Count("pk", filter=Q(state=DeliveryState.SKIPPED)),
            returned=Count("pk", filter=SENT & Q(bounced_at__isnull=False)),
            **{name: Count("pk", filter=which) for name, which in TOLD.items()},
        )
    )
    return [_line(row) for row in sorted(rows, key=_place)]


def _place(row: Mapping[str, Any]) -> tuple[int, int]:
    return list(Kind).index(Kind(row["kind"])), list(Channel).index(Channel(row["channel"]))


def by_channel(lines: Sequence[Sent]) -> list[Sent]:
    return _added(lines, lambda one: (None, one.channel))


def by_kind(lines: Sequence[Sent]) -> list[Sent]:
    return _added(lines, lambda one: (one.kind, None))


def _line(row: Mapping[str, Any]) -> Sent:
    channel = Channel(row["channel"])
    counts: dict[str, Any] = {name: row[name] for name in ("sent", "failed", "unknown", "skipped", "returned")}
    return Sent(kind=Kind(row["kind"]), channel=channel, **counts | known(channel, row))


def _added(lines: Sequence[Sent], of: Callable[[Sent], tuple[Kind | None, Channel | None]]) -> list[Sent]:
    """In the order in which they come. Where one of them does not tell, the sum is of those that do."""
    groups: dict[tuple[Kind | None, Channel | None], list[Sent]] = {}
    for line in lines:
        groups.setdefault(of(line), []).append(line)
    return [
        Sent(
            kind=kind,
            channel=channel,
            sent=sum(one.sent for one in group),
            failed=sum(one.failed for one in group),
            unknown=sum(one.unknown for one in group),
            skipped=sum(one.skipped for one in group),
            returned=sum(one.returned for one in group),
            delivered=_sum([one.delivered for one in group]),
            opened=_sum([one.opened for one in group]),
            followed=_sum([one.followed for one in group]),
        )
        for (kind, channel), group in groups.items()
    ]


def _sum(numbers: Sequence[int | None]) -> int | None:
    told = [one for one in numbers if one is not None]
    return sum(told) if told else None
