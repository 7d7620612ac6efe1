"""Whether a message still makes sense in the moment in which it would leave. A number of queries for a batch, none for
a row.

The order says which reason counts when there are several: first what is true of the thing, then of the person, then of
the way. Only what nobody can change back is a reason to skip; the night is none, and neither is enough for today: then
the message waits, as long as it is of use. That a webinar was moved or cancelled does not wait until it is too late:
nobody gets up for nothing because the news had to wait for the morning.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus, PublishStatus
from courses.models import Enrolment
from reminders.domain import consent
from reminders.domain.audiences import still_meant
from reminders.domain.known_dates import begin_in, number_in, outdated
from reminders.domain.planning.statement import still_wanted
from reminders.domain.planning.which import source_of
from reminders.domain.times import next_allowed, zone_named
from reminders.enums import CampaignState, Channel, DeliveryState, Kind, SkipReason
from reminders.models import Campaign, Delivery, Journey, MessagePolicy, PushSubscription
from reminders.transports import transport_for
from webinars.models import Webinar

DAY, WEEK = timedelta(days=1), timedelta(days=7)
AGAIN = timedelta(hours=3)  # what is over the limit waits, as long as it is of use
IN_TIME = timedelta(hours=2)  # the news of a change should be there so long before the webinar
NUDGES = frozenset({Kind.INVITATION_NUDGE, Kind.INVITATION_LAST})
# What somebody asked for, or has to know: no limit holds it back. It counts for the others.
UNLIMITED = frozenset({Kind.REGISTERED, Kind.MOVED, Kind.CANCELLED, Kind.TEST})
CHANGES = frozenset({Kind.MOVED, Kind.CANCELLED})
_WEBINAR = "webinar/"


@dataclass(slots=True)
class Verdict:
    """By delivery id. `later`: the first moment at which it may go."""

    go: list[Delivery] = field(default_factory=list)
    skip: dict[int, SkipReason] = field(default_factory=dict)
    later: dict[int, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Facts:
    now: datetime
    enrolments: dict[tuple[int, int], str]
    journeys: dict[tuple[int, str], Journey]
    wanted: dict[tuple[int, str], set[tuple[int, str, str]]]
    taken: dict[tuple[int, str], set[tuple[int, str, str]]]
    outdated: dict[int, datetime]
    meant: dict[int, set[int] | None]
    webinars: dict[int, tuple[datetime | None, datetime | None]]
    reached: dict[int, str]
    suppressed: set[int]
    with_choice: set[int]
    counts: dict[tuple[int, int], list[int]]


def check(deliveries: Sequence[Delivery], *, channel: str, now: datetime) -> Verdict:
    """All of one channel, with user, programme, policy, campaign and what they stand in for beside them."""
    facts = _facts(deliveries, channel=channel, now=now)
    verdict = Verdict()
    for one in deliveries:
        reason = _reason(one, facts)
        if reason is not None:
            verdict.skip[one.pk] = reason
            continue
        moment = _allowed_at(one, facts)
        if moment > now:
            if moment >= one.expires_at:
                verdict.skip[one.pk] = SkipReason.TOO_LATE
            else:
                verdict.later[one.pk] = moment
            continue
        if _is_capped(one, facts):
            if now + AGAIN < one.expires_at:
                verdict.later[one.pk] = now + AGAIN
            else:
                verdict.skip[one.pk] = SkipReason.CAPPED
            continue
        verdict.go.append(one)
    return verdict


def _reason(one: Delivery, facts: _Facts) -> SkipReason | None:
    if one.expires_at <= facts.now:
        return SkipReason.TOO_LATE
    if not one.user.is_active:
        return SkipReason.NOT_ENROLLED
    if one.kind != Kind.TEST and (reason := _about_the_thing(one, facts) or _about_the_chain(one)):
        return reason
    return _about_the_way(one, facts)


def _about_the_thing(one: Delivery, facts: _Facts) -> SkipReason | None:
    policy = policy_of(one)
    if policy is None or not policy.is_on:
        return SkipReason.SWITCHED_OFF
    status = facts.enrolments.get((one.user_id, one.programme_id), "")
    if one.campaign is not None:
        return _about_the_campaign(one, one.campaign, status, facts)
    journey = facts.journeys.get((one.programme_id, one.kind))
    if journey is None or not journey.is_on:
        return SkipReason.SWITCHED_OFF
    if one.kind in NUDGES:
        if status in OPEN_ENROLMENTS:
            return SkipReason.DONE
        if status != EnrolmentStatus.INVITED:
            return SkipReason.NOT_ENROLLED
    elif status not in OPEN_ENROLMENTS:
        return SkipReason.NOT_ENROLLED
    return _about_its_time(one, facts) or _about_what_was_done(one, facts)


def _about_the_campaign(one: Delivery, campaign: Campaign, status: str, facts: _Facts) -> SkipReason | None:
    """Whom it is for is asked once more: the last zone's hour may come a day after everything was planned."""
    meant = facts.meant.get(campaign.pk)
    if campaign.state == CampaignState.STOPPED or meant is None:
        return SkipReason.STOPPED
    if one.programme.status != PublishStatus.PUBLISHED:
        return SkipReason.SWITCHED_OFF
    if status not in {*OPEN_ENROLMENTS, EnrolmentStatus.INVITED}:
        return SkipReason.NOT_ENROLLED
    return None if one.user_id in meant else SkipReason.GONE


