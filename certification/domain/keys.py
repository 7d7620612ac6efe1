"""The keys that sign certificates: Ed25519. The first signs; the others verify, and make older documents again."""

from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.utils.translation import gettext as _

from certification.printing.signature import fingerprint


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`fingerprint`: as a file's seal tells it (`printing.signature`)."""

    private: Ed25519PrivateKey
    fingerprint: str

    @property
    def public(self) -> bytes:
        """Raw, 32 bytes."""
        return self.private.public_key().public_bytes_raw()


class NoKeyError(Exception):
    """CERTIFICATE_KEYS is not set: nothing can be signed."""


class UnknownKeyError(Exception):
    """Signed by a key that is not in CERTIFICATE_KEYS any more."""


def newest_key() -> SigningKey:
    """Raises NoKeyError."""
    keys = _keys(tuple(settings.CERTIFICATE_KEYS))
    if not keys:
        raise NoKeyError(_("Set CERTIFICATE_KEYS (docs/operating.md): without a key no certificate can be signed."))
    return keys[0]


def all_keys() -> tuple[SigningKey, ...]:
    """The newest first; none where nothing is set."""
    return _keys(tuple(settings.CERTIFICATE_KEYS))


def is_known(fingerprint: str) -> bool:
    return any(key.fingerprint == fingerprint for key in all_keys())


def key_named(fingerprint: str) -> SigningKey:
    """Raises UnknownKeyError."""
    for key in _keys(tuple(settings.CERTIFICATE_KEYS)):
        if key.fingerprint == fingerprint:
            return key
    raise UnknownKeyError(fingerprint)


def is_signed(*, fingerprint: str, signature: bytes, content: bytes) -> bool:
    """Raises UnknownKeyError."""
    try:
        key_named(fingerprint).private.public_key().verify(signature, content)
    except InvalidSignature:
        return False
    return True


@cache
def _keys(seeds: tuple[bytes, ...]) -> tuple[SigningKey, ...]:
    found = []
    for seed in seeds:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        found.append(SigningKey(private, fingerprint(private.public_key())))
    return tuple(found)
