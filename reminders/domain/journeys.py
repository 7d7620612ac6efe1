"""What a programme sends, when and which way: switched on with words, changed by staff, shown for an example doctor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from courses.models import Programme
from reminders.domain import sponsors
from reminders.domain.planning.which import planned_kinds
from reminders.domain.times import due_of, next_allowed, zone_named
from reminders.enums import Channel, Kind
from reminders.models import Journey, MessagePolicy
from webinars.models import Webinar

DAY = 1_440
FARTHEST = 366 * DAY
# Before the event, at it, or after it: an offset of the other sign would promise what has been.
BEFORE = frozenset({Kind.WEEK_BEFORE, Kind.DAY_BEFORE, Kind.HOUR_BEFORE, Kind.SOON, Kind.PROGRAMME_CLOSING})
# Those that bring a doctor into the room: nothing else may break somebody's night or limits for ever.
JOINING = frozenset({Kind.HOUR_BEFORE, Kind.SOON, Kind.LIVE})
WEEK = 7 * DAY
OF_WEBINARS = frozenset(
    {Kind.WEEK_BEFORE, Kind.DAY_BEFORE, Kind.HOUR_BEFORE, Kind.SOON, Kind.LIVE, Kind.RECORDING_READY}
)


@dataclass(frozen=True, slots=True)
class Usual:
    """A journey as most programmes want it."""

    minutes: int
    hour: int | None = None
    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    fallback: int | None = None
    is_urgent: bool = False


_ALSO_HERE = (Channel.EMAIL, Channel.INBOX)
USUAL: dict[Kind, Usual] = {
    Kind.INVITATION_NUDGE: Usual(3 * DAY, 10),
    Kind.INVITATION_LAST: Usual(10 * DAY, 10),
    Kind.REGISTERED: Usual(0),
    Kind.WEEK_BEFORE: Usual(-7 * DAY, 10),
    Kind.DAY_BEFORE: Usual(-DAY, 18),
    Kind.HOUR_BEFORE: Usual(-60),
    Kind.SOON: Usual(-10, channels=(Channel.PUSH, Channel.WHATSAPP, Channel.EMAIL)),
    Kind.LIVE: Usual(0, channels=(Channel.EMAIL, Channel.WHATSAPP, Channel.SMS), fallback=5, is_urgent=True),
    Kind.MOVED: Usual(0, channels=_ALSO_HERE),
    Kind.CANCELLED: Usual(0, channels=_ALSO_HERE),
    Kind.RECORDING_READY: Usual(0, 18),
    Kind.LEFT_EARLY: Usual(DAY, 18),
    Kind.EVALUATION: Usual(120),
    Kind.COURSE_COMPLETED: Usual(0, channels=_ALSO_HERE),
    Kind.WEEKLY_PROGRESS: Usual(0, 9),
    Kind.CERTIFICATE_READY: Usual(0, channels=_ALSO_HERE),
    Kind.PROGRAMME_CLOSING: Usual(-14 * DAY, 10),
}


class JourneyError(Exception):
    """Nothing was changed; the text is for the person who asked."""


class PolicyError(ValueError):
    """Nothing was saved. `problems`: (field, what is wrong with it), for whoever edits."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(" ".join(told for _field, told in problems))
        self.problems = problems


def problem_with(
    *,
    kind: str,
    offset_minutes: int,
    channels: list[str],
    local_time: time | None = None,
    is_urgent: bool = False,
) -> str:
    """Empty, or what is wrong, in words. One check for the form and for whoever else writes journeys."""
    if kind not in planned_kinds():
        return str(_("This message is not sent by a journey."))
    if abs(offset_minutes) > FARTHEST:
        return str(_("At most a year before or after."))
    if kind in BEFORE and offset_minutes >= 0:
        return str(_("This message goes out before the event: give minutes below 0."))
    if kind not in BEFORE and offset_minutes < 0:
        return str(_("This message goes out after the event: give 0 or more minutes."))
    if len(set(channels)) != len(channels):
        return str(_("Name each channel once."))
    if is_urgent and kind not in JOINING:
        return str(_("Only what brings doctors into the room may break quiet hours and limits."))
    return _problem_with_hour(kind, offset_minutes, local_time)


def _problem_with_hour(kind: str, offset_minutes: int, local_time: time | None) -> str:
    """Of what would never go out: after its week, or after the event that it announces."""
    if kind == Kind.WEEKLY_PROGRESS:
        monday = datetime(2001, 1, 1, tzinfo=UTC)
        due = due_of(monday, offset_minutes=offset_minutes, local_time=local_time, zone=zone_named("UTC"))
        if due - monday >= timedelta(minutes=WEEK):
            return str(_("Minutes and hour lie after the end of the week, which begins on Monday at midnight."))
    elif kind in BEFORE and local_time is not None and offset_minutes > -DAY:
        return str(_("An hour of the day may come after the event: give it from a day (-1440 minutes) before."))
    return ""