def _about_its_time(one: Delivery, facts: _Facts) -> SkipReason | None:
    if not one.subject.startswith(_WEBINAR):
        return None
    if one.kind == Kind.CANCELLED:
        return None
    starts_at, cancelled_at = facts.webinars.get(number_in(one.subject), (None, None))
    if cancelled_at is not None:
        return SkipReason.CANCELLED
    begin = f"{starts_at:%Y-%m-%dT%H:%MZ}" if starts_at else ""
    if one.kind != Kind.REGISTERED and one.slot and one.slot.partition("#")[0] != begin:
        return SkipReason.MOVED
    return None


def _about_what_was_done(one: Delivery, facts: _Facts) -> SkipReason | None:
    about = (one.programme_id, one.kind)
    if about not in facts.wanted or _named(one) in facts.wanted[about]:
        return None
    return SkipReason.DONE if _named(one) in facts.taken.get(about, ()) else SkipReason.GONE


def _named(one: Delivery) -> tuple[int, str, str]:
    """As the sources of planning name it."""
    return one.user_id, one.subject, "" if one.kind == Kind.WEEKLY_PROGRESS else one.slot


def _about_the_chain(one: Delivery) -> SkipReason | None:
    """The next channel is for whom none of those before did reach."""
    before = one.fallback_of
    while before is not None:
        arrived = before.delivered_at and not before.bounced_at and not one.is_urgent
        if before.read_at or before.followed_at or arrived:
            return SkipReason.NOT_NEEDED
        before = before.fallback_of
    return None


def _about_the_way(one: Delivery, facts: _Facts) -> SkipReason | None:
    if one.channel != Channel.INBOX and not facts.reached.get(one.user_id):
        return SkipReason.NO_ADDRESS
    if one.kind == Kind.TEST:
        return None
    if one.user_id in facts.suppressed:
        return SkipReason.SUPPRESSED
    return None if one.user_id in facts.with_choice else SkipReason.OPTED_OUT


def _allowed_at(one: Delivery, facts: _Facts) -> datetime:
    """Messages on the site make no noise; a test goes out while its author looks."""
    policy, now = policy_of(one), facts.now
    if one.is_urgent or one.channel == Channel.INBOX or one.kind == Kind.TEST or policy is None:
        return now
    zone = zone_named(one.user.timezone)
    morning = next_allowed(now, quiet_from=policy.quiet_from, quiet_until=policy.quiet_until, zone=zone)
    return now if one.kind in CHANGES and _is_too_late(one, morning, facts) else morning


def _is_too_late(one: Delivery, morning: datetime, facts: _Facts) -> bool:
    """For the date that its doctor knows, or the new one. What rings a bell waits, unless it would be lost."""
    if one.channel != Channel.EMAIL:
        return morning >= one.expires_at
    begins = [begin for begin in (begin_in(one.slot), facts.outdated.get(one.pk)) if begin is not None]
    return any(facts.now - IN_TIME < begin < morning + IN_TIME for begin in begins) or morning >= one.expires_at


def _is_capped(one: Delivery, facts: _Facts) -> bool:
    policy = policy_of(one)
    if one.channel == Channel.INBOX or policy is None:
        return False
    sent = facts.counts[one.user_id, one.programme_id]
    is_full = sent[0] >= policy.most_a_day or sent[1] >= policy.most_a_week
    if is_full and not one.is_urgent and one.kind not in UNLIMITED:
        return True
    sent[0] += 1
    sent[1] += 1
    return False


def policy_of(one: Delivery) -> MessagePolicy | None:
    """Read beside the programme; None where it has none."""
    return getattr(one.programme, "message_policy", None)


