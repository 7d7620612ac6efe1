"""Browsers that show notices (RFC 8030): added and ended by their person, ended when a provider says they are gone."""

import base64
import binascii
import hashlib
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from accounts.domain.user_agents import describe
from accounts.models import Device, User
from reminders.domain import consent
from reminders.domain.preferences import wording
from reminders.enums import Channel, ConsentSource
from reminders.models import PushSubscription

MOST = 10  # of one person; the oldest makes room
LONGEST_ENDPOINT = 1_000
POINT_BYTES = 65  # an uncompressed point of P-256
SECRET_BYTES = 16


class NoSubscriptionError(Exception):
    """Not what a browser sends."""


def endpoint_digest(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()


@transaction.atomic
def add_browser(
    *, user: User, device: Device | None, endpoint: str, p256dh: str, auth: str, user_agent: str, now: datetime
) -> PushSubscription:
    """Idempotent. A browser in which somebody else signed in shows notices to them from now on, and to nobody else.
    It does so as long as `device` is signed in.

    Raises NoSubscriptionError.
    """
    _check(endpoint, p256dh, auth)
    consent.choose(
        user_id=user.pk,
        choices={Channel.PUSH: True},
        source=ConsentSource.PROFILE,
        wording=wording(),
        actor=user,
        now=now,
    )
    made, _is_new = PushSubscription.objects.update_or_create(
        endpoint_digest=endpoint_digest(endpoint),
        defaults={
            "user": user,
            "endpoint": endpoint,
            "p256dh": p256dh,
            "auth": auth,
            "device": describe(user_agent)[:120],
            "signed_in": device,
            "made_at": now,
            "ended_at": None,
        },
    )
    open_ones = PushSubscription.objects.filter(user=user, ended_at=None).order_by("-made_at", "-pk")
    surplus = list(open_ones.values_list("pk", flat=True)[MOST:])
    PushSubscription.objects.filter(pk__in=surplus).update(ended_at=now)
    return made


@transaction.atomic
def end_browser(*, user: User, subscription_id: int, now: datetime) -> bool:
    """False: it is none of theirs. With the last one the person says no to notices."""
    mine = PushSubscription.objects.filter(user=user, ended_at=None)
    if not mine.filter(pk=subscription_id).update(ended_at=now):
        return False
    if not mine.exists():
        consent.choose(
            user_id=user.pk, choices={Channel.PUSH: False}, source=ConsentSource.PROFILE, actor=user, now=now
        )
    return True


def end_gone(endpoints: Iterable[str], *, now: datetime) -> int:
    """What a carrier no longer knows. It is no answer of the person: their choice stays."""
    digests = [endpoint_digest(endpoint) for endpoint in endpoints]
    return PushSubscription.objects.filter(endpoint_digest__in=digests, ended_at=None).update(ended_at=now)


def end_of_devices(device_ids: Collection[uuid.UUID], *, user_id: int, now: datetime) -> int:
    """Signed out there, from elsewhere, or by a new password: whoever sits there next reads nothing. It is no answer of
    the person either.
    """
    theirs = PushSubscription.objects.filter(user=user_id, signed_in__in=device_ids, ended_at=None)
    return theirs.update(ended_at=now)


def end_with_devices(*, now: datetime) -> int:
    """Whose device has ended without anybody hearing of it. Nothing goes to them meanwhile (`composing`)."""
    left = PushSubscription.objects.exclude(signed_in__ended_at=None, signed_in__isnull=False)
    return PushSubscription.objects.filter(pk__in=left.values("pk"), ended_at=None).update(ended_at=now)


def _check(endpoint: str, p256dh: str, auth: str) -> None:
    """An endpoint is an address that this site will call: nobody but the makers of browsers may name one."""
    from reminders.transports.push import is_push_service  # with its libraries, which no page needs

    if len(endpoint) > LONGEST_ENDPOINT or not is_push_service(endpoint):
        raise NoSubscriptionError
    if len(_bytes_of(p256dh)) != POINT_BYTES or len(_bytes_of(auth)) != SECRET_BYTES:
        raise NoSubscriptionError


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoSubscriptionError from error
