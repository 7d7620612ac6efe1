"""Addresses as the database keeps them: a digest with a key of ours.

A bare digest of a phone number is found by trying all numbers. So it is HMAC-SHA-256 of the SHA-256 of the address in
one spelling: with the key it finds what the office looks for, without it nothing. The two steps let rows of before the
key be keyed without the addresses, which nobody has. The key comes from `SECRET_KEY`; those of before a change
(`SECRET_KEY_FALLBACKS`) are looked for too, and `rekey` brings what they kept under the new one.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from reminders.enums import Channel
from reminders.models import Suppression

SALT = b"reminders.addresses"
NAME_LENGTH = 8
# One number; SMS and WhatsApp are chosen and stopped apart.
BY_NUMBER = frozenset({Channel.SMS, Channel.WHATSAPP})
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Key:
    """`name`: eight hexadecimal digits that tell keys apart and lead to none."""

    secret: bytes
    name: str


@lru_cache(maxsize=16)
def _key_of(secret: str) -> Key:
    made = hashlib.sha256(SALT + b"\0" + secret.encode()).digest()
    return Key(made, hashlib.sha256(SALT + b".name\0" + made).hexdigest()[:NAME_LENGTH])


def key() -> Key:
    return _key_of(settings.SECRET_KEY)


def former_keys() -> tuple[Key, ...]:
    return tuple(_key_of(secret) for secret in settings.SECRET_KEY_FALLBACKS)


def canonical(channel: str, address: str) -> str:
    """One spelling for each address: e-mail in small letters, numbers as + and digits."""
    if channel in BY_NUMBER:
        digits = "".join(sign for sign in address.removeprefix("whatsapp:") if sign.isascii() and sign.isdigit())
        return f"+{digits}"
    return address.strip().lower() if channel == Channel.EMAIL else address.strip()


def plain_digest(channel: str, address: str) -> bytes:
    """Of before there was a key. Kept nowhere any more."""
    return hashlib.sha256(canonical(channel, address).encode()).digest()


def keyed(plain: bytes, with_key: Key) -> bytes:
    return hmac.digest(with_key.secret, plain, "sha256")


def address_digest(channel: str, address: str) -> bytes:
    """What `Suppression` and `Delivery` keep of an address."""
    return keyed(plain_digest(channel, address), key())


def every_digest(channel: str, address: str) -> tuple[bytes, ...]:
    """All under which it may stand: today's first."""
    plain = plain_digest(channel, address)
    return (*(keyed(plain, one) for one in (key(), *former_keys())), plain)


def rekey(*, now: datetime) -> int:
    """Rows under former keys come under today's; returns how many. Those of before there was a key all do; of the
    others those whose person is still here: nobody else's address is known.
    """
    today, done = key(), 0
    for row in Suppression.objects.filter(keyed_with="").order_by("pk"):
        done += _move(row, keyed(bytes(row.address_digest), today), today, now=now)
    for former in former_keys():
        rows = {
            (one.channel, bytes(one.address_digest)): one
            for one in Suppression.objects.filter(keyed_with=former.name).exclude(keyed_with=today.name)
        }
        for channel, address in _addresses() if rows else ():
            plain = plain_digest(channel, address)
            found = rows.pop((channel, keyed(plain, former)), None)
            done += _move(found, keyed(plain, today), today, now=now) if found else 0
    return done


def _addresses() -> Iterator[tuple[str, str]]:
    for email, phone in User.objects.order_by("pk").values_list("email", "phone").iterator(chunk_size=CHUNK):
        yield Channel.EMAIL, email
        if phone:
            yield Channel.SMS, str(phone)
            yield Channel.WHATSAPP, str(phone)


def _move(row: Suppression, digest: bytes, to: Key, *, now: datetime) -> int:
    """Where the same address stands under today's key already, this one is no longer needed."""
    mine = Suppression.objects.filter(pk=row.pk)
    try:
        with transaction.atomic():
            mine.update(address_digest=digest, keyed_with=to.name)
    except IntegrityError:
        same = "The same address stands here once more."
        mine.update(address_digest=digest, keyed_with=to.name, lifted_at=now, lifted_why=same)
    return 1
