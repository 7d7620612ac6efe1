"""Sends the personal links. As invitations are sent: claim before send, so of several workers each takes other rows."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPNotSupportedError, SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from accounts.domain import mail
from accounts.domain.secrets import hash_token, new_token
from accounts.models import User
from certification.models import Discloser, DisclosureRequest

log = structlog.get_logger("certification.disclosures")

CLAIM_LASTS = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=5)
MOST_FAILURES = 5
BATCH = 50
Claimed = list[tuple[DisclosureRequest, str]]


def send_queued(*, now: datetime) -> int:
    """One batch; returns how many were sent, 0 when it is time to stop.

    What a crash left claimed is sent again after `CLAIM_LASTS` with a new token: a request that arrives twice is better
    than one that never arrives.
    """
    claimed = _claim(now=now)
    if not claimed:
        return 0
    server = django_mail.get_connection()
    waiting = {request.pk for request, _token in claimed}
    sent = 0
    try:
        server.open()
        for request, token in claimed:
            sent += _send_one(request, token, server, now=now)
            waiting.discard(request.pk)
    except (OSError, SMTPException) as error:
        log.warning("mail server lost", waiting=len(waiting), error=str(error))
    finally:
        server.close()
        _give_back(waiting, now=now)
    return sent


def _send_one(request: DisclosureRequest, token: str, server: BaseEmailBackend, *, now: datetime) -> int:
    """A refused recipient or message is that person's failure; anything else is the server's, and ends the batch."""
    path = reverse("certification:disclosure", kwargs={"token": token})
    context = {
        "person": request.person,
        "programme": request.person.programme,
        "link": settings.SITE_URL + path,
        "expires_at": request.expires_at,
    }
    message = mail.build("disclosure", user=_reader(request.person), context=context)
    try:
        mail.send(message, connection=server)
    except (SMTPRecipientsRefused, SMTPNotSupportedError, SMTPDataError) as error:
        if isinstance(error, SMTPDataError) and error.smtp_code < 500:
            raise  # "try again later" is about the server
        log.warning("request refused by the mail server", request=request.pk, **mail.refusal_of(error))
        DisclosureRequest.objects.filter(pk=request.pk).update(failures=F("failures") + 1)
        _give_back([request.pk], now=now)
        return 0
    DisclosureRequest.objects.filter(pk=request.pk).update(sent_at=now)
    return 1


def _reader(person: Discloser) -> User:
    """Their own account where they have one, for its language; else one that is never saved."""
    account = User.objects.filter(email__iexact=person.email).first()
    return account or User(email=person.email, first_name=person.name, timezone=person.programme.timezone)


@transaction.atomic
def _claim(*, now: datetime) -> Claimed:
    free = Q(claimed_at=None) | Q(claimed_at__lte=now - CLAIM_LASTS)
    rows = (
        DisclosureRequest.objects.filter(free, sent_at=None, used_at=None, revoked_at=None, expires_at__gt=now)
        .filter(failures__lt=MOST_FAILURES)
        .select_related("person__programme")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("created_at", "id")[:BATCH]
    )
    claimed: Claimed = []
    for request in rows:
        token = new_token()
        request.token_hash = hash_token(token)
        request.claimed_at = now
        claimed.append((request, token))
    DisclosureRequest.objects.bulk_update([row for row, _token in claimed], ["token_hash", "claimed_at"])
    return claimed


def _give_back(ids: Iterable[int], *, now: datetime) -> None:
    """Free again in `RETRY_AFTER`. Refused `MOST_FAILURES` times it stays unsent, and the page says so."""
    DisclosureRequest.objects.filter(pk__in=list(ids)).update(claimed_at=now - CLAIM_LASTS + RETRY_AFTER)
