"""Password hashing that cannot take the machine down: at most a few at once in a process, the rest is asked to wait."""

import threading

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

WAIT_SECONDS = 2.0


class HashPoolBusyError(Exception):
    """More passwords arrived than can be hashed in time. Answered with 503 and Retry-After, never by weaker hashes."""

    retry_after_seconds = 5


_slots = threading.BoundedSemaphore(settings.PASSWORD_HASH_SLOTS)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id takes 100 MB and a fraction of a CPU-second by design; without a bound a surge of sign-ins with
    passwords would starve the pages of those who are signed in already.
    """

    def encode(self, password: str, salt: str) -> str:
        with _slot():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _slot():
            return bool(super().verify(password, encoded))


class _slot:  # noqa: N801  # reads as a function: `with _slot():`
    def __enter__(self) -> None:
        if not _slots.acquire(timeout=WAIT_SECONDS):
            raise HashPoolBusyError

    def __exit__(self, *_: object) -> None:
        _slots.release()
