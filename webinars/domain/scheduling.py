"""Planning a live webinar: its date and settings, what may change when, and what open pages hear of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.domain import audit
from accounts.models import User
from core.time import when
from webinars.domain.broadcasts import set_rehearsal
from webinars.domain.registrations import taken_places
from webinars.domain.schedule import announce_state
from webinars.enums import IngestKind, RecordingPolicy
from webinars.models import Webinar

# What a moderator sets. The dates of what happened (live, ended, cancelled) belong to `domain.schedule`.
SETTINGS = (
    "starts_at",
    "planned_minutes",
    "doors_minutes",
    "capacity",
    "needs_registration",
    "ingest",
    "external_url",
    "is_rehearsal",
    "allows_takeover",
    "recording_policy",
    "recording_opens_at",
    "followup_days",
)
# What is copied with a lesson: everything but the dates.
COPIED = tuple(name for name in SETTINGS if name not in {"starts_at", "recording_opens_at", "is_rehearsal"})
SHOWN_TO_THE_ROOM = ("starts_at", "planned_minutes", "doors_minutes")


class SchedulingError(Exception):
    """Refused. `problems` says in plain words what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def check_schedule(*, before: Webinar, after: Webinar, now: datetime) -> dict[str, str]:
    """What stands against the change, by field; empty when nothing does. Forms and the writer ask the same."""
    problems = _check_dates(before, after, now) | _check_places(after) | _check_source(before, after)
    if after.recording_policy == RecordingPolicy.AT_DATE:
        if after.recording_opens_at is None:
            problems["recording_opens_at"] = _("Give the date on which the recording opens.")
        elif after.starts_at and after.recording_opens_at < after.starts_at:
            problems["recording_opens_at"] = _("The recording cannot open before the webinar starts.")
    return problems


def _check_dates(before: Webinar, after: Webinar, now: datetime) -> dict[str, str]:
    if after.starts_at == before.starts_at:
        return {}
    if text := _settled(before):
        return {"starts_at": text}
    if after.starts_at is None:
        if taken_places(webinar_id=before.pk):
            return {"starts_at": _("Doctors have registered. Cancel the webinar instead, so that they are told.")}
        return {}
    if after.starts_at <= now:
        return {"starts_at": _("This start lies in the past.")}
    if after.starts_at > now + timedelta(days=3 * 366):
        return {"starts_at": _("This start lies more than three years ahead. Is the year right?")}
    return {}


def _settled(webinar: Webinar) -> str:
    """Why the date cannot be moved any more."""
    if webinar.ended_at is not None:
        return _("This webinar has ended: its date stays. Add a new lesson for another one.")
    if webinar.live_at is not None:
        return _("This webinar is live: its date cannot be moved any more.")
    if webinar.cancelled_at is not None:
        return _("This webinar was cancelled. Add a new lesson for another date.")
    return ""


def _check_places(after: Webinar) -> dict[str, str]:
    taken = taken_places(webinar_id=after.pk)
    if after.capacity is None or after.capacity >= taken:
        return {}
    text = ngettext(
        "%(n)d doctor has registered: there cannot be fewer places.",
        "%(n)d doctors have registered: there cannot be fewer places.",
        taken,
    )
    return {"capacity": text % {"n": taken}}


def _check_source(before: Webinar, after: Webinar) -> dict[str, str]:
    problems = {}
    if after.starts_at and after.ingest == IngestKind.EXTERNAL and not after.external_url:
        problems["external_url"] = _("Give the link to the meeting, beginning with https://.")
    if before.live_at is not None and after.ingest != before.ingest:
        problems["ingest"] = _("This webinar has begun: where its picture comes from cannot change any more.")
    if after.is_rehearsal and not before.is_rehearsal and before.live_at is not None:
        problems["is_rehearsal"] = _("A rehearsal is possible only before the webinar goes live.")
    if after.is_rehearsal and after.starts_at is None:
        problems["is_rehearsal"] = _("Give a start first: a recorded lecture has no rehearsal.")
    return problems


@transaction.atomic
def save_schedule(
    *,
    webinar: Webinar,
    presenters: Iterable[User] | None = None,
    moderators: Iterable[User] | None = None,
    actor: User | None,
    request: HttpRequest | None = None,
    now: datetime,
) -> list[str]:
    """Writes `SETTINGS` and, where they are given, the people. Returns warnings that hinder nothing.

    The row is locked against going live meanwhile: a date that was free to move when the form was filled may not be.
    """
    before = Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video").get(pk=webinar.pk)
    if problems := check_schedule(before=before, after=webinar, now=now):
        raise SchedulingError(problems)
    changed = [name for name in SETTINGS if getattr(before, name) != getattr(webinar, name)]
    people = _set_people(before, presenters=presenters, moderators=moderators)
    for name in changed:
        setattr(before, name, getattr(webinar, name))
    if written := [name for name in changed if name != "is_rehearsal"]:
        before.save(update_fields=[*written, "updated_at"])
    if "is_rehearsal" in changed:
        set_rehearsal(webinar_id=before.pk, on=webinar.is_rehearsal, actor=actor, request=request, now=now)
    if changed or people:
        details = {name: _shown(getattr(webinar, name)) for name in changed} | people
        audit.record("webinar.scheduled", actor=actor, subject=before, request=request, details=details, now=now)
    if set(changed) & set(SHOWN_TO_THE_ROOM):
        announce_state(before, now=now)
    return overlaps(webinar=before)


def _set_people(webinar: Webinar, **people: Iterable[User] | None) -> dict[str, list[int]]:
    """The ids of those that differ from before, by part."""
    changed = {}
    for name, given in people.items():
        if given is None:
            continue
        manager = getattr(webinar, name)
        wanted = sorted(user.pk for user in given)
        if wanted != sorted(manager.values_list("pk", flat=True)):
            manager.set(wanted)
            changed[name] = wanted
    return changed


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def overlaps(*, webinar: Webinar) -> list[str]:
    """In plain words, who of its presenters speaks elsewhere at the same time. Allowed: two may share a lecture."""
    if webinar.starts_at is None:
        return []
    end = webinar.starts_at + timedelta(minutes=webinar.planned_minutes)
    length = models.ExpressionWrapper(F("planned_minutes") * timedelta(minutes=1), models.DurationField())
    others = (
        Webinar.objects.filter(
            Q(presenters__in=webinar.presenters.all()), cancelled_at=None, ended_at=None, starts_at__lt=end
        )
        .exclude(pk=webinar.pk)
        .alias(until=F("starts_at") + length)
        .filter(until__gt=webinar.starts_at)
        .select_related("lesson")
        .prefetch_related("presenters")
        .distinct()
        .order_by("starts_at")
    )
    mine = set(webinar.presenters.values_list("pk", flat=True))
    return [
        _("%(name)s also presents “%(title)s” at that time: %(when)s.")
        % {"name": person.get_full_name(), "title": other.lesson.title, "when": when(other.starts_at)}
        for other in others
        for person in other.presenters.all()
        if person.pk in mine
    ]


@transaction.atomic
def set_takeover(
    *, webinar_id: int, on: bool, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> None:
    """Whether a second stream replaces the first one or is refused. Holds for the next one that comes."""
    if Webinar.objects.filter(pk=webinar_id, allows_takeover=not on).update(allows_takeover=on, updated_at=now):
        webinar = Webinar.objects.get(pk=webinar_id)
        audit.record(
            "webinar.scheduled", actor=actor, subject=webinar, request=request, details={"allows_takeover": on}, now=now
        )
