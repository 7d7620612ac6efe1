"""A doctor's place in a live webinar: taken, given back, never one more than there are."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from core.prepared import Prepared
from webinars.domain.schedule import state_of
from webinars.enums import WebinarState
from webinars.models import Registration, Webinar
from webinars.rules import Part, part_of

OPEN_STATES = frozenset({WebinarState.SCHEDULED, WebinarState.DOORS_OPEN, WebinarState.LIVE})


class RegistrationError(Exception):
    """No place was taken; `message` is for the doctor."""

    message = _("You cannot register for this webinar.")


class NoPlacesLeftError(RegistrationError):
    message = _("All places are taken. If somebody gives one back, you can register then.")


class RegistrationClosedError(RegistrationError):
    message = _("Registration is closed: this webinar is over, was cancelled, or has no live date.")


@dataclass(frozen=True, slots=True)
class Places:
    """`left` is empty where the number of places is not limited."""

    needs_registration: bool
    is_open: bool
    capacity: int | None
    taken: int
    registered_at: datetime | None

    @property
    def left(self) -> int | None:
        return None if self.capacity is None else max(0, self.capacity - self.taken)


def places_of(*, webinar: Webinar, user: User, now: datetime) -> Places:
    """One query for both the number and the person's own."""
    rows = list(Registration.objects.filter(webinar=webinar, cancelled_at=None, user=user)[:1])
    return Places(
        needs_registration=webinar.needs_registration,
        is_open=state_of(webinar, now=now) in OPEN_STATES,
        capacity=webinar.capacity,
        taken=taken_places(webinar_id=webinar.pk),
        registered_at=rows[0].registered_at if rows else None,
    )


def taken_places(*, webinar_id: int) -> int:
    return Registration.objects.filter(webinar=webinar_id, cancelled_at=None).count()


_registered = Prepared[tuple[int]](
    lambda webinar, user: Registration.objects.filter(webinar=webinar, user=user, cancelled_at=None).values_list("pk")
)


def is_registered(*, webinar: Webinar, user: User) -> bool:
    return _registered.exists(webinar=webinar.pk, user=user.pk)


def has_place(*, webinar: Webinar, user: User, part: Part | None = None) -> bool:
    """Whether this person may come into the room. Presenters and staff need no place; once it is over, nobody does."""
    return (
        not webinar.needs_registration
        or webinar.starts_at is None
        or webinar.ended_at is not None
        or is_registered(webinar=webinar, user=user)
        or (part or part_of(user, webinar)) is not Part.ATTENDEE
    )


@transaction.atomic
def register(
    *, webinar: Webinar, user: User, is_let_in: bool = False, request: HttpRequest | None = None, now: datetime
) -> Registration:
    """Idempotent. The webinar's row is locked, so two doctors cannot both see the last place free.

    `is_let_in`: a moderator decided at the door, whose places are counted there.
    """
    locked = Webinar.objects.select_for_update(of=("self",), no_key=True).select_related("video").get(pk=webinar.pk)
    if state_of(locked, now=now) not in OPEN_STATES:
        raise RegistrationClosedError
    found = Registration.objects.filter(webinar=locked, user=user).first()
    if found and found.cancelled_at is None:
        return found
    if not is_let_in and locked.capacity is not None and taken_places(webinar_id=locked.pk) >= locked.capacity:
        raise NoPlacesLeftError
    made, _was_new = Registration.objects.update_or_create(
        webinar=locked, user=user, defaults={"registered_at": now, "cancelled_at": None}
    )
    audit.record("webinar.registered", actor=user, subject=webinar, request=request, now=now)
    return made


@transaction.atomic
def cancel_registration(*, webinar: Webinar, user: User, request: HttpRequest | None = None, now: datetime) -> bool:
    """False when there was none. The lock is the one of `register`: a place is free exactly once."""
    Webinar.objects.select_for_update(of=("self",), no_key=True).get(pk=webinar.pk)
    gone = Registration.objects.filter(webinar=webinar, user=user, cancelled_at=None).update(cancelled_at=now)
    if gone:
        audit.record("webinar.registration_cancelled", actor=user, subject=webinar, request=request, now=now)
    return bool(gone)
