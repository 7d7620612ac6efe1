"""What became of a campaign, by channel. Nothing is said that nobody knows: where a figure is not told it is None.

"Came" is not "came because of it": of those who were sent something, how many opened a webinar of the programme, live
or recorded, within a day.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.exports import Cell
from reminders.enums import Channel, DeliveryState, SkipReason
from reminders.models import Campaign, Delivery
from reminders.transports import transport_for
from webinars.models import PlaySession, Visit

WITHIN = timedelta(hours=24)
# By a link in the message, which says who came: not in notices, which lead to a page like any other.
FOLLOWED = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.INBOX})


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """`delivered`, `opened` and `followed` are None where this channel's provider does not tell."""

    channel: Channel
    left: int
    sent: int
    failed: int
    unknown: int
    skipped: int
    delivered: int | None
    opened: int | None
    followed: int | None
    came: int

    @property
    def opened_note(self) -> str:
        if self.channel == Channel.EMAIL and self.opened is not None:
            return _("only what loads pictures")
        return ""


@dataclass(frozen=True, slots=True)
class Results:
    channels: list[ChannelResult]
    reasons: list[tuple[str, int]]

    @property
    def planned(self) -> int:
        return sum(one.left + one.sent + one.failed + one.unknown + one.skipped for one in self.channels)


def results_of(campaign: Campaign) -> Results:
    """Two queries."""
    sent = Q(state=DeliveryState.SENT)
    rows = (
        _with_came(Delivery.objects.filter(campaign=campaign))
        .order_by("channel")
        .values("channel")
        .annotate(
            left=Count("pk", filter=Q(state__in=(DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING))),
            sent=Count("pk", filter=sent),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
            unknown=Count("pk", filter=Q(state=DeliveryState.UNKNOWN)),
            skipped=Count("pk", filter=Q(state=DeliveryState.SKIPPED)),
            delivered=Count("pk", filter=sent & Q(delivered_at__isnull=False, bounced_at=None)),
            opened=Count("pk", filter=sent & Q(read_at__isnull=False)),
            followed=Count("pk", filter=sent & Q(followed_at__isnull=False)),
            came=Count("pk", filter=sent & Q(has_come=True)),
        )
    )
    reasons = (
        Delivery.objects.filter(campaign=campaign, state=DeliveryState.SKIPPED)
        .order_by()
        .values_list("skip_reason")
        .annotate(number=Count("pk"))
    )
    return Results(
        channels=[_result(row) for row in rows],
        reasons=[(str(SkipReason(why).label), number) for why, number in sorted(reasons, key=lambda one: -one[1])],
    )


def _with_came(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """`has_come`: to any webinar of the programme, here or elsewhere, live or recorded, within a day."""
    until = OuterRef("ended_at") + WITHIN
    here = PlaySession.objects.filter(
        user=OuterRef("user"),
        webinar__lesson__course__programme=OuterRef("programme"),
        started_at__gte=OuterRef("ended_at"),
        started_at__lt=until,
    )
    elsewhere = Visit.objects.filter(
        user=OuterRef("user"),
        webinar__lesson__course__programme=OuterRef("programme"),
        joined_at__gte=OuterRef("ended_at"),
        joined_at__lt=until,
    )
    return rows.alias(has_come=Exists(here) | Exists(elsewhere))


def _result(row: Mapping[str, Any]) -> ChannelResult:
    channel = Channel(row["channel"])
    way = None if channel == Channel.INBOX else transport_for(channel)
    is_here = channel == Channel.INBOX
    return ChannelResult(
        channel=channel,
        left=row["left"],
        sent=row["sent"],
        failed=row["failed"],
        unknown=row["unknown"],
        skipped=row["skipped"],
        delivered=row["delivered"] if is_here or row["delivered"] or (way and way.tells_delivery) else None,
        opened=row["opened"] if is_here or row["opened"] or (way and way.tells_read) else None,
        followed=row["followed"] if channel in FOLLOWED else None,
        came=row["came"],
    )


def table_of(campaign: Campaign) -> Iterator[tuple[Cell, ...]]:
    """A line for each message, the headings first. Times in UTC; an empty one says that nobody told, not that it did
    not happen."""
    yield (
        _("Name"), _("E-mail"), _("Country"), _("Specialty"), _("Channel"), _("State"), _("Why not"), _("Due (UTC)"),
        _("Ended (UTC)"), _("Delivered (UTC), where it is told"), _("Opened (UTC), e-mail: only what loads pictures"),
        _("Link followed (UTC)"), _("Came to a webinar within 24 hours"),
    )  # fmt: skip
    rows = _with_came(Delivery.objects.filter(campaign=campaign)).annotate(came=F("has_come"))
    for row in rows.select_related("user").order_by("due_at", "pk").iterator(1_000):
        came = row.came and row.state == DeliveryState.SENT
        yield (
            row.user.get_full_name(), row.user.email, str(row.user.country.name or ""), row.user.specialty,
            str(row.get_channel_display()), str(row.get_state_display()), str(row.get_skip_reason_display()),
            _moment(row.due_at), _moment(row.ended_at), _moment(row.delivered_at), _moment(row.read_at),
            _moment(row.followed_at), _("yes") if came else "",
        )  # fmt: skip


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""
