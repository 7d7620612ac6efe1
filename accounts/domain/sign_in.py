"""Signing in by e-mail: one message with a link and a code, either of which opens the door once."""

from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from accounts import tasks
from accounts.domain import limits, mail
from accounts.domain.audit import record
from accounts.domain.secrets import LONGEST_TOKEN, hash_code, hash_token, new_code, new_token
from accounts.models import Invitation, SignInRequest, User
from core.limits import Decision

log = structlog.get_logger("accounts.sign_in")

MOST_ATTEMPTS = 5
CLAIM_LASTS = timedelta(minutes=2)
KEPT = timedelta(days=7)


class SignInError(Exception):
    """Nobody is let in."""


class TooManyError(SignInError):
    """Asked too often. The same for known and unknown addresses."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = max(1, retry_after_seconds)


class LinkError(SignInError):
    """The link opens nothing (any more). `request` is its row when there is one."""

    def __init__(self, request: SignInRequest | None = None) -> None:
        super().__init__("The link is unknown, used or too old.")
        self.request = request


class CodeError(SignInError):
    """Not the code of this request. `attempts_left` is 0 when only a new e-mail helps."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__("The code is wrong, used or too old.")
        self.attempts_left = attempts_left


def may_sign_in(user: User | None) -> bool:
    """Active, and invited or known: somebody whose only invitation was taken back is not let in by a side door."""
    if user is None or not user.is_active:
        return False
    if user.last_login is not None or user.is_staff:
        return True
    invitations = Invitation.objects.filter(user=user)
    return invitations.filter(revoked_at=None).exists() or not invitations.exists()


def request_sign_in(*, email: str, address: str, next_path: str = "", now: datetime) -> SignInRequest:
    """The same work for every address: limits, one look-up, one row, one bell. Only the worker tells people apart.

    Raises `TooManyError` before it looks anybody up.
    """
    email = email.strip().lower()
    check_mail_limits(email=email, address=address)
    user = User.objects.filter(email=email).first()
    return _create(user=user, address=address, next_path=next_path, now=now)


def request_sign_in_again(*, user: User, address: str, next_path: str = "", now: datetime) -> SignInRequest:
    """ "Send me a new link" on a page whose link was this person's: they need not type their address."""
    check_mail_limits(email=user.email, address=address)
    return _create(user=user, address=address, next_path=next_path, now=now)


def check_mail_limits(*, email: str, address: str) -> None:
    decisions = (
        limits.MAILS_PER_ACCOUNT.hit(hash_token(email).hex()[:32]),
        limits.MAILS_PER_ADDRESS.hit(address),
        limits.MAILS_IN_ALL.hit(),
    )
    _refuse_unless(decisions)


@transaction.atomic
def _create(*, user: User | None, address: str, next_path: str, now: datetime) -> SignInRequest:
    request = SignInRequest.objects.create(
        user=user,
        address=None if address == "0.0.0.0" else address,  # "unknown"
        next_path=next_path[:500],
        created_at=now,
        expires_at=now + timedelta(minutes=settings.SIGN_IN_MINUTES),
    )
    record("sign_in.requested", actor=user, subject=request, address=address, now=now)
    transaction.on_commit(lambda: tasks.send_sign_in.delay(request.pk), robust=True)
    return request


def send_request(*, request_id: int, now: datetime) -> bool:
    """Makes the secrets and sends them. False when there is nothing to send: nobody there, sent, used, too old.

    Claim before send: a bell rung twice sends once. A claim that a crash left behind lasts `CLAIM_LASTS`.
    """
    token, code = new_token(), new_code()
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - CLAIM_LASTS)
    claimed = SignInRequest.objects.filter(
        free, pk=request_id, user__isnull=False, sent_at=None, used_at=None, expires_at__gt=now
    ).update(claimed_at=now, link_hash=hash_token(token), code_hash=hash_code(code, request_id=request_id))
    if not claimed:
        return False
    request = SignInRequest.objects.select_related("user").get(pk=request_id)
    if request.user is None or not may_sign_in(request.user):
        return False
    path = reverse("accounts:sign_in_link", kwargs={"token": token})
    context = {"link": settings.SITE_URL + path, "code": code, "minutes": settings.SIGN_IN_MINUTES}
    try:
        mail.send(mail.build("sign_in", user=request.user, context=context))
    except (OSError, SMTPException) as error:
        log.warning("sign-in mail not sent", request=request_id, error=str(error))
        SignInRequest.objects.filter(pk=request_id).update(claimed_at=None)
        return False
    SignInRequest.objects.filter(pk=request_id).update(sent_at=now)
    return True


