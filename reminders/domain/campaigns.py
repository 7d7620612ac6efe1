"""Messages that the office writes itself: written, put on the clock, begun once, and stopped while some are left.

    draft → scheduled → running → done; scheduled, running and done → stopped; scheduled → draft

Done is what has nothing left and gets no next channel any more. Whoever sends failed ones again by hand after that can
still stop them.

Whom it is for is worked out in the moment in which it begins, and each doctor's message is planned for that hour of
their own day. Whether somebody wants it, has had enough for today or sleeps is looked at in the moment of sending.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from core.logging import get_logger
from courses.enums import PublishStatus
from courses.models import Programme
from reminders.domain import outbox, sponsors
from reminders.domain.audiences import AudienceError, audience_of, clean
from reminders.domain.falling_back import has_more
from reminders.domain.planning import Rehearsal, WouldPlan
from reminders.domain.planning.statement import CHANNEL_OF, usable_channels
from reminders.domain.templates import FIELDS, problems_of
from reminders.domain.times import DAY, moment_of, zone_named
from reminders.enums import CampaignState, Channel, DeliveryState, Kind
from reminders.models import Campaign, Delivery, MessagePolicy

log = get_logger("reminders")
LOCAL = "%Y-%m-%dT%H:%M"
OF_USE = timedelta(hours=24)
BEFORE = timedelta(minutes=15)  # planned so long before the first one is due
FARTHEST = timedelta(hours=14)  # no clock is further ahead of UTC
LATEST = timedelta(days=366)
OPEN = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING)
STOPPABLE = (CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.DONE)
LONGEST_TITLE, LONGEST_PATH, LONGEST_WHY = 120, 200, 300
# Until the next channel: what a provider tells takes minutes, and what is left of the 24 hours must be worth it.
WAITS = (15, 60, 180, 360, 720)

_WANTED = """
SELECT t.user_id, {channel} AS channel, t.at
FROM (
    SELECT a.user_id, u.phone, z.at FROM ({audience}) AS a (user_id)
    JOIN accounts_user u ON u.id = a.user_id
    JOIN unnest(%(zones)s::text[], %(ats)s::timestamptz[]) AS z (zone, at) ON z.zone = u.timezone
) t
WHERE t.at + %(of_use)s > %(now)s
"""
_PLAN = """
INSERT INTO reminders_delivery (
    key, programme_id, user_id, kind, subject, slot, channel, campaign_id, is_urgent, due_at, expires_at, state,
    skip_reason, tries, error, transport, provider_id
)
SELECT gen_random_uuid(), %(programme)s, x.user_id, %(kind)s, %(subject)s, '', x.channel, %(campaign)s, false, x.at,
    x.at + %(of_use)s, 'planned', '', 0, '', '', ''
FROM ({wanted}) x
ORDER BY x.at, x.user_id
ON CONFLICT (kind, subject, user_id, channel, slot) DO NOTHING
"""


class CampaignError(ValueError):
    """Nothing was changed. `problems`: (field, what is wrong with it), for whoever edits."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(told for _field, told in self.problems))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What beginning would do: to how many doctors, between which moments, and for how many the hour of the first day
    has passed already, so that they get it on the next one. None of the moments without a doctor."""

    doctors: int
    first_at: datetime | None
    last_at: datetime | None
    next_day: int


def subject_of(campaign: Campaign) -> str:
    return f"campaign/{campaign.pk}"


# Written


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A campaign that is on the clock. `begins`: whether the next look at the clock begins it; `problems`: why it
    would be stopped instead."""

    campaign_id: int
    title: str
    programme: str
    doctors: int
    first_at: datetime | None
    last_at: datetime | None
    begins: bool
    problems: tuple[str, ...] = ()


