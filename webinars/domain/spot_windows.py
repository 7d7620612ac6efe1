"""Opening, changing and closing the door of a webinar."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_countries import countries

from accounts.domain import audit
from accounts.models import User
from webinars.domain.spot_queue import announce_queue
from webinars.models import SpotWindow

FIELDS = ("opens_at", "closes_at", "capacity", "country_quota", "email_domains", "approval")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


class WindowError(Exception):
    """Refused. `problems` says in plain words what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def check_window(*, before: SpotWindow | None, after: SpotWindow, now: datetime) -> dict[str, str]:
    """What stands against it, by field; forms and the writer ask the same."""
    problems = {}
    if after.closes_at <= after.opens_at:
        problems["closes_at"] = _("The door must close after it opens.")
    elif after.closes_at <= now and (before is None or before.closes_at != after.closes_at):
        problems["closes_at"] = _("This time is over already.")
    if before is not None and after.capacity < before.approved_count:
        problems["capacity"] = _("%(n)d doctors were let in already.") % {"n": before.approved_count}
    if after.capacity < 1:
        problems["capacity"] = _("A door needs at least one place.")
    if text := _problem_of_quota(after.country_quota):
        problems["country_quota"] = text
    if unknown := [one for one in after.email_domains if not DOMAIN.fullmatch(one)]:
        problems["email_domains"] = _("“%(domain)s” is no domain. Write it like hospital.org.") % {"domain": unknown[0]}
    webinar = after.webinar
    if before is None and (webinar.starts_at is None or webinar.ended_at or webinar.cancelled_at):
        problems["opens_at"] = _("This webinar is not coming up: it has no date, is over, or was cancelled.")
    return problems


def _problem_of_quota(quota: Any) -> str:
    if not isinstance(quota, Mapping):
        return _("Write a number of places for each country, for example IN 200.")
    for country, places in quota.items():
        if country not in countries:
            return _("“%(country)s” is no country code. Use two letters, for example IN.") % {"country": country}
        if not isinstance(places, int) or isinstance(places, bool) or places < 0:
            return _("Give a whole number of places for %(country)s.") % {"country": country}
    return ""


@transaction.atomic
def open_window(
    *, window: SpotWindow, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> SpotWindow:
    """Its link works from `opens_at` to `closes_at`; nobody has to remember to close it."""
    if problems := check_window(before=None, after=window, now=now):
        raise WindowError(problems)
    window.created_by, window.created_at = actor, now
    window.save()
    _record("spot.window_opened", window, FIELDS, actor=actor, request=request, now=now)
    return window


@transaction.atomic
def change_window(
    *, window: SpotWindow, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> SpotWindow:
    """Under the lock that approvals take: there are never fewer places than people who were let in."""
    before = SpotWindow.objects.select_for_update(of=("self",)).select_related("webinar").get(pk=window.pk)
    if problems := check_window(before=before, after=window, now=now):
        raise WindowError(problems)
    changed = [name for name in FIELDS if getattr(before, name) != getattr(window, name)]
    if changed:
        window.save(update_fields=changed)
        _record("spot.window_changed", window, changed, actor=actor, request=request, now=now)
        announce_queue(window_id=window.pk, now=now)
    return window


@transaction.atomic
def close_window(
    *, window: SpotWindow, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> SpotWindow:
    """Now. Who waits still waits: moderators go on deciding. A door that was never open closes as it would open."""
    locked = SpotWindow.objects.select_for_update(of=("self",)).get(pk=window.pk)
    if locked.closes_at <= now:
        return locked
    if locked.opens_at >= now:
        locked.opens_at = now - timedelta(seconds=1)
    locked.closes_at = now
    locked.save(update_fields=["opens_at", "closes_at"])
    _record("spot.window_closed", locked, ("opens_at", "closes_at"), actor=actor, request=request, now=now)
    return locked


def _record(
    action: str, window: SpotWindow, names: Any, *, actor: User | None, request: HttpRequest | None, now: datetime
) -> None:
    details = {name: _shown(getattr(window, name)) for name in names} | {"webinar": window.webinar_id}
    audit.record(action, actor=actor, subject=window, request=request, details=details, now=now)


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
