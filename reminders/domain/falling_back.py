"""The next channel, for whom the one before did not reach.

At once where the channel could not be used at all (not wanted, no address, suppressed, no words), and where it failed
or bounced and the journey says how long to wait. After that wait, where nothing shows that it arrived: an urgent
message counts as arrived when it was opened or its link followed, another one when it was delivered, by a channel that
tells.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from reminders.domain import consent
from reminders.domain.planning.statement import usable_channels
from reminders.enums import Channel, DeliveryState, Kind, SkipReason
from reminders.models import Delivery, Journey
from reminders.models.delivery import ENDED
from reminders.transports import transport_for

UNUSABLE = (SkipReason.OPTED_OUT, SkipReason.SUPPRESSED, SkipReason.NO_ADDRESS, SkipReason.NO_TEMPLATE)
LATEST = timedelta(days=2)
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class _Chain:
    """Of a journey or a campaign: its channels in order, and the minutes after which the next one is tried."""

    channels: list[str]
    minutes: int | None


def plan_fallbacks(*, now: datetime) -> int:
    """How many next channels were planned. A handful of queries for each journey that has several."""
    planned = 0
    for journey in Journey.objects.filter(is_on=True, channels__len__gt=1, programme__message_policy__is_on=True):
        chain = _Chain(usable_channels(journey.channels), journey.fallback_minutes)
        rows = Delivery.objects.filter(programme=journey.programme_id, kind=journey.kind, campaign=None)
        planned += _plan_of(chain, _ended(rows, now=now), now=now)
    campaigns = Delivery.objects.filter(kind=Kind.CAMPAIGN).select_related("campaign")
    waiting: dict[int, list[Delivery]] = {}
    for one in _ended(campaigns, now=now):
        waiting.setdefault(one.campaign_id or 0, []).append(one)
    for rows_of_one in waiting.values():
        campaign = rows_of_one[0].campaign
        if campaign is not None and len(campaign.channels) > 1:
            planned += _plan_of(_Chain(usable_channels(campaign.channels), None), rows_of_one, now=now)
    return planned


def _ended(rows: QuerySet[Delivery], *, now: datetime) -> list[Delivery]:
    """What could have a next one. Those on the site and the last of a chain are sorted out by the caller."""
    ended = (
        rows.filter(expires_at__gt=now, ended_at__gt=now - LATEST, fallback=None, state__in=ENDED)
        .exclude(state=DeliveryState.SKIPPED, skip_reason__in=[one for one in SkipReason if one not in UNUSABLE])
        .filter(read_at=None, followed_at=None)
    )
    return list(ended.order_by("ended_at", "pk")[:BATCH])


def _plan_of(chain: _Chain, rows: list[Delivery], *, now: datetime) -> int:
    waiting = [one for one in rows if is_due(one, minutes=chain.minutes, now=now)]
    if not waiting:
        return 0
    users = {one.user_id for one in waiting}
    wanted = {channel: consent.wanted(users, channel) for channel in chain.channels}
    made = [
        _next_of(one, channel, now=now)
        for one in waiting
        if (channel := _next_channel(one, chain.channels, wanted)) is not None
    ]
    return _write(made)


def is_due(one: Delivery, *, minutes: int | None, now: datetime) -> bool:
    """Whether this channel has had its chance."""
    if one.state == DeliveryState.SKIPPED:
        return one.skip_reason in UNUSABLE
    if minutes is None or one.ended_at is None:
        return False
    if one.state == DeliveryState.FAILED or one.bounced_at:
        return True
    if one.channel == Channel.INBOX or one.ended_at + timedelta(minutes=minutes) > now:
        return False
    if one.is_urgent:
        return True
    transport = transport_for(one.channel)
    return transport is not None and transport.tells_delivery and one.delivered_at is None


def _next_channel(one: Delivery, channels: list[str], wanted: dict[str, set[int]]) -> str | None:
    """The first after this one's that the person wants. Whether there is an address is looked at before sending."""
    rest = channels[channels.index(one.channel) + 1 :] if one.channel in channels else channels
    return next((channel for channel in rest if one.user_id in wanted[channel]), None)


def _next_of(one: Delivery, channel: str, *, now: datetime) -> Delivery:
    return Delivery(
        programme_id=one.programme_id,
        user_id=one.user_id,
        kind=one.kind,
        subject=one.subject,
        slot=one.slot,
        channel=channel,
        campaign_id=one.campaign_id,
        fallback_of=one,
        is_urgent=one.is_urgent,
        due_at=now,
        expires_at=one.expires_at,
    )


def _write(made: list[Delivery]) -> int:
    """Of two that plan the same one is refused by the constraints: of the message, and of one next for each."""
    before = {one.fallback_of_id for one in made}
    Delivery.objects.bulk_create(made, ignore_conflicts=True, batch_size=1_000)
    keys = [one.key for one in made]
    return Delivery.objects.filter(fallback_of__in=before, key__in=keys).count()
