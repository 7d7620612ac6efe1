"""A certificate as an Open Badges 3.0 credential: W3C Verifiable Credentials 2.0, signed as a JWT with EdDSA.

Sources: Open Badges 3.0 (1EdTech, sections 8.2 and B.1), VC Data Model 2.0, Bitstring Status List 1.0 and did:web
(W3C), RFC 7515, 7638 and 8037. The same facts and key give the same token. The JWT is made by hand: it is short, and
readers of other people's tokens are too tolerant for "not one letter was changed" (`read`).
"""

import base64
import binascii
import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certification.printing.facts import CertificateFacts, Json

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
CONTEXTS = [VC_CONTEXT, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
STATUS_BITS = 131_072  # the least a status list has, so that its length says nothing
STATUS_LIFE = timedelta(days=1)  # how long an answer from before a revocation can be shown around
LINKEDIN = "https://www.linkedin.com/profile/add"


class BadgeError(ValueError):
    """This token is not one of ours, or not as it was issued."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues, known by the site's address: `https://host` is `did:web:host`, a port is written `%3A8443`."""

    address: str
    name: str
    email: str = ""

    @property
    def did(self) -> str:
        return f"did:web:{quote(urlsplit(self.address).netloc, safe='.-')}"

    def profile(self) -> Json:
        profile: Json = {"id": self.did, "type": ["Profile"], "name": self.name, "url": self.address}
        return profile | ({"email": self.email} if self.email else {})


@dataclass(frozen=True, slots=True)
class Achievement:
    """What was achieved, the same for everybody: its address, and in one text what it took."""

    address: str
    criteria: str
    description: str = ""


def jwk(key: Ed25519PublicKey) -> Json:
    """RFC 8037; `kid` is the thumbprint of RFC 7638."""
    parts = {"crv": "Ed25519", "kty": "OKP", "x": _text(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    return parts | {"alg": "EdDSA", "use": "sig", "kid": _text(hashlib.sha256(_json(parts)).digest())}


def did_document(issuer: Issuer, keys: Iterable[Ed25519PublicKey]) -> Json:
    """For `/.well-known/did.json`: every key that ever signed, so that old badges can be checked.

    The one that signs now comes first: some readers try no other for status lists.
    """
    methods = [
        {"id": _key_id(issuer, key), "type": "JsonWebKey2020", "controller": issuer.did, "publicKeyJwk": jwk(key)}
        for key in keys
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
        "id": issuer.did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def credential(
    facts: CertificateFacts, *, issuer: Issuer, achievement: Achievement, address: str, status_address: str,
    key: Ed25519PrivateKey, email: str = "",
) -> Json:  # fmt: skip
    """The unsigned credential. `address` names it; `status_address` is asked whether it still holds.

    With an `email` the holder is known by its salted hash only: a badge is handed on by its owner and must not spread
    an address. Without one, by name.
    """
    valid_from = f"{facts.issued_on.isoformat()}T00:00:00Z"
    subject = {
        "type": ["AchievementSubject"],
        "identifier": [_identity(facts, address=address, email=email, key=key)],
        "achievement": {
            "id": achievement.address,
            "type": ["Achievement"],
            "achievementType": "CertificateOfCompletion",
            "name": facts.title,
            "description": achievement.description or facts.programme or facts.title,
            "criteria": {"narrative": achievement.criteria},
            "creator": issuer.profile(),
        },
        "result": [{"type": ["Result"], "value": f"{row.amount} {row.unit}"} for row in facts.credits],
    }
    if not subject["result"]:
        del subject["result"]
    return {
        "@context": CONTEXTS,
        "id": address,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": facts.title,
        "issuer": issuer.profile(),
        "validFrom": valid_from,
        "credentialSubject": subject,
        "evidence": [{"id": facts.verify_address, "type": ["Evidence"], "name": facts.number}],
        "credentialStatus": {
            "id": f"{status_address}#0", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
            "statusListIndex": "0", "statusListCredential": status_address,
        },
    }  # fmt: skip


def _identity(facts: CertificateFacts, *, address: str, email: str, key: Ed25519PrivateKey) -> Json:
    if not email:
        return {"type": "IdentityObject", "hashed": False, "identityHash": facts.holder, "identityType": "name"}
    salt = hashlib.sha256(key.sign(b"salt of " + address.encode())).hexdigest()[:32]
    digest = hashlib.sha256((email.strip().lower() + salt).encode()).hexdigest()
    return {
        "type": "IdentityObject", "hashed": True, "identityHash": f"sha256${digest}", "identityType": "emailAddress",
        "salt": salt,
    }  # fmt: skip


def status_list(*, issuer: Issuer, address: str, is_revoked: bool, key: Ed25519PrivateKey, now: datetime) -> str:
    """The signed answer at a badge's status address: a list of its own, whose first bit says whether it was revoked.

    One list a badge: no list tells how many there are or which others were revoked.
    """
    bits = bytearray(STATUS_BITS // 8)
    bits[0] = 0x80 if is_revoked else 0
    document = {
        "@context": [VC_CONTEXT],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": _moment(now),
        "validUntil": _moment(now + STATUS_LIFE),
        "credentialSubject": {
            "id": f"{address}#list", "type": "BitstringStatusList", "statusPurpose": "revocation",
            "encodedList": "u" + _text(gzip.compress(bytes(bits), mtime=0)),
        },
    }  # fmt: skip
    return sign(document, issuer=issuer, key=key)


def sign(document: Json, *, issuer: Issuer, key: Ed25519PrivateKey) -> str:
    """The document as a compact VC-JWT: the claims of RFC 7519 stand beside the credential's own (OB 3.0, 8.2.4)."""
    header = {"alg": "EdDSA", "typ": "JWT", "kid": _key_id(issuer, key.public_key())}
    valid_from = datetime.fromisoformat(str(document["validFrom"]))
    claims = {"iss": issuer.did, "jti": document["id"], "nbf": int(valid_from.timestamp())}
    subject = document["credentialSubject"].get("id")
    if subject:
        claims["sub"] = subject
    signed = f"{_text(_json(header))}.{_text(_json(document | claims))}"
    return f"{signed}.{_text(key.sign(signed.encode()))}"


def read(token: str, *, keys: Iterable[Ed25519PublicKey]) -> Json:
    """The credential of a token that one of these keys signed, and of which not one letter was changed."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadgeError("This is no badge.")
    header, document, signature = (_bytes(part) for part in parts)
    try:
        algorithm = json.loads(header).get("alg")
        claims = json.loads(document)
    except (ValueError, AttributeError, RecursionError) as error:
        raise BadgeError("This is no badge.") from error
    if algorithm != "EdDSA" or not isinstance(claims, dict):
        raise BadgeError("This badge was not signed with Ed25519.")
    signed = f"{parts[0]}.{parts[1]}".encode()
    for key in keys:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return {name: value for name, value in claims.items() if name not in ("iss", "jti", "nbf", "sub")}
    raise BadgeError("This badge was changed, or somebody else signed it.")


def linkedin_address(
    *, name: str, organisation: str, issued_on: date, verify_address: str, number: str, expires_on: date | None = None
) -> str:
    """LinkedIn's form "Add licence or certification", filled in. Nothing is sent before the doctor saves it there."""
    values = {
        "startTask": "CERTIFICATION_NAME", "name": name, "organizationName": organisation, "issueYear": issued_on.year,
        "issueMonth": issued_on.month, "certUrl": verify_address, "certId": number,
    }  # fmt: skip
    if expires_on:
        values |= {"expirationYear": expires_on.year, "expirationMonth": expires_on.month}
    return f"{LINKEDIN}?{urlencode(values)}"


def _key_id(issuer: Issuer, key: Ed25519PublicKey) -> str:
    return f"{issuer.did}#{jwk(key)['kid']}"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(part: str) -> bytes:
    """Base64url in its one proper spelling: the last letter has bits to spare that others ignore."""
    try:
        raw = base64.b64decode(part.encode() + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadgeError("This is no badge.") from error
    if _text(raw) != part:
        raise BadgeError("This badge was changed.")
    return raw
