"""What lets one person play a private channel of AWS IVS: a JSON Web Token, signed with ES384.

AWS asks for it with the first playlist only, and binds the addresses of everything behind that playlist to the session
that it opened. So a short life keeps a token from being passed on; a picture that runs is ended by revoking its viewer.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from django.conf import settings

from core.keys import p384_key

_NUMBER_BYTES = 48  # of r and of s on this curve


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, and where it plays for who has a token."""

    arn: str
    url: str


def signed_url(place: Place, *, viewer: UUID, version: int, expires_at: datetime) -> str:
    """Good for one loading of the first playlist, by a page of this site. `version` grows with time: see `revoke`."""
    site = urlsplit(settings.SITE_URL)
    claims = {
        "aws:channel-arn": place.arn,
        "aws:access-control-allow-origin": f"{site.scheme}://{site.netloc}",
        "aws:viewer-id": str(viewer),
        "aws:viewer-session-version": version,
        "aws:single-use-uuid": str(uuid4()),
        "exp": int(expires_at.timestamp()),
    }
    return f"{place.url}{'&' if '?' in place.url else '?'}{urlencode({'token': _signed(claims)})}"


def _signed(claims: Mapping[str, object]) -> str:
    """cryptography answers in DER; a JSON Web Signature is the two bare numbers."""
    text = f"{_part({'alg': 'ES384', 'typ': 'JWT'})}.{_part(claims)}"
    key = p384_key(settings.LIVE_IVS_PLAYBACK_PRIVATE_KEY)
    numbers = decode_dss_signature(key.sign(text.encode(), ECDSA(SHA384())))
    return f"{text}.{_encode(b''.join(number.to_bytes(_NUMBER_BYTES, 'big') for number in numbers))}"


def _part(content: Mapping[str, object]) -> str:
    return _encode(json.dumps(content, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
