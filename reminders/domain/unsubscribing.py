"""The address at the foot of every message that ends its channel with one tap, without signing in (RFC 8058).

The token is the person, the channel and a keyed digest of both. It does not run out: a message of last year must be
able to end what it belongs to. All it can do is to switch this one channel, which is written down.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User
from reminders.domain import consent
from reminders.domain.preferences import take_back, wording
from reminders.enums import Channel, ConsentSource

DIGEST_BYTES = 16
SALT = "reminders.unsubscribe"
LETTERS: Mapping[Channel, str] = {Channel.EMAIL: "e", Channel.SMS: "s", Channel.WHATSAPP: "w", Channel.PUSH: "p"}
CHANNELS = {letter: channel for channel, letter in LETTERS.items()}


class UnknownTokenError(Exception):
    """Not made here, or for somebody who is gone."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`is_blocked`: the address takes nothing, whatever is wanted."""

    user: User
    channel: Channel
    is_on: bool
    is_blocked: bool = False

    @property
    def wording(self) -> str:
        """What stands beside the button that begins it again, and is kept with the yes."""
        return wording()[self.channel]


def unsubscribe_url(user_id: int, channel: str) -> str:
    """Without a query. Messages on the site have no such address: they are read where they are kept."""
    path = reverse("reminders:unsubscribe", kwargs={"token": token_of(user_id, channel)})
    return settings.SITE_URL + path


def token_of(user_id: int, channel: str) -> str:
    name = f"{LETTERS[Channel(channel)]}{user_id}"
    return f"{name}-{_digest(name, settings.SECRET_KEY)}"


def headers(url: str) -> dict[str, str]:
    """For e-mail. Whoever signs the message (DKIM) must cover both."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def find(token: str) -> Subscription:
    """Raises UnknownTokenError. One made with a key of before the last rotation counts too."""
    name, _, given = token.partition("-")
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(given, _digest(name, key)) for key in keys):
        raise UnknownTokenError
    user = User.objects.filter(pk=int(name[1:]), is_active=True).first()
    if user is None:
        raise UnknownTokenError
    channel = CHANNELS[name[0]]
    return Subscription(user, channel, is_on=user.pk in consent.wanted([user.pk], channel))


@transaction.atomic
def switch(*, token: str, on: bool, now: datetime) -> Subscription:
    """Idempotent: mailbox providers ask more than once. A yes does what the box on the page does: STOP and "unwanted"
    are taken back, with the sentence that was said yes to. Raises UnknownTokenError.
    """
    found = find(token)
    consent.choose(
        user_id=found.user.pk,
        choices={found.channel: on},
        source=ConsentSource.UNSUBSCRIBE,
        wording={found.channel: found.wording} if on else None,
        now=now,
    )
    if not on:
        return replace(found, is_on=False)
    take_back(user=found.user, channel=found.channel, now=now)
    return replace(found, is_on=True, is_blocked=_is_blocked(found))


def _is_blocked(found: Subscription) -> bool:
    address = consent.address_of(found.user, found.channel)
    return bool(consent.silent(found.channel, {found.user.pk: address}))


def _digest(name: str, key: str) -> str:
    made = salted_hmac(SALT, name, secret=key, algorithm="sha256").digest()[:DIGEST_BYTES]
    return urlsafe_b64encode(made).decode().rstrip("=")
