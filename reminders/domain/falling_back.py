"""The next channel, for whom the one before did not reach.

At once where the channel could not be used at all (not wanted, no address, suppressed, no words), and where it failed
or bounced and the journey says how long to wait. After that wait, where nothing shows that it arrived: an urgent
message counts as arrived when it was opened or its link followed, another one when it was delivered, by a channel that
tells.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from core.logging import get_logger
from reminders.domain import consent
from reminders.domain.planning import Rehearsal, WouldPlan
from reminders.domain.planning.statement import usable_channels
from reminders.enums import CampaignState, Channel, DeliveryState, SkipReason
from reminders.models import Campaign, ChannelChoice, Delivery, Journey
from reminders.transports import transport_for

log = get_logger("reminders")
UNUSABLE = (
    SkipReason.OPTED_OUT,
    SkipReason.SUPPRESSED,
    SkipReason.NO_ADDRESS,
    SkipReason.NO_TEMPLATE,
    SkipReason.NO_WAY,
)
LATEST = timedelta(days=2)
HEARD_WITHIN = timedelta(days=7)
LONGEST_CAMPAIGN = timedelta(days=14)  # from its first zone to the end of its use
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class _Chain:
    """Of a journey or a campaign: its channels in order, and the minutes after which the next one is tried."""

    channels: list[str]
    minutes: int | None

    def is_due(self, now: datetime) -> Q:
        """Those whose channel has had its chance."""
        due = Q(state=DeliveryState.SKIPPED, skip_reason__in=UNUSABLE)
        if self.minutes is None:
            return due
        telling = [one for one in self.channels if _tells(Channel(one), now)]
        unsure = Q(is_urgent=True) | Q(channel__in=telling, delivered_at=None)
        left = Q(state__in=(DeliveryState.SENT, DeliveryState.UNKNOWN))
        waited = Q(ended_at__lte=now - timedelta(minutes=self.minutes)) & unsure & ~Q(channel=Channel.INBOX)
        return due | Q(state=DeliveryState.FAILED) | left & (Q(bounced_at__isnull=False) | waited)

    def may_be_due(self, now: datetime) -> Q:
        """Beside those that are: whose wait is not over, by a channel that may still tell."""
        if self.minutes is None:
            return self.is_due(now)
        able = [one for one in self.channels if (way := transport_for(Channel(one))) and way.tells_delivery]
        left = Q(state__in=(DeliveryState.SENT, DeliveryState.UNKNOWN), delivered_at=None, channel__in=able)
        return self.is_due(now) | left & Q(ended_at__gt=now - timedelta(minutes=self.minutes))

    def has_next(self) -> Q:
        """Those whose doctor wants one of the channels after theirs; of one that is no part of it any more, any."""
        found = Q()
        for number, channel in enumerate(self.channels):
            found |= Q(channel=channel) & _wants(self.channels[number + 1 :])
        return found | ~Q(channel__in=self.channels) & _wants(self.channels)


def _tells(channel: Channel, now: datetime) -> bool:
    """Whether its provider tells what arrived, and did so lately. One whose callbacks nobody set up is silent about
    everything: that means nothing, and must not send it all by the next channel as well.
    """
    way = transport_for(channel)
    if way is None or not way.tells_delivery:
        return False
    lately = Delivery.objects.filter(channel=channel, transport=way.name, ended_at__gt=now - HEARD_WITHIN)
    return lately.filter(Q(delivered_at__isnull=False) | Q(bounced_at__isnull=False)).exists()


def _wants(channels: list[str]) -> Q:
    """One of them, said or from the start: as `consent.wanted`."""
    mine = ChannelChoice.objects.filter(user=OuterRef("user"))
    found = Q(pk__in=[])
    for channel in channels:
        of_channel = mine.filter(channel=channel)
        if channel in consent.ON_FROM_THE_START:
            found |= ~Q(Exists(of_channel.filter(is_on=False)))
        else:
            found |= Q(Exists(of_channel.filter(is_on=True)))
    return found


def plan_fallbacks(*, now: datetime) -> int:
    """How many next channels were planned. A handful of queries for each journey and campaign that has several; one
    that fails is logged, and the others go on.
    """
    planned = 0
    for one in _with_several(now=now):
        try:
            chain, rows = _chain_of(one)
            _refused(rows, chain, now=now).update(
                state=DeliveryState.FAILED, ended_at=now, error="refused for too long: left to the next channel"
            )
            planned += _write(_nexts(_waiting(rows, chain, now=now), chain, now=now))
        except Exception:  # of this journey or campaign
            log.exception("reminders.no_fallbacks", of=_name(one))
    return planned


def rehearse_fallbacks(*, now: datetime) -> Rehearsal:
    """What `plan_fallbacks` would write. Nothing is written."""
    found = Rehearsal()
    for one in _with_several(now=now):
        try:
            with transaction.atomic():
                chain, rows = _chain_of(one)
                before = [*_waiting(rows, chain, now=now), *_refused(rows, chain, now=now)]
                found.messages += [
                    WouldPlan(row.kind, row.subject, row.slot, row.user_id, row.channel, row.due_at)
                    for row in _nexts(before, chain, now=now)
                ]
        except Exception:  # of this journey or campaign
            log.exception("reminders.no_fallbacks", of=_name(one))
            found.failed.append(_name(one))
    return found


def _with_several(*, now: datetime) -> Iterator[Journey | Campaign]:
    yield from Journey.objects.filter(is_on=True, channels__len__gt=1, programme__message_policy__is_on=True)
    yield from Campaign.objects.filter(
        state=CampaignState.RUNNING, channels__len__gt=1, started_at__gt=now - LONGEST_CAMPAIGN
    )


def _name(one: Journey | Campaign) -> str:
    if isinstance(one, Campaign):
        return f"campaign {one.pk}"
    return f"{one.kind} of programme {one.programme_id}, next channel"


def _chain_of(one: Journey | Campaign) -> tuple[_Chain, QuerySet[Delivery]]:
    """With the messages of which the next are planned."""
    if isinstance(one, Campaign):
        return _Chain(usable_channels(one.channels), one.fallback_minutes), Delivery.objects.filter(campaign=one)
    rows = Delivery.objects.filter(programme=one.programme_id, kind=one.kind, campaign=None)
    return _Chain(usable_channels(one.channels), one.fallback_minutes), rows


def has_more(campaign: Campaign, *, now: datetime) -> bool:
    """Whether a next channel's turn may still come, at once or after the wait. One query; none where there is no
    other channel."""
    if len(campaign.channels) < 2:
        return False
    chain, rows = _chain_of(campaign)
    return _before_next(rows, chain, due=chain.may_be_due(now), now=now).exists()


def _refused(rows: QuerySet[Delivery], chain: _Chain, *, now: datetime) -> QuerySet[Delivery]:
    """Urgent messages that their provider refuses for a while, and that would be tried again later than the next
    channel's turn comes. They have failed: the next one carries them, and they never follow.
    """
    if chain.minutes is None:
        return rows.none()
    held_up = rows.filter(state=DeliveryState.PLANNED, is_urgent=True, tries__gte=1, expires_at__gt=now)
    return held_up.filter(chain.has_next(), due_at__gt=now + timedelta(minutes=chain.minutes))


def _waiting(rows: QuerySet[Delivery], chain: _Chain, *, now: datetime) -> QuerySet[Delivery]:
    """Asked for are only those that get a next one, so that no others stand before them."""
    return _before_next(rows, chain, due=chain.is_due(now), now=now).order_by("ended_at", "pk")[:BATCH]


def _nexts(before: Iterable[Delivery], chain: _Chain, *, now: datetime) -> list[Delivery]:
    waiting = list(before)
    users = {one.user_id for one in waiting}
    wanted = {channel: consent.wanted(users, channel) for channel in chain.channels} if users else {}
    return [
        _next_of(one, channel, now=now)
        for one in waiting
        if (channel := _next_channel(one, chain.channels, wanted)) is not None
    ]


def _before_next(rows: QuerySet[Delivery], chain: _Chain, *, due: Q, now: datetime) -> QuerySet[Delivery]:
    unread = Q()
    for link in ("", "fallback_of__", "fallback_of__fallback_of__", "fallback_of__fallback_of__fallback_of__"):
        unread &= Q(**{f"{link}read_at": None, f"{link}followed_at": None})
    return rows.filter(unread, due, chain.has_next()).filter(
        expires_at__gt=now, ended_at__gt=now - LATEST, fallback=None
    )


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
    if not made:
        return 0
    before = {one.fallback_of_id for one in made}
    Delivery.objects.bulk_create(made, ignore_conflicts=True, batch_size=1_000)
    keys = [one.key for one in made]
    return Delivery.objects.filter(fallback_of__in=before, key__in=keys).count()
