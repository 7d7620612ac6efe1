"""A meeting elsewhere (Zoom, Teams, YouTube): who went there from here, and until when their page said so."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from webinars.domain.registrations import is_registered
from webinars.domain.schedule import state_of
from webinars.enums import IngestKind, WebinarState
from webinars.models import Visit, Webinar

SILENT_AFTER = timedelta(minutes=2)
JOINABLE = frozenset({WebinarState.DOORS_OPEN, WebinarState.LIVE})


class VisitError(Exception):
    """The meeting was not entered; `message` is for the doctor."""

    message = _("You cannot enter this meeting now.")


class NoMeetingError(VisitError):
    message = _("This webinar is not held in a meeting elsewhere.")


class DoorsClosedError(VisitError):
    message = _("The doors are not open.")


class NotRegisteredError(VisitError):
    message = _("Please register for this webinar first.")


def check_joinable(*, webinar: Webinar, user: User, needs_place: bool, now: datetime) -> None:
    """`needs_place` is false for presenters and moderators, who come without registering."""
    if webinar.ingest != IngestKind.EXTERNAL or not webinar.external_url:
        raise NoMeetingError
    if state_of(webinar, now=now) not in JOINABLE:
        raise DoorsClosedError
    if needs_place and webinar.needs_registration and not is_registered(webinar=webinar, user=user):
        raise NotRegisteredError


def join(*, webinar: Webinar, user: User, needs_place: bool = True, now: datetime) -> Visit:
    """Idempotent while the visit is open. One that went silent ends where it was last seen; then a new one begins."""
    check_joinable(webinar=webinar, user=user, needs_place=needs_place, now=now)
    _close(now=now, webinar=webinar, user=user)
    try:
        with transaction.atomic():
            return Visit.objects.create(webinar=webinar, user=user, joined_at=now, seen_at=now)
    except IntegrityError:  # the other tab was faster; the constraint allows one open visit
        visit = Visit.objects.get(webinar=webinar, user=user, left_at=None)
        keep(webinar=webinar, user=user, now=now)
        return visit


def keep(*, webinar: Webinar, user: User, now: datetime) -> bool:
    """The page is still open. False when there is no visit to keep: it was closed, or had been silent too long."""
    still = Visit.objects.filter(
        webinar=webinar, user=user, left_at=None, seen_at__gte=now - SILENT_AFTER, joined_at__lte=now
    )
    return bool(still.update(seen_at=now))


def leave(*, webinar: Webinar, user: User, now: datetime) -> bool:
    """A visit that went silent before ends where it was last seen, whatever the button says later."""
    _close(now=now, webinar=webinar, user=user)
    gone = Visit.objects.filter(webinar=webinar, user=user, left_at=None, joined_at__lte=now)
    return bool(gone.update(left_at=now, seen_at=now))


def close_silent_visits(*, now: datetime) -> int:
    """The sweep. A page that has said nothing for two minutes was closed; nobody was there longer than it said."""
    over_by_then = Webinar.objects.filter(pk=OuterRef("webinar"), ended_at__lt=OuterRef("seen_at"))
    over: int = Visit.objects.filter(Exists(over_by_then), left_at=None).update(left_at=F("seen_at"))
    return over + _close(now=now)


def _close(*, now: datetime, **of: object) -> int:
    silent = Visit.objects.filter(left_at=None, seen_at__lt=now - SILENT_AFTER, **of)
    closed: int = silent.update(left_at=F("seen_at"))
    return closed