def _facts(deliveries: Sequence[Delivery], *, channel: str, now: datetime) -> _Facts:
    users = sorted({one.user_id for one in deliveries})
    programmes = sorted({one.programme_id for one in deliveries})
    webinars = {number_in(one.subject) for one in deliveries if one.subject.startswith(_WEBINAR)}
    addresses = _addresses(deliveries, channel)
    wanted = _wanted(deliveries, now)
    return _Facts(
        now=now,
        enrolments={
            (user, programme): status
            for user, programme, status in Enrolment.objects.filter(
                user__in=users, programme__in=programmes
            ).values_list("user_id", "programme_id", "status")
        },
        journeys={(one.programme_id, one.kind): one for one in Journey.objects.filter(programme__in=programmes)},
        wanted=wanted,
        taken=_taken(deliveries, wanted, now),
        outdated=outdated(one for one in deliveries if one.kind in CHANGES),
        meant=_meant(deliveries, now),
        webinars={
            pk: (starts_at, cancelled_at)
            for pk, starts_at, cancelled_at in Webinar.objects.filter(pk__in=webinars).values_list(
                "pk", "starts_at", "cancelled_at"
            )
        },
        reached=addresses,
        suppressed=consent.silent(channel, addresses) if channel != Channel.PUSH else set(),
        with_choice=consent.wanted(users, channel),
        counts=_counts(users, programmes, now),
    )


def _addresses(deliveries: Iterable[Delivery], channel: str) -> dict[int, str]:
    """By person. Of browsers only that there is one."""
    if channel == Channel.PUSH:
        users = {one.user_id for one in deliveries}
        rows = PushSubscription.objects.filter(user__in=users, ended_at=None).values_list("user_id", flat=True)
        return dict.fromkeys(rows, "browser")
    if channel == Channel.EMAIL:
        return {one.user_id: one.user.email for one in deliveries}
    return {one.user_id: str(one.user.phone or "") for one in deliveries}


def _wanted(deliveries: Iterable[Delivery], now: datetime) -> dict[tuple[int, str], set[tuple[int, str, str]]]:
    """One query for each programme and kind in the batch."""
    people: dict[tuple[int, str], set[int]] = defaultdict(set)
    for one in deliveries:
        if one.campaign_id is None:
            people[one.programme_id, one.kind].add(one.user_id)
    return {
        (programme, kind): still_wanted(source, programme_id=programme, user_ids=sorted(users), now=now)
        for (programme, kind), users in people.items()
        if (source := source_of(kind)) is not None
    }


def _taken(
    deliveries: Iterable[Delivery], wanted: dict[tuple[int, str], set[tuple[int, str, str]]], now: datetime
) -> dict[tuple[int, str], set[tuple[int, str, str]]]:
    """Those that would still be sent, had the doctor not done what they are about. One query more for each programme
    and kind of which something is not wanted.
    """
    people: dict[tuple[int, str], set[int]] = defaultdict(set)
    for one in deliveries:
        about = (one.programme_id, one.kind)
        if one.campaign_id is None and about in wanted and _named(one) not in wanted[about]:
            people[about].add(one.user_id)
    return {
        (programme, kind): still_wanted(source, programme_id=programme, user_ids=sorted(users), done_too=True, now=now)
        for (programme, kind), users in people.items()
        if (source := source_of(kind)) is not None and source.undone
    }


def _meant(deliveries: Iterable[Delivery], now: datetime) -> dict[int, set[int] | None]:
    """By campaign; see `still_meant`."""
    rows: dict[Campaign, list[Delivery]] = defaultdict(list)
    for one in deliveries:
        if one.campaign is not None:
            rows[one.campaign].append(one)
    return {
        campaign.pk: still_meant(
            campaign, programme=mine[0].programme, user_ids=sorted({one.user_id for one in mine}), now=now
        )
        for campaign, mine in rows.items()
    }


def _counts(users: list[int], programmes: list[int], now: datetime) -> dict[tuple[int, int], list[int]]:
    """What left in the last day and week, by person and programme. What may have left counts too."""
    left = Coalesce("ended_at", "claimed_at")
    rows = (
        Delivery.objects.filter(
            user__in=users,
            programme__in=programmes,
            due_at__gt=now - WEEK - DAY,
            state__in=(DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN),
        )
        .exclude(channel=Channel.INBOX)
        .exclude(kind=Kind.TEST)
        .order_by()
        .alias(left=left)
        .values("user_id", "programme_id")
        .annotate(day=Count("pk", filter=Q(left__gt=now - DAY)), week=Count("pk", filter=Q(left__gt=now - WEEK)))
    )
    found: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        found[row["user_id"], row["programme_id"]] = [row["day"], row["week"]]
    return found


def has_way_out(channel: str) -> bool:
    """Whether this site can send by it at all."""
    return channel == Channel.INBOX or transport_for(channel) is not None
