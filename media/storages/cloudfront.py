"""Grants at the edge: CloudFront's signed cookies, for one asset's path and at most ten minutes.

CloudFront knows no sessions: a signed-out browser can go on until its policy ends. That is the limit of ten minutes.
"""

import base64
import functools
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from media.storages.base import Grant, GrantBackend, GrantRefused


class CloudFrontGrants(GrantBackend):
    def issue(self, response: HttpResponse, *, grant: Grant, now: datetime) -> None:
        """The policy is that of the current minute, so it ends up to a minute before the grant's own end.

        A live grant lasts a minute itself: its step is a sixth of its life.
        """
        lifetime = int((grant.expires_at - now).total_seconds())
        step = max(1, min(60, lifetime // 6))
        begins = int(now.timestamp()) // step * step
        policy, signature = _signed_policy(grant.key, begins, lifetime, settings.MEDIA_CLOUDFRONT_PRIVATE_KEY)
        for name, value in (
            ("CloudFront-Policy", policy),
            ("CloudFront-Signature", signature),
            ("CloudFront-Key-Pair-Id", settings.MEDIA_CLOUDFRONT_KEY_ID),
        ):
            response.set_cookie(
                name,
                value,
                path=f"/videos/{grant.key}/",
                domain=settings.MEDIA_COOKIE_DOMAIN or None,
                secure=True,
                httponly=True,
                samesite="Lax",
            )

    def url(self, key: UUID, name: str) -> str:
        return f"https://{settings.MEDIA_CLOUDFRONT_DOMAIN}/videos/{key}/{name}"

    def serve(self, request: HttpRequest, *, key: UUID, name: str, now: datetime) -> HttpResponseBase:
        raise GrantRefused("media are served by CloudFront only")


@functools.lru_cache(maxsize=512)
def _signed_policy(key: UUID, begins: int, lifetime: int, pem: str) -> tuple[str, str]:
    """An RSA signature costs about a millisecond; thousands who join in the same step share it."""
    ends_at = datetime.fromtimestamp(begins, UTC) + timedelta(seconds=lifetime)
    statement = {
        "Resource": f"https://{settings.MEDIA_CLOUDFRONT_DOMAIN}/videos/{key}/*",
        "Condition": {"DateLessThan": {"AWS:EpochTime": int(ends_at.timestamp())}},
    }
    policy = json.dumps({"Statement": [statement]}, separators=(",", ":")).encode()
    # CloudFront accepts RSA-SHA1 only.
    signature = _private_key(pem).sign(policy, PKCS1v15(), hashes.SHA1())  # noqa: S303
    return _encode(policy), _encode(signature)


@functools.lru_cache(maxsize=2)
def _private_key(pem: str) -> RSAPrivateKey:
    """Environment variables often carry the line ends as two characters."""
    key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("MEDIA_CLOUDFRONT_PRIVATE_KEY must be an RSA key")
    return key


def _encode(data: bytes) -> str:
    """Base64 with CloudFront's own replacements."""
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))
