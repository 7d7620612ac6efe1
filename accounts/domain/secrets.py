"""Tokens and codes: made of the system's randomness, kept as hashes only."""

import hashlib
import secrets

from django.utils.crypto import salted_hmac

TOKEN_BYTES = 32
CODE_DIGITS = 6
LONGEST_TOKEN = 100


def new_token() -> str:
    """256 random bits, safe in an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Plain SHA-256: 256 random bits cannot be guessed, so the hash needs neither salt nor cost."""
    return hashlib.sha256(token.encode()).digest()


def new_code() -> str:
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def hash_code(code: str, *, request_id: int) -> bytes:
    """Keyed with SECRET_KEY and the row: six digits under a plain hash would be read back from a stolen database."""
    return salted_hmac(f"accounts.sign-in-code.{request_id}", code, algorithm="sha256").digest()
