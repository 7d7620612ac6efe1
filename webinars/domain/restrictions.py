"""Muting and removing people from one webinar, and taking it back. The rows stay: they are part of the log."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from webinars import tasks
from webinars.domain.desk_log import log
from webinars.domain.room import post_event
from webinars.domain.texts import clean_line
from webinars.enums import Audience, EventKind, IngestKind, Phase, Restriction
from webinars.models import PersonRestriction, PlaySession, Webinar
from webinars.rules import Part, part_of

LONGEST_REASON = 200


class RestrictionError(Exception):
    message = _("This is not possible.")


class StaffError(RestrictionError):
    message = _("Presenters and moderators cannot be muted or removed here.")


def mute(
    *, webinar: Webinar, user: User, reason: str = "", actor: User, request: HttpRequest | None = None, now: datetime
) -> None:
    """May watch, may not write. Idempotent, as the other three are: a second desk changes and posts nothing."""
    _restrict(_Act(Restriction.MUTED, webinar, user, actor, request, now), reason)


def unmute(*, webinar: Webinar, user: User, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    _lift(_Act(Restriction.MUTED, webinar, user, actor, request, now))


def remove(
    *, webinar: Webinar, user: User, reason: str = "", actor: User, request: HttpRequest | None = None, now: datetime
) -> None:
    """Out of the live webinar: no door opens, the play sessions of the live phase end, and sockets close on the event.

    Media that was opened before stays open until its grant ends, at most a minute; at AWS IVS it is cut off.
    """
    _restrict(_Act(Restriction.REMOVED, webinar, user, actor, request, now), reason)


def let_back(*, webinar: Webinar, user: User, actor: User, request: HttpRequest | None = None, now: datetime) -> None:
    _lift(_Act(Restriction.REMOVED, webinar, user, actor, request, now))


def restricted_people(*, webinar: Webinar) -> list[dict[str, object]]:
    """Who is muted or removed now, the latest first. One query."""
    rows = PersonRestriction.objects.filter(webinar=webinar, lifted_at=None).select_related("user", "by")
    return [
        {
            "user": row.user_id,
            "name": row.user.get_full_name(),
            "kind": row.kind,
            "reason": row.reason,
            "by": row.by.get_full_name() if row.by else "",
            "at": row.at,
        }
        for row in rows.order_by("-at", "-pk")
    ]


@dataclass(frozen=True, slots=True)
class _Act:
    kind: Restriction
    webinar: Webinar
    user: User
    actor: User
    request: HttpRequest | None
    now: datetime


@transaction.atomic
def _restrict(act: _Act, reason: str) -> None:
    if part_of(act.user, act.webinar) != Part.ATTENDEE:
        raise StaffError
    reason = clean_line(reason, most=LONGEST_REASON, required=False)
    _, is_new = PersonRestriction.objects.get_or_create(
        webinar=act.webinar,
        user=act.user,
        kind=act.kind,
        lifted_at=None,
        defaults={"reason": reason, "by": act.actor, "at": act.now},
    )
    if not is_new:
        return
    if act.kind == Restriction.REMOVED:
        live = PlaySession.objects.filter(webinar=act.webinar, user=act.user, phase=Phase.LIVE, ended_at=None)
        live.update(ended_at=act.now)
        if act.webinar.ingest == IngestKind.IVS:
            transaction.on_commit(lambda: tasks.cut_off_ivs.delay(), robust=True)  # noqa: PLW0108  # resolved when it rings
    _announce(act, lifted=False, reason=reason)


@transaction.atomic
def _lift(act: _Act) -> None:
    rows = PersonRestriction.objects.filter(webinar=act.webinar, user=act.user, kind=act.kind, lifted_at=None)
    if rows.update(lifted_at=act.now):
        _announce(act, lifted=True)


_DID = {
    (Restriction.MUTED, False): "person.muted",
    (Restriction.MUTED, True): "person.unmuted",
    (Restriction.REMOVED, False): "person.removed",
    (Restriction.REMOVED, True): "person.let_back",
}


def _announce(act: _Act, *, lifted: bool, reason: str = "") -> None:
    name = act.user.get_full_name()
    log(
        _DID[act.kind, lifted],
        webinar_id=act.webinar.pk,
        actor=act.actor,
        what=name,
        subject=act.user,
        details={"reason": reason} if reason else None,
        request=act.request,
        now=act.now,
    )
    told = {"kind": act.kind.value, "lifted": lifted}
    desks = {**told, "user": act.user.pk, "name": name, "by": act.actor.get_full_name()}
    for audience, payload, person_id in ((Audience.PERSON, told, act.user.pk), (Audience.MODERATORS, desks, None)):
        post_event(
            webinar_id=act.webinar.pk,
            kind=EventKind.RESTRICTED,
            audience=audience,
            payload=payload,
            person_id=person_id,
            now=act.now,
        )
