"""Personal doors: made, sent, used once, taken back."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPNotSupportedError, SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import F, Q
from django.urls import reverse

from accounts import tasks
from accounts.domain import mail
from accounts.domain.audit import record
from accounts.domain.secrets import LONGEST_TOKEN, hash_token, new_token
from accounts.models import Invitation, User

log = structlog.get_logger("accounts.invitations")

CLAIM_LASTS = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=5)
MOST_FAILURES = 5
BATCH = 50


class InvitationError(Exception):
    """Nobody is let in. `invitation` is the row when the token was right once, so that a new link can be offered."""

    def __init__(self, invitation: Invitation | None = None) -> None:
        super().__init__(self.__class__.__doc__)
        self.invitation = invitation


class InvitationUnknownError(InvitationError):
    """No invitation has this token."""


class InvitationUsedError(InvitationError):
    """The invitation was used before."""


class InvitationExpiredError(InvitationError):
    """The invitation is too old."""


class InvitationRevokedError(InvitationError):
    """The invitation was taken back, perhaps by a newer one."""


@transaction.atomic
def invite(
    *, user: User, created_by: User | None, now: datetime, occasion: str = "", next_path: str = ""
) -> tuple[Invitation, str]:
    """An invitation to hand over by other means than our e-mail: the token is returned and nowhere kept."""
    _close_open(users=[user.pk], now=now)
    token = new_token()
    invitation = Invitation.objects.create(
        user=user,
        token_hash=hash_token(token),
        created_by=created_by,
        created_at=now,
        expires_at=_expiry(now),
        occasion=occasion,
        next_path=next_path,
    )
    record("invitation.created", actor=created_by, subject=invitation, details={"user": user.pk}, now=now)
    return invitation, token


@transaction.atomic
def queue_invitations(
    *,
    user_ids: Iterable[int],
    created_by: User | None,
    now: datetime,
    occasion: str = "",
    next_path: str = "",
    send: bool = True,
) -> int:
    """Rows for many people at once. People with a valid open invitation keep it: asking twice sends once.

    An expired one is replaced. With `send=False` the rows wait until somebody sends them.
    """
    wanted = sorted(set(user_ids))
    Invitation.objects.open().filter(user__in=wanted, expires_at__lte=now).update(revoked_at=now)
    # One statement for any number of people. Two imports at once: whom the other one invited meanwhile is passed over.
    sql = """
        INSERT INTO accounts_invitation
            (user_id, created_by_id, created_at, queued_at, expires_at, occasion, next_path, failures)
        SELECT user_id, %(by)s, %(now)s, %(queued)s, %(expires)s, %(occasion)s, %(next)s, 0
        FROM unnest(%(users)s::bigint[]) AS user_id
        ON CONFLICT (user_id) WHERE used_at IS NULL AND revoked_at IS NULL DO NOTHING
        RETURNING user_id
    """
    values = {
        "by": created_by.pk if created_by else None,
        "now": now,
        "queued": now if send else None,
        "expires": _expiry(now),
        "occasion": occasion,
        "next": next_path,
        "users": wanted,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        made = sorted(user_id for (user_id,) in cursor.fetchall())
    if made:
        details = {"users": made, "occasion": occasion, "held": not send}
        record("invitation.queued", actor=created_by, details=details, now=now)
    if send and made:
        ring()
    return len(made)


@transaction.atomic
def release(*, invitation_ids: Iterable[int], actor: User | None, now: datetime) -> int:
    """Sends what was held back, and tries again what the mail server refused. What a worker has in hand goes its way:
    claimed anew it would be sent twice, and the first link would not work.
    """
    at_rest = Q(claimed_at=None) | Q(claimed_at__lte=now - CLAIM_LASTS + RETRY_AFTER)
    rows = Invitation.objects.open().filter(at_rest, pk__in=list(invitation_ids), sent_at=None)
    rows = rows.filter(user__in=User.objects.filter(is_active=True))  # no join: an UPDATE across one is no claim
    # Held back for longer than it would have lived, it starts its life now.
    number: int = rows.update(queued_at=now, failures=0, claimed_at=None, expires_at=_expiry(now))
    if number:
        record("invitation.released", actor=actor, details={"number": number}, now=now)
        ring()
    return number


@transaction.atomic
def resend(*, invitation: Invitation, actor: User | None, now: datetime) -> Invitation:
    """A new row with a new token; every earlier link of this person stops working at once."""
    _close_open(users=[invitation.user_id], now=now)
    new: Invitation = Invitation.objects.create(
        user_id=invitation.user_id,
        created_by=actor,
        created_at=now,
        queued_at=now,
        expires_at=_expiry(now),
        occasion=invitation.occasion,
        next_path=invitation.next_path,
    )
    record("invitation.resent", actor=actor, subject=new, details={"user": invitation.user_id}, now=now)
    ring()
    return new


@transaction.atomic
def revoke(*, invitation: Invitation, actor: User | None, now: datetime) -> bool:
    """False when there was nothing left to take back: it was used, or taken back before."""
    if not Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=now):
        return False
    record("invitation.revoked", actor=actor, subject=invitation, details={"user": invitation.user_id}, now=now)
    return True


def find(*, token: str, now: datetime) -> Invitation:
    """Look without using it: the page with the button, which a mail scanner may open as often as it likes."""
    invitation = None
    if len(token) <= LONGEST_TOKEN:
        invitation = Invitation.objects.select_related("user").filter(token_hash=hash_token(token)).first()
    if invitation is None:
        raise InvitationUnknownError
    if invitation.used_at:
        raise InvitationUsedError(invitation)
    if invitation.revoked_at or not invitation.user.is_active:
        raise InvitationRevokedError(invitation)
    if invitation.expires_at <= now:
        raise InvitationExpiredError(invitation)
    return invitation


@transaction.atomic
def accept(*, token: str, now: datetime) -> Invitation:
    """Consumes it. One conditional update decides, so of two racing clicks exactly one gets in."""
    invitation = find(token=token, now=now)
    claimed = Invitation.objects.open().filter(pk=invitation.pk, expires_at__gt=now).update(used_at=now)
    if not claimed:
        find(token=token, now=now)  # says what happened meanwhile
        raise InvitationUsedError(invitation)
    invitation.used_at = now
    record("invitation.used", actor=invitation.user, subject=invitation, now=now)
    return invitation


def ring() -> None:
    """After the commit. A bell that nobody hears (Redis is away) is no loss: the sweep looks every minute."""
    transaction.on_commit(lambda: tasks.send_invitations.delay(), robust=True)  # noqa: PLW0108  # resolved when it rings


def send_queued(*, now: datetime) -> int:
    """Sends one batch over one connection to the mail server; returns how many were sent, 0 when it is time to stop.

    Claim before send: of several workers each takes other rows. What a crash left claimed is sent again after
    `CLAIM_LASTS` with a new token – an invitation that arrives twice is better than one that never arrives.
    """
    claimed = _claim(now=now)
    if not claimed:
        return 0
    server = django_mail.get_connection()
    waiting = dict(claimed)
    sent = 0
    try:
        server.open()
        for invitation, token in claimed:
            message = mail.build("invitation", user=invitation.user, context=_context(invitation, token))
            sent += _send_one(invitation, message, server, now=now)
            del waiting[invitation]
    except (OSError, SMTPException) as error:
        log.warning("mail server lost", waiting=len(waiting), error=str(error))
    finally:
        server.close()
        _give_back(waiting, now=now)
    return sent


def _send_one(
    invitation: Invitation, message: EmailMultiAlternatives, server: BaseEmailBackend, *, now: datetime
) -> int:
    """A refused recipient or message is that person's failure; anything else is the server's, and ends the batch."""
    try:
        mail.send(message, connection=server)
    except (SMTPRecipientsRefused, SMTPNotSupportedError, SMTPDataError) as error:
        if isinstance(error, SMTPDataError) and error.smtp_code < 500:
            raise  # "try again later" is about the server
        log.warning("invitation refused by the mail server", invitation=invitation.pk, **mail.refusal_of(error))
        Invitation.objects.filter(pk=invitation.pk).update(failures=F("failures") + 1)
        _give_back([invitation], now=now)
        return 0
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=now)
    return 1


@transaction.atomic
def _claim(*, now: datetime) -> list[tuple[Invitation, str]]:
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - CLAIM_LASTS)
    rows = (
        Invitation.objects.unsent()
        .filter(free, expires_at__gt=now, failures__lt=MOST_FAILURES, user__is_active=True)
        .select_related("user")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("queued_at", "id")[:BATCH]
    )
    claimed = []
    for invitation in rows:
        token = new_token()
        invitation.token_hash = hash_token(token)
        invitation.claimed_at = now
        invitation.expires_at = _expiry(now)
        claimed.append((invitation, token))
    Invitation.objects.bulk_update([row for row, _ in claimed], ["token_hash", "claimed_at", "expires_at"])
    return claimed


def _give_back(invitations: Iterable[Invitation], *, now: datetime) -> None:
    """Free again in `RETRY_AFTER`. One refused `MOST_FAILURES` times stays in the admin's list as not sent."""
    ids = [invitation.pk for invitation in invitations]
    Invitation.objects.filter(pk__in=ids).update(claimed_at=now - CLAIM_LASTS + RETRY_AFTER)


def _context(invitation: Invitation, token: str) -> dict[str, object]:
    path = reverse("accounts:invitation", kwargs={"token": token})
    return {"invitation": invitation, "link": settings.SITE_URL + path, "expires_at": invitation.expires_at}


def _close_open(*, users: list[int], now: datetime) -> None:
    """Under a lock on the person: two resends at once leave one open invitation, not an error.

    In order of ids, like everybody who locks many people: else two who do could wait for each other.
    """
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=users).order_by("pk").values_list("pk"))
    Invitation.objects.open().filter(user__in=users).update(revoked_at=now)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(days=settings.INVITATION_DAYS)
