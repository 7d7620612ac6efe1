"""A file between looking at it and confirming it: half an hour in the cache, for the person who sent it.

Nothing has been promised about it: when it is gone, one chooses it once more.
"""

from uuid import uuid4

from django.core.cache import cache

from accounts.models import User
from assessments.models import Bank

KEPT_SECONDS = 30 * 60
MOST_BYTES = 10_000_000


def keep_file(*, bank: Bank, user: User, name: str, data: bytes) -> str:
    """Its token. A caller lets in at most MOST_BYTES."""
    token = uuid4().hex
    cache.set(_key(bank, user, token), (name[:200], data), KEPT_SECONDS)
    return token


def kept_file(*, bank: Bank, user: User, token: str) -> tuple[str, bytes] | None:
    """Name and content; None when it is gone, or is somebody else's."""
    found: tuple[str, bytes] | None = cache.get(_key(bank, user, token[:64]))
    return found


def forget_file(*, bank: Bank, user: User, token: str) -> None:
    cache.delete(_key(bank, user, token[:64]))


def _key(bank: Bank, user: User, token: str) -> str:
    return f"bank-file:{bank.pk}:{user.pk}:{token}" if token.isalnum() else f"bank-file:{bank.pk}:{user.pk}:none"