def unsent_requests(*, now: datetime) -> list[int]:
    """What a lost bell or a failed mail server left behind and is still worth sending."""
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - CLAIM_LASTS)
    return list(
        SignInRequest.objects.filter(free, user__isnull=False, sent_at=None, used_at=None, expires_at__gt=now)
        .order_by("created_at")
        .values_list("pk", flat=True)[:500]
    )


def find_link(*, token: str, now: datetime) -> SignInRequest:
    """Look without using it."""
    request = None
    if len(token) <= LONGEST_TOKEN:
        request = SignInRequest.objects.select_related("user").filter(link_hash=hash_token(token)).first()
    if request is None or request.used_at or request.expires_at <= now or not may_sign_in(request.user):
        raise LinkError(request)
    if not _is_telephone_theirs(request):
        raise LinkError(request)
    return request


def _is_telephone_theirs(request: SignInRequest) -> bool:
    """Of a link that went to a telephone: the number is still the person's, and proved by nothing later than that."""
    if request.phone_proved_at is None:
        return True
    return request.user is not None and request.user.phone_proved_at == request.phone_proved_at


@transaction.atomic
def use_link(*, token: str, now: datetime) -> SignInRequest:
    request = find_link(token=token, now=now)
    return _use(request, method="link", now=now)


def use_code(*, request_id: int | None, code: str, address: str, now: datetime) -> SignInRequest:
    """An attempt is counted before the code is looked at, in the row itself: parallel guesses cannot share one count.

    A request of an unknown address counts and answers the same way, and no code is ever right.
    """
    _refuse_if_address_failed_too_often(address)
    if request_id is None:
        raise CodeError(0)
    counted = SignInRequest.objects.filter(
        pk=request_id, attempts__lt=MOST_ATTEMPTS, used_at=None, expires_at__gt=now
    ).update(attempts=F("attempts") + 1)
    request = SignInRequest.objects.select_related("user").filter(pk=request_id).first() if counted else None
    if request is None:
        raise CodeError(0)
    right = constant_time_compare(bytes(request.code_hash or b""), hash_code(code, request_id=request.pk))
    # Per account and asking address: a stranger who guesses must not make the doctor's own right code useless.
    guesses = limits.CODE_GUESSES_PER_ACCOUNT.hit(f"{request.user_id or request.pk}:{address}")
    if not (right and guesses and may_sign_in(request.user)):
        note_failure(address=address)
        record(
            "sign_in.refused",
            actor=request.user,
            subject=request,
            address=address,
            details={"by": "code"},
            now=now,
        )
        raise CodeError(MOST_ATTEMPTS - request.attempts)
    with transaction.atomic():
        return _use(request, method="code", now=now)


def _use(request: SignInRequest, *, method: str, now: datetime) -> SignInRequest:
    used = SignInRequest.objects.filter(pk=request.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise LinkError(request) if method == "link" else CodeError(0)
    request.used_at = now
    # A person who came in needs none of the others they asked for, and neither does anybody who finds them.
    SignInRequest.objects.filter(user=request.user, used_at=None, is_message=False).update(used_at=now)
    return request


def begin_password_attempt(*, email: str, address: str) -> None:
    """Counted before the password is checked; `password_was_right` takes the count back."""
    _refuse_if_address_failed_too_often(address)
    _refuse_unless((limits.GUESSES_PER_ACCOUNT.hit(hash_token(email.strip().lower()).hex()[:32]),))


def password_was_right(*, email: str) -> None:
    limits.GUESSES_PER_ACCOUNT.forget(hash_token(email.strip().lower()).hex()[:32])


def note_failure(*, address: str) -> None:
    limits.FAILURES_PER_ADDRESS.hit(address)
    limits.FAILURES_IN_ALL.hit()


def _refuse_if_address_failed_too_often(address: str) -> None:
    if limits.FAILURES_PER_ADDRESS.reached(address) or limits.FAILURES_IN_ALL.reached():
        raise TooManyError(limits.TEN_MINUTES)


def _refuse_unless(decisions: tuple[Decision, ...]) -> None:
    refused = [decision.retry_after_seconds for decision in decisions if not decision]
    if refused:
        raise TooManyError(max(refused))


def forget_old_requests(*, now: datetime) -> int:
    deleted, _ = SignInRequest.objects.filter(expires_at__lt=now - KEPT).delete()
    return deleted
