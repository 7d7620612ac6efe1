"""The door of a webinar: doctors without an invitation ask to be let in, a moderator (or a rule) decides.

Known and unknown e-mail addresses get the same answers. So a browser is signed in by its ticket only where a person has
looked at the request, and only to an account that was made for it; everybody else enters by a link in their mailbox.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit, invitations
from accounts.domain.limits import Limit
from accounts.domain.secrets import LONGEST_TOKEN, hash_token, new_token
from accounts.domain.sign_in import request_sign_in, request_sign_in_again
from accounts.domain.time_zones import RENAMED_ZONES, zone_of_country
from accounts.models import User
from core.time import zone_names
from courses.domain.enrolment import enrol
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus
from webinars.domain.registrations import RegistrationError, register
from webinars.domain.spot_duplicates import find_duplicate
from webinars.domain.spot_queue import announce_queue
from webinars.enums import SpotApproval, SpotState
from webinars.models import SpotRequest, SpotWindow

# Five hundred doctors in one hall share one address; a machine that fills the queue does not stop at six hundred.
ASKS_PER_ADDRESS = Limit("door-address", 600)
ASKS_PER_EMAIL = Limit("door-email", 5)
ASKS_PER_WINDOW = Limit("door-window", 20_000)


class SpotError(Exception):
    """Not done; `message` is for the person who wanted it."""

    message = _("This cannot be done now.")


class DoorClosedError(SpotError):
    message = _("This door is not open.")


class DoorBusyError(SpotError):
    message = _("Too many requests came from here. Please wait a few minutes.")

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, retry_after_seconds)


class FullError(SpotError):
    message = _("All places at the door are taken.")


class QuotaError(SpotError):
    message = _("All places for this country are taken.")


class DecidedError(SpotError):
    message = _("Somebody has decided on this request already.")


class DisabledAccountError(SpotError):
    message = _("The account with this e-mail address is disabled, or its place in the programme was withdrawn.")


class TicketError(SpotError):
    message = _("This browser waits for nothing here. Please ask again.")


class Door(StrEnum):
    NOT_YET = "not_yet"
    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Asker:
    email: str
    first_name: str
    last_name: str
    country: str
    medical_council: str
    registration_number: str
    time_zone: str = ""
    language: str = ""


def door_of(window: SpotWindow, *, now: datetime) -> Door:
    if now < window.opens_at:
        return Door.NOT_YET
    webinar = window.webinar
    if now >= window.closes_at or webinar.cancelled_at is not None or webinar.ended_at is not None:
        return Door.CLOSED
    return Door.FULL if window.approved_count >= window.capacity else Door.OPEN


def ask_to_be_let_in(*, window: SpotWindow, asker: Asker, address: str, now: datetime) -> str:
    """Returns the ticket with which this browser waits, for everybody alike.

    The same work for every e-mail address: one row, and one sign-in request of which only the worker knows whether
    there is somebody to send it to. Asking again with the same particulars goes on waiting with a new ticket; asking
    for an address with other particulars waits for nothing.
    """
    _check_limits(window, asker, address)
    if door_of(window, now=now) != Door.OPEN:
        raise DoorClosedError
    email = asker.email.strip().lower()
    # To a doctor with an account this link opens the door page, which knows them then.
    request_sign_in(email=email, address=address, next_path=reverse("door", args=(window.slug,)), now=now)
    ticket = new_token()
    with transaction.atomic():
        made = _write(window, asker, email, ticket, now=now)
    if made and made.state == SpotState.PENDING:
        _decide_by_rule(made, window, now=now)
        announce_queue(window_id=window.pk, now=now)
    return ticket


def _check_limits(window: SpotWindow, asker: Asker, address: str) -> None:
    decisions = (
        ASKS_PER_ADDRESS.hit(f"{window.pk}:{address}"),
        ASKS_PER_EMAIL.hit(f"{window.pk}:{hash_token(asker.email.strip().lower()).hex()[:32]}"),
        ASKS_PER_WINDOW.hit(str(window.pk)),
    )
    if refused := [one.retry_after_seconds for one in decisions if not one]:
        raise DoorBusyError(max(refused))


def _write(window: SpotWindow, asker: Asker, email: str, ticket: str, *, now: datetime) -> SpotRequest | None:
    """Nothing for an address that asked before with other particulars: a moderator reads of it on the first request."""
    with override(settings.LANGUAGE_CODE):  # moderators read it, not the doctor whose language the page speaks
        duplicate = find_duplicate(window=window, asker=asker, email=email)
        note = gettext("Somebody asked again for this address with other particulars.")
    values = {
        "first_name": asker.first_name,
        "last_name": asker.last_name,
        "country": asker.country,
        "medical_council": asker.medical_council,
        "registration_number": asker.registration_number,
    }
    request, is_new = SpotRequest.objects.get_or_create(
        window=window,
        email=email,
        defaults={
            **values,
            "time_zone": asker.time_zone[:64],
            "language": asker.language[:12],
            "duplicate_of": duplicate.user,
            "duplicate_reason": duplicate.reason,
            "ticket": digest_of(ticket),
            "created_at": now,
        },
    )
    if is_new:
        audit.record("spot.asked", subject=request, details={"window": window.pk}, now=now)
        return request
    if any(getattr(request, name) != value for name, value in values.items()):
        others = request.duplicate_reason.replace(note, "").strip()
        SpotRequest.objects.filter(pk=request.pk).update(duplicate_reason=f"{note} {others}".strip()[:200])
        return None
    SpotRequest.objects.filter(pk=request.pk).update(ticket=digest_of(ticket), language=asker.language[:12])
    return None


def digest_of(ticket: str) -> str:
    return hash_token(ticket[:LONGEST_TOKEN]).hex()


def _decide_by_rule(request: SpotRequest, window: SpotWindow, *, now: datetime) -> None:
    """Let in by itself whom the window's rule lets in; whoever may be somebody else's double waits for a person."""
    if window.approval == SpotApproval.MANUAL or (request.duplicate_reason and not _is_only_known(request)):
        return
    domain = request.email.rpartition("@")[2]
    if window.approval == SpotApproval.DOMAIN and domain not in window.email_domains:
        return
    try:
        approve(request=request, actor=None, note="", now=now)
    except (FullError, QuotaError, DisabledAccountError):
        return  # it waits in the queue, where a moderator sees why


def _is_only_known(request: SpotRequest) -> bool:
    """An account with this very address is no double: its owner alone can enter, by their mailbox."""
    return request.duplicate_of is not None and request.duplicate_of.email == request.email


@transaction.atomic
def approve(
    *, request: SpotRequest, actor: User | None, note: str = "", http: HttpRequest | None = None, now: datetime
) -> SpotRequest:
    """Account, place in the programme, place in the webinar: all or nothing. Idempotent.

    The window's row is locked first, so that of two moderators at the last place one lets in, the other is told.
    """
    window = _locked_window(request.window_id)
    found = SpotRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if found.state == SpotState.APPROVED:
        return found
    if found.state != SpotState.PENDING:
        raise DecidedError
    if window.approved_count >= window.capacity:
        raise FullError
    _check_quota(window, found.country)
    found.user = _account_for(found, window, actor=actor, http=http, now=now)
    _decide(found, SpotState.APPROVED, actor=actor, note=note, http=http, now=now)
    SpotWindow.objects.filter(pk=window.pk).update(approved_count=F("approved_count") + 1)
    announce_queue(window_id=window.pk, now=now)
    return found


def _locked_window(window_id: int) -> SpotWindow:
    return (
        SpotWindow.objects.select_for_update(of=("self",))
        .select_related("webinar__lesson__course__programme", "webinar__video")
        .get(pk=window_id)
    )


def _check_quota(window: SpotWindow, country: str) -> None:
    quota = window.country_quota.get(country)
    if quota is None:
        return
    if SpotRequest.objects.filter(window=window, country=country, state=SpotState.APPROVED).count() >= quota:
        raise QuotaError


def _account_for(
    request: SpotRequest, window: SpotWindow, *, actor: User | None, http: HttpRequest | None, now: datetime
) -> User:
    """The account with this address, or a new one. A new person also gets an invitation, for another device."""
    user = User.objects.filter(email=request.email).first()
    is_new = user is None
    if user is None:
        user = User.objects.create_user(
            request.email,
            first_name=request.first_name[:100],
            last_name=request.last_name[:100],
            country=request.country,
            timezone=_zone_of(request),
            language=request.language or settings.LANGUAGE_CODE,
            medical_council=request.medical_council,
            registration_number=request.registration_number,
        )
        details = {"by": "spot", "request": request.pk}
        audit.record("person.added", actor=actor, subject=user, request=http, details=details, now=now)
    programme = window.webinar.lesson.course.programme
    enrolment = enrol(programme=programme, user=user, status=EnrolmentStatus.INVITED, now=now)
    if not user.is_active or enrolment.status not in {*OPEN_ENROLMENTS, EnrolmentStatus.INVITED}:
        raise DisabledAccountError
    if window.webinar.needs_registration:
        _register(window, user, now=now)
    path = reverse("webinars:watch", args=(window.webinar_id,))
    if is_new:
        title = window.webinar.lesson.title[:200]
        invitations.queue_invitations(user_ids=[user.pk], created_by=actor, occasion=title, next_path=path, now=now)
    return user


def _register(window: SpotWindow, user: User, *, now: datetime) -> None:
    try:
        register(webinar=window.webinar, user=user, is_let_in=True, now=now)
    except RegistrationError as refused:
        raise DoorClosedError from refused


def _zone_of(request: SpotRequest) -> str:
    """From the browser where it said one that exists, else the one zone of the country."""
    name = RENAMED_ZONES.get(request.time_zone, request.time_zone)
    return name if name in zone_names() else zone_of_country().get(request.country, "UTC")


def _decide(
    request: SpotRequest,
    state: SpotState,
    *,
    actor: User | None,
    note: str,
    http: HttpRequest | None,
    now: datetime,
) -> None:
    request.state, request.decided_by, request.decided_at, request.decision_note = state, actor, now, note[:200]
    request.save(update_fields=["state", "decided_by", "decided_at", "decision_note", "user"])
    action = "spot.approved" if state == SpotState.APPROVED else "spot.denied"
    details = {"window": request.window_id, "note": note, "by_rule": actor is None}
    audit.record(action, actor=actor, subject=request, request=http, details=details, now=now)


@transaction.atomic
def deny(
    *, request: SpotRequest, actor: User, note: str = "", http: HttpRequest | None = None, now: datetime
) -> SpotRequest:
    """Idempotent; whoever was let in stays in (`restrictions.remove` is another decision)."""
    found = SpotRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if found.state == SpotState.APPROVED:
        raise DecidedError
    if found.state == SpotState.PENDING:
        _decide(found, SpotState.DENIED, actor=actor, note=note, http=http, now=now)
        announce_queue(window_id=found.window_id, now=now)
    return found


@transaction.atomic
def put_back(*, request: SpotRequest, actor: User, http: HttpRequest | None = None, now: datetime) -> SpotRequest:
    """Whoever was turned away by mistake waits again; their page asks the door and finds out. Idempotent."""
    found = SpotRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if found.state == SpotState.APPROVED:
        raise DecidedError
    if found.state == SpotState.DENIED:
        found.state, found.decided_by, found.decided_at, found.decision_note = SpotState.PENDING, None, None, ""
        found.save(update_fields=["state", "decided_by", "decided_at", "decision_note"])
        details = {"window": found.window_id}
        audit.record("spot.put_back", actor=actor, subject=found, request=http, details=details, now=now)
        announce_queue(window_id=found.window_id, now=now)
    return found


@dataclass(frozen=True, slots=True)
class ManyApproved:
    approved: int
    refused: tuple[tuple[SpotRequest, str], ...]


def approve_many(
    *, requests: Iterable[SpotRequest], actor: User, http: HttpRequest | None = None, now: datetime
) -> ManyApproved:
    """Each by itself, the earliest first: the first one too many does not undo the others."""
    approved, refused = 0, []
    for request in sorted(requests, key=lambda one: (one.created_at, one.pk)):
        try:
            approve(request=request, actor=actor, http=http, now=now)
            approved += 1
        except SpotError as error:
            refused.append((request, str(error.message)))
    return ManyApproved(approved, tuple(refused))


def find_ticket(*, window: SpotWindow, ticket: str) -> SpotRequest | None:
    """Nothing for a ticket that waits for nothing. Its browser is told the same as all who wait."""
    return (
        SpotRequest.objects.select_related("user").filter(window=window, ticket=digest_of(ticket)).first()
        if ticket
        else None
    )


def enters_by_mail(request: SpotRequest) -> bool:
    """Whether the person behind an approved request comes in by a link in their mailbox, not by this browser.

    An account that is older than the decision was not made by it, even if it is younger than the request.
    """
    if request.decided_by_id is None or request.user is None:
        return True
    is_theirs = request.decided_at is not None and request.user.created_at >= request.decided_at
    entered = request.user.last_login is not None or request.user.invitations.filter(used_at__isnull=False).exists()
    return entered or not is_theirs


@transaction.atomic
def enter_with_ticket(*, window: SpotWindow, ticket: str, now: datetime) -> User:
    """Once: the person who enters, by the machinery of invitations. Raises TicketError where a mailbox is the way."""
    request = find_ticket(window=window, ticket=ticket)
    if request is None or request.state != SpotState.APPROVED:
        raise TicketError
    locked = SpotRequest.objects.select_for_update(of=("self",)).select_related("user").get(pk=request.pk)
    if enters_by_mail(locked) or locked.user is None:
        raise TicketError
    _made, token = invitations.invite(
        user=locked.user,
        created_by=locked.decided_by,
        now=now,
        next_path=reverse("webinars:watch", args=(window.webinar_id,)),
    )
    audit.record("spot.entered", actor=locked.user, subject=locked, now=now)
    return invitations.accept(token=token, now=now).user


def send_entrance(*, window: SpotWindow, request: SpotRequest, address: str, now: datetime) -> None:
    """A link by e-mail to whoever was let in and does not come in by this browser."""
    if request.state == SpotState.APPROVED and request.user is not None:
        path = reverse("webinars:watch", args=(window.webinar_id,))
        request_sign_in_again(user=request.user, address=address, next_path=path, now=now)


def phantom_ticket() -> str:
    """For a robot that fills the hidden field: it waits like everybody, for nothing."""
    return secrets.token_urlsafe(32)