@transaction.atomic
def save_campaign(
    *,
    campaign: Campaign | None,
    programme: Programme,
    values: Mapping[str, Any],
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> Campaign:
    """A draft, new where there is none. `values`: title, path, channels, audience, texts, and minutes until the next
    channel as `fallback_minutes`. Raises CampaignError.

    Drafts may be unfinished; what is there must be right.
    """
    if campaign is None:
        row = Campaign(programme=programme, made_by=actor, made_at=now)
    else:
        row = locked(campaign, CampaignState.DRAFT, told=_("It is on its way already and stays as it is."))
    problems = _wrong(values) + _named(values["texts"], programme=row.programme)
    try:
        row.audience = clean(values["audience"], programme=row.programme)
    except AudienceError as error:
        problems += [(f"audience.{key}", told) for key, told in error.problems.items()]
    if problems:
        raise CampaignError(problems)
    row.title, row.path, row.channels = values["title"].strip(), values["path"], list(values["channels"])
    row.texts, row.fallback_minutes = _tidy(values["texts"]), values.get("fallback_minutes")
    row.save()
    told = {"title": row.title, "filters": sorted(row.audience)}
    audit.record("campaign.saved", actor=actor, subject=row, request=request, details=told, now=now)
    return row


def _wrong(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not 0 < len(values["title"].strip()) <= LONGEST_TITLE:
        found.append(("title", _("Please give it a title of at most 120 letters.")))
    path = values["path"]
    if path and not is_own_path(path):
        found.append(("path", _("Give a page of this site, beginning with a slash, like /programmes/.")))
    channels = values["channels"]
    if not channels or len(set(channels)) != len(channels) or not set(channels) <= set(Channel):
        found.append(("channels", _("Choose at least one channel, and each only once.")))
    minutes = values.get("fallback_minutes")
    if minutes is not None and minutes not in WAITS:
        found.append(("fallback_minutes", _("This is none of the choices.")))
    elif minutes is not None and len(channels) < 2:
        found.append(("fallback_minutes", _("There is no next channel to wait for.")))
    for language, by_channel in values["texts"].items():
        for channel, said in by_channel.items():
            if language not in dict(settings.LANGUAGES) or channel not in FIELDS:
                found.append(("texts", _("There is no such language or channel.")))
            elif any(said.values()):
                wrong = problems_of(said, kind=Kind.CAMPAIGN, channel=channel)
                found += [(f"texts.{language}.{channel}.{field}", told) for field, told in wrong]
    return found


def _named(texts: Mapping[str, Any], *, programme: Programme) -> list[tuple[str, str]]:
    """Sponsors that the words name. Three queries."""
    unwanted = sponsors.unwanted_of_programme(programme)
    return [
        (f"texts.{language}.{channel}.{field}", told)
        for language, by_channel in texts.items()
        for channel, said in by_channel.items()
        for field, told in sponsors.problems_of(sponsors.words_of(said), unwanted)
    ]


def is_own_path(path: str) -> bool:
    """Of this site: what a browser could read as another one's address is none."""
    is_plain = not re.search(r"[\s\\]|[\x00-\x1f\x7f]", path)
    return path.startswith("/") and not path.startswith("//") and is_plain and len(path) <= LONGEST_PATH


def _tidy(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Known columns only, and no empty words: a channel that says nothing is not there."""
    found: dict[str, Any] = {}
    for language, by_channel in texts.items():
        for channel, said in by_channel.items():
            words = {name: said[name] for name in FIELDS[channel] if said.get(name)}
            if words:
                found.setdefault(language, {})[str(channel)] = words
    return found


# On the clock


def not_ready(campaign: Campaign) -> list[str]:
    """Why it cannot be sent yet, in words. A handful of queries."""
    found = list(dict.fromkeys(told for _field, told in _named(campaign.texts, programme=campaign.programme)))
    if campaign.programme.status != PublishStatus.PUBLISHED:
        found.append(_("The programme is not published."))
    if not MessagePolicy.objects.filter(programme=campaign.programme_id, is_on=True).exists():
        found.append(_("The programme sends no messages: switch them on first."))
    first = dict(settings.LANGUAGES)[settings.LANGUAGE_CODE]
    for channel in campaign.channels:
        said = campaign.texts.get(settings.LANGUAGE_CODE, {}).get(channel, {})
        if problems_of(said, kind=Kind.CAMPAIGN, channel=channel):
            told = _(
                "The text for %(channel)s in %(language)s is missing: everybody gets it who has no other language."
            )
            found.append(told % {"channel": Channel(channel).label, "language": _(first)})
    return found


def forecast(campaign: Campaign, *, local_at: str, since: datetime | None = None, now: datetime) -> Forecast:
    """If it were put on the clock now, or as it was at `since`. `local_at` is empty for at once. One query. Raises
    AudienceError."""
    numbers = _zones(campaign, now=now)
    at = moments(local_at, numbers, since=since or now)
    first_day = {zone: _moment(local_at, zone) for zone in numbers} if local_at else {}
    return Forecast(
        doctors=sum(numbers.values()),
        first_at=min(at.values(), default=None),
        last_at=max(at.values(), default=None),
        next_day=sum(number for zone, number in numbers.items() if zone in first_day and at[zone] > first_day[zone]),
    )


def moments(local_at: str, zones: Iterable[str], *, since: datetime) -> dict[str, datetime]:
    """When each zone's doctors get it: at once, or at that hour of their day. Whose hour had passed gets it a day
    later."""
    if not local_at:
        return dict.fromkeys(zones, since)
    found = {}
    for zone in zones:
        at = _moment(local_at, zone)
        found[zone] = at if at >= since else _moment(local_at, zone, later=DAY)
    return found


def _moment(local_at: str, zone: str, *, later: timedelta = timedelta()) -> datetime:
    wall = datetime.strptime(local_at, LOCAL)  # noqa: DTZ007  # a wall clock has no zone
    return moment_of((wall + later).date(), wall.time(), zone_named(zone))


def _zones(campaign: Campaign, *, now: datetime) -> dict[str, int]:
    rows = audience_of(campaign.audience, programme=campaign.programme, now=now).order_by()
    return dict(rows.values_list("user__timezone").annotate(number=Count("pk")))


@transaction.atomic
def schedule(
    *, campaign: Campaign, local_at: str, actor: User, request: HttpRequest | None = None, now: datetime
) -> Forecast:
    """Two tabs that do so at once: the second one is refused. Raises CampaignError."""
    row = locked(campaign, CampaignState.DRAFT, told=_("It was put on the clock already."))
    if problems := not_ready(row):
        raise CampaignError(("", told) for told in problems)
    try:
        told = forecast(row, local_at=_checked(local_at, now=now), now=now)
    except AudienceError as error:
        raise CampaignError((f"audience.{key}", why) for key, why in error.problems.items()) from error
    if not told.doctors or told.last_at is None:
        raise CampaignError([("", _("These filters leave no doctor."))])
    if told.last_at < now:
        raise CampaignError([("local_at", _("That hour has passed for everybody."))])
    row.state, row.local_at, row.scheduled_at = CampaignState.SCHEDULED, local_at, now
    row.save(update_fields=("state", "local_at", "scheduled_at"))
    details = {"title": row.title, "local_at": local_at, "doctors": told.doctors}
    audit.record("campaign.scheduled", actor=actor, subject=row, request=request, details=details, now=now)
    return told


def _checked(local_at: str, *, now: datetime) -> str:
    if not local_at:
        return ""
    try:
        wall = datetime.strptime(local_at, LOCAL)  # noqa: DTZ007  # a wall clock has no zone
    except ValueError as error:
        raise CampaignError([("local_at", _("Please give a day and an hour."))]) from error
    if wall > now.replace(tzinfo=None) + LATEST:
        raise CampaignError([("local_at", _("That is more than a year away."))])
    return local_at


@transaction.atomic
def take_back(*, campaign: Campaign, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    """From the clock to the desk, to be changed. Raises CampaignError when it has begun."""
    row = locked(campaign, CampaignState.SCHEDULED, told=_("It has begun already. You can stop it."))
    row.state, row.local_at, row.scheduled_at = CampaignState.DRAFT, "", None
    row.save(update_fields=("state", "local_at", "scheduled_at"))
    audit.record("campaign.taken_back", actor=actor, subject=row, request=request, now=now)


@transaction.atomic
def stop(*, campaign: Campaign, actor: User, request: HttpRequest | None = None, now: datetime) -> int:
    """What has not left yet never will. Returns how many those were. Raises CampaignError when there is nothing to
    stop."""
    row = locked(campaign, *STOPPABLE, told=_("There is nothing left to stop."))
    if not may_stop(row):
        raise CampaignError([("", _("There is nothing left to stop."))])
    row.state, row.ended_at = CampaignState.STOPPED, now
    row.save(update_fields=("state", "ended_at"))
    number = outbox.drop(which=Q(campaign=row), now=now)
    details = {"title": row.title, "not_sent": number}
    audit.record("campaign.stopped", actor=actor, subject=row, request=request, details=details, now=now)
    return number


def may_stop(campaign: Campaign) -> bool:
    """Of one that is done only where something waits all the same. One query then."""
    if campaign.state == CampaignState.DONE:
        return Delivery.objects.filter(campaign=campaign, state__in=OPEN).exists()
    return campaign.state in STOPPABLE


def locked(campaign: Campaign, *states: CampaignState, told: str) -> Campaign:
    """Whoever comes second waits here, and sees what the first one did."""
    row = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("programme").get(pk=campaign.pk)
    if row.state not in states:
        raise CampaignError([("", told)])
    return row


# Under way


def run_due(*, now: datetime) -> int:
    """Begins what is due within minutes and ends what has nothing left. Returns how many messages were planned."""
    planned = 0
    for row in Campaign.objects.filter(state=CampaignState.SCHEDULED).select_related("programme").order_by("pk"):
        if not _may_be_due(row, now=now):
            continue
        try:
            planned += start(campaign_id=row.pk, now=now) if _is_due(row, now=now) else 0
        except (AudienceError, CampaignError) as error:
            _give_up(row, why=str(error), now=now)
        except Exception:  # of this campaign: the others begin
            log.exception("reminders.campaign_failed", campaign=row.pk)
    _end(now=now)
    return planned


def _end(*, now: datetime) -> None:
    """Whose messages have all ended, and of which none is to be followed by the next channel."""
    left = Delivery.objects.filter(campaign=OuterRef("pk"), state__in=OPEN)
    rows = Campaign.objects.filter(~Exists(left), state=CampaignState.RUNNING)
    over = [row.pk for row in rows if not has_more(row, now=now)]
    rows.filter(pk__in=over).update(state=CampaignState.DONE, ended_at=now)


def upcoming(*, now: datetime) -> list[Upcoming]:
    """What is on the clock, the first to begin first, as it would be for whom it means today. Nothing is written. A
    handful of queries for each."""
    rows = Campaign.objects.filter(state=CampaignState.SCHEDULED).select_related("programme").order_by("pk")
    found = [_coming(row, now=now) for row in rows]
    return sorted(found, key=lambda one: (one.first_at is None, one.first_at or now, one.campaign_id))


def _coming(row: Campaign, *, now: datetime) -> Upcoming:
    told = (row.pk, row.title, row.programme.title)
    problems = tuple(not_ready(row))
    try:
        seen = forecast(row, local_at=row.local_at, since=row.scheduled_at, now=now)
        begins = _may_be_due(row, now=now) and _is_due(row, now=now)
    except AudienceError as error:
        return Upcoming(*told, 0, None, None, begins=_may_be_due(row, now=now), problems=(*problems, str(error)))
    return Upcoming(*told, seen.doctors, seen.first_at, seen.last_at, begins=begins, problems=problems)


def _may_be_due(row: Campaign, *, now: datetime) -> bool:
    """Anywhere: whose hour is weeks away needs no look at its doctors."""
    if not row.local_at:
        return True
    wall = datetime.strptime(row.local_at, LOCAL)  # noqa: DTZ007  # a wall clock has no zone
    return wall.replace(tzinfo=now.tzinfo) - FARTHEST <= now + BEFORE


def _is_due(row: Campaign, *, now: datetime) -> bool:
    zones = _zones(row, now=now)
    since = row.scheduled_at or now
    at = moments(row.local_at, zones or {"UTC": 0}, since=since)
    return min(at.values()) <= now + BEFORE


@transaction.atomic
def start(*, campaign_id: int, now: datetime) -> int:
    """Once, whoever else tries: who comes second changes no row and plans nothing. One statement for all doctors.

    Raises CampaignError where something that it needs was taken away meanwhile: the programme, its messages, the words.
    """
    fresh = Campaign.objects.filter(pk=campaign_id, state=CampaignState.SCHEDULED)
    if not fresh.update(state=CampaignState.RUNNING, started_at=now):
        return 0
    row = Campaign.objects.select_related("programme").get(pk=campaign_id)
    if problems := not_ready(row):
        raise CampaignError(("", told) for told in problems)
    wanted, values = _wanted_of(row, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_PLAN.format(wanted=wanted), values)
        number = int(cursor.rowcount)
    audit.record("campaign.started", subject=row, details={"title": row.title, "planned": number}, now=now)
    return number


def rehearse_due(*, now: datetime) -> Rehearsal:
    """What `run_due` would plan. Nothing is written."""
    found = Rehearsal()
    for row in Campaign.objects.filter(state=CampaignState.SCHEDULED).select_related("programme").order_by("pk"):
        try:
            with transaction.atomic():
                found.messages += _would_start(row, now=now)
        except Exception:  # of this campaign
            log.exception("reminders.campaign_failed", campaign=row.pk)
            found.failed.append(f"campaign {row.pk}")
    return found


def _would_start(row: Campaign, *, now: datetime) -> list[WouldPlan]:
    if not _may_be_due(row, now=now) or not _is_due(row, now=now) or not_ready(row):
        return []
    wanted, values = _wanted_of(row, now=now)
    with connection.cursor() as cursor:
        cursor.execute(wanted, values)
        return [WouldPlan(Kind.CAMPAIGN.value, subject_of(row), "", *found) for found in cursor.fetchall()]


def _wanted_of(row: Campaign, *, now: datetime) -> tuple[str, dict[str, Any]]:
    """A query of (person, channel, moment), and its values, which are those of the plan as well."""
    audience = audience_of(row.audience, programme=row.programme, now=now).order_by().values("user_id")
    sql, positional = audience.query.get_compiler(connection=connection).as_sql()
    named = {f"a{number}": value for number, value in enumerate(positional)}
    at = moments(row.local_at, _zones(row, now=now), since=row.scheduled_at or now)
    values: dict[str, Any] = {
        "programme": row.programme_id,
        "campaign": row.pk,
        "kind": Kind.CAMPAIGN.value,
        "subject": subject_of(row),
        "channels": usable_channels(row.channels),
        "of_use": OF_USE,
        "zones": list(at),
        "ats": list(at.values()),
        "now": now,
    }
    return _WANTED.format(channel=CHANNEL_OF, audience=_with_names(sql)), values | named


def _with_names(sql: str) -> str:
    """Django numbers its values, the statement around them names its own."""
    numbers = iter(range(10_000))
    return re.sub(r"%[%s]", lambda found: found[0] if found[0] == "%%" else f"%(a{next(numbers)})s", sql)


@transaction.atomic
def _give_up(row: Campaign, *, why: str, now: datetime) -> None:
    """What it was about is gone: better nobody than everybody. A copy of it can be sent, when that is mended."""
    scheduled = Campaign.objects.filter(pk=row.pk, state=CampaignState.SCHEDULED)
    if scheduled.update(state=CampaignState.STOPPED, ended_at=now, why_stopped=why[:LONGEST_WHY]):
        audit.record("campaign.stopped", subject=row, details={"title": row.title, "why": why}, now=now)
