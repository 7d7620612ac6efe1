"""What became of a campaign, by channel. Nothing is said that nobody knows: where a figure is not told it is None.

"Came" is not "came because of it": of those who were sent something, how many opened the webinar that the campaign's
filters name, live or recorded, within a day; any webinar of the programme where they name none. A doctor who got it by
several channels came once: after the last of these messages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.exports import Cell
from reminders.domain.performance import LEFT, SENT, TOLD, known
from reminders.enums import Channel, DeliveryState, SkipReason
from reminders.models import Campaign, Delivery
from webinars.models import PlaySession, Visit, Webinar

WITHIN = timedelta(hours=24)


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
class People:
    """Doctors, each once, whatever the number of channels: meant when it began, still to be written to, written to,
    come."""

    meant: int = 0
    left: int = 0
    reached: int = 0
    came: int = 0

    @property
    def over(self) -> int:
        return self.meant - self.left


@dataclass(frozen=True, slots=True)
class Results:
    """`about`: the webinar that "came" speaks of; empty for any of the programme."""

    channels: list[ChannelResult]
    reasons: list[tuple[str, int]]
    people: People
    about: str

    @property
    def planned(self) -> int:
        return sum(one.left + one.sent + one.failed + one.unknown + one.skipped for one in self.channels)


def results_of(campaign: Campaign) -> Results:
    """Three queries, and one for the name of the webinar where the filters name one."""
    about = webinar_of(campaign)
    mine = Delivery.objects.filter(campaign=campaign)
    rows = list(
        _with_came(mine, about)
        .order_by("channel")
        .values("channel")
        .annotate(
            left=Count("pk", filter=LEFT),
            sent=Count("pk", filter=SENT),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
            unknown=Count("pk", filter=Q(state=DeliveryState.UNKNOWN)),
            skipped=Count("pk", filter=Q(state=DeliveryState.SKIPPED)),
            **{name: Count("pk", filter=which) for name, which in TOLD.items()},
            came=Count("pk", filter=Q(has_come=True)),
        )
    )
    people = mine.aggregate(
        meant=Count("user", distinct=True),
        left=Count("user", distinct=True, filter=LEFT),
        reached=Count("user", distinct=True, filter=SENT),
    )
    reasons = mine.filter(state=DeliveryState.SKIPPED).order_by().values_list("skip_reason").annotate(n=Count("pk"))
    return Results(
        channels=[_result(row) for row in rows],
        reasons=[(reason_of(why), number) for why, number in sorted(reasons, key=lambda one: -one[1])],
        people=People(**people, came=sum(row["came"] for row in rows)),
        about=about.lesson.title if about else "",
    )


def reason_of(why: str) -> str:
    """In the words of a campaign, which is no journey."""
    if why == SkipReason.GONE:
        return _("The filters do not mean the doctor any more")
    if why == SkipReason.SWITCHED_OFF:
        return _("The programme sends no messages any more")
    return str(SkipReason(why).label)


def webinar_of(campaign: Campaign) -> Webinar | None:
    """The one that the filters name. No query where they name none."""
    number = campaign.audience.get("webinar")
    if not isinstance(number, int):
        return None
    rows = Webinar.objects.filter(pk=number, lesson__course__programme=campaign.programme_id)
    return rows.select_related("lesson").first()


def _with_came(rows: QuerySet[Delivery], about: Webinar | None) -> QuerySet[Delivery]:
    """`has_come`: this one left, the doctor came within a day, and there is no later one of which the same is true."""
    later = Delivery.objects.filter(
        _came(about), SENT, campaign=OuterRef("campaign"), user=OuterRef("user"), pk__gt=OuterRef("pk")
    )
    return rows.alias(has_come=Q(_came(about) & SENT & ~Exists(later)))


def _came(about: Webinar | None) -> Q:
    """Here or elsewhere, live or recorded, in the day after the message had left."""
    where: dict[str, Any] = {"webinar__lesson__course__programme": OuterRef("programme")}
    if about is not None:
        where = {"webinar": about.pk}
    until = OuterRef("ended_at") + WITHIN
    here = PlaySession.objects.filter(
        user=OuterRef("user"), started_at__gte=OuterRef("ended_at"), started_at__lt=until, **where
    )
    elsewhere = Visit.objects.filter(
        user=OuterRef("user"), joined_at__gte=OuterRef("ended_at"), joined_at__lt=until, **where
    )
    return Q(Exists(here)) | Q(Exists(elsewhere))


def _result(row: Mapping[str, Any]) -> ChannelResult:
    channel = Channel(row["channel"])
    return ChannelResult(
        channel=channel,
        left=row["left"],
        sent=row["sent"],
        failed=row["failed"],
        unknown=row["unknown"],
        skipped=row["skipped"],
        **known(channel, row),
        came=row["came"],
    )


def table_of(campaign: Campaign) -> Iterator[tuple[Cell, ...]]:
    """A line for each message, the headings first. Times in UTC; an empty one says that nobody told, not that it did
    not happen."""
    about = webinar_of(campaign)
    came = _("Came to “%(webinar)s” within 24 hours") % {"webinar": about.lesson.title} if about else ""
    yield (
        _("Name"), _("E-mail"), _("Country"), _("Specialty"), _("Channel"), _("State"), _("Why not"), _("Due (UTC)"),
        _("Ended (UTC)"), _("Delivered (UTC), where it is told"), _("Opened (UTC), e-mail: only what loads pictures"),
        _("Link followed (UTC)"), came or _("Came to a webinar within 24 hours"),
    )  # fmt: skip
    rows = _with_came(Delivery.objects.filter(campaign=campaign), about).annotate(came=F("has_come"))
    for row in rows.select_related("user").order_by("due_at", "pk").iterator(1_000):
        yield (
            row.user.get_full_name(), row.user.email, str(row.user.country.name or ""), row.user.specialty,
            str(row.get_channel_display()), str(row.get_state_display()),
            reason_of(row.skip_reason) if row.skip_reason else "",
            _moment(row.due_at), _moment(row.ended_at), _moment(row.delivered_at), _moment(row.read_at),
            _moment(row.followed_at), _("yes") if row.came else "",
        )  # fmt: skip


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""