@transaction.atomic
def save_policy(*, policy: MessagePolicy, actor: User | None, request: HttpRequest | None = None, now: datetime) -> int:
    """With its first saving the usual messages are there, each as most programmes want it. How many were added.

    Raises PolicyError.
    """
    if problems := sponsors.problems_of_policy(policy):
        raise PolicyError(problems)
    added = 0 if policy.pk else len(_add_usual(policy.programme_id))
    policy.save()
    record_change(policy=policy, actor=actor, request=request, now=now)
    return added


def _add_usual(programme_id: int) -> list[Journey]:
    """Those that it has not."""
    there = set(Journey.objects.filter(programme=programme_id).values_list("kind", flat=True))
    return Journey.objects.bulk_create(
        [
            Journey(
                programme_id=programme_id,
                kind=kind,
                offset_minutes=usual.minutes,
                local_time=None if usual.hour is None else time(usual.hour),
                channels=[channel.value for channel in usual.channels],
                fallback_minutes=usual.fallback,
                is_urgent=usual.is_urgent,
            )
            for kind, usual in USUAL.items()
            if kind not in there
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def save_journey(*, journey: Journey, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    """What is planned already is looked at again before it is sent."""
    problem = problem_with(
        kind=journey.kind,
        offset_minutes=journey.offset_minutes,
        channels=journey.channels,
        local_time=journey.local_time,
        is_urgent=journey.is_urgent,
    )
    if problem:
        raise JourneyError(problem)
    journey.save()
    _record(journey.programme_id, actor=actor, request=request, now=now)


@transaction.atomic
def delete_journey(*, journey: Journey, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    programme = journey.programme_id
    journey.delete()
    _record(programme, actor=actor, request=request, now=now)


def _record(programme_id: int, *, actor: User | None, request: HttpRequest | None, now: datetime) -> None:
    policy = MessagePolicy.objects.select_related("programme").filter(programme=programme_id).first()
    if policy is not None:
        record_change(policy=policy, actor=actor, request=request, now=now)


def record_change(
    *, policy: MessagePolicy, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    """What stands now: who reads the trail sees what was sent under which rules."""
    rows = Journey.objects.filter(programme=policy.programme_id, is_on=True).order_by("kind")
    details = {
        "is_on": policy.is_on,
        "template_set": policy.template_set_id,
        "quiet": f"{policy.quiet_from:%H:%M}–{policy.quiet_until:%H:%M}",
        "most": [policy.most_a_day, policy.most_a_week],
        "may_name_sponsors": policy.may_name_sponsors,
        "sponsors": list(sponsors.names_of(policy)),
        "journeys": {one.kind: [one.offset_minutes, str(one.local_time or ""), *one.channels] for one in rows},
    }
    audit.record("messages.changed", actor=actor, subject=policy.programme, request=request, details=details, now=now)


@dataclass(frozen=True, slots=True)
class Example:
    """`at` is none for what follows a doctor's own step: it has no date. `is_late`: quiet hours put it off."""

    journey: Journey
    event: str
    at: datetime | None
    is_late: bool = False


def examples(*, policy: MessagePolicy, zone: str, now: datetime) -> Iterator[Example]:
    """When each journey would go out for a doctor of that zone, about the next webinar or the programme's end."""
    webinar = (
        Webinar.objects.filter(
            lesson__course__programme=policy.programme_id, starts_at__gt=now, cancelled_at=None, ended_at=None
        )
        .select_related("lesson")
        .order_by("starts_at")
        .first()
    )
    named = zone_named(zone)
    for journey in Journey.objects.filter(programme=policy.programme_id, is_on=True):
        event, name = _event_of(journey, webinar, policy.programme)
        if event is None:
            yield Example(journey, name, None)
            continue
        due = due_of(event, offset_minutes=journey.offset_minutes, local_time=journey.local_time, zone=named)
        allowed = due
        if not journey.is_urgent:
            allowed = next_allowed(due, quiet_from=policy.quiet_from, quiet_until=policy.quiet_until, zone=named)
        yield Example(journey, name, allowed, allowed != due)


def _event_of(journey: Journey, webinar: Webinar | None, programme: Programme) -> tuple[datetime | None, str]:
    if journey.kind in OF_WEBINARS and webinar is not None and webinar.starts_at is not None:
        length = timedelta(minutes=webinar.planned_minutes) if journey.kind == Kind.RECORDING_READY else timedelta()
        return webinar.starts_at + length, str(webinar)
    if journey.kind == Kind.PROGRAMME_CLOSING:
        return programme.closes_at, str(programme)
    return None, ""
