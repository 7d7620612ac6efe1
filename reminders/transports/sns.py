"""What AWS tells by SNS: e-mails of SES, SMS of End User Messaging. Signed with a certificate of Amazon's."""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from reminders.transports.base import BadCallbackError, Callback, require_recent

# SNS itself tries again for an hour; what it says twice is known by its number.
REPLAY_SECONDS = 3600
AMAZON = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303  # version 1 of SNS
TIMEOUT = (5.0, 10.0)
MOST_BYTES = 20_000


def read(callback: Callback, topics: tuple[str, ...], *, now: datetime) -> tuple[str, Mapping[str, Any]] | None:
    """The number and the content of a notice; None: our address was confirmed. Only topics of ours are listened to."""
    envelope = callback.json
    if not isinstance(envelope, dict) or not isinstance(envelope.get("Type"), str):
        raise BadCallbackError("no notice of SNS")
    if envelope.get("TopicArn") not in topics:
        raise BadCallbackError("a topic that AWS_SNS_TOPICS does not name")
    _require_signature(envelope)
    require_recent(_moment(envelope["Timestamp"]), now, seconds=REPLAY_SECONDS)
    if envelope["Type"] == "SubscriptionConfirmation":
        _get(str(envelope["SubscribeURL"]))
        return None
    try:
        content = json.loads(envelope["Message"])
    except (TypeError, ValueError):
        content = None
    if not isinstance(content, dict):  # "Successfully validated SNS topic for …", by SES
        return None
    return str(envelope["MessageId"]), content


def _moment(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError as problem:
        raise BadCallbackError("no time") from problem


def moment_of(milliseconds: object, otherwise: datetime) -> datetime:
    """A time in milliseconds since 1970, as events of AWS hold it."""
    if not isinstance(milliseconds, int | float):
        return otherwise
    return datetime(1970, 1, 1, tzinfo=otherwise.tzinfo) + timedelta(milliseconds=milliseconds)


def _require_signature(envelope: Mapping[str, Any]) -> None:
    names = SIGNED.get(envelope["Type"])
    algorithm = HASHES.get(str(envelope.get("SignatureVersion")))
    if not names or not algorithm or any(name not in envelope for name in names if name != "Subject"):
        raise BadCallbackError("no notice of SNS")
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    try:
        signature = base64.b64decode(str(envelope.get("Signature")), validate=True)
        key = _key(str(envelope.get("SigningCertURL")))
        key.verify(signature, text.encode(), padding.PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature) as problem:
        raise BadCallbackError("wrong signature") from problem


@lru_cache(maxsize=8)
def _key(url: str) -> rsa.RSAPublicKey:
    if not urlsplit(url).path.endswith(".pem"):
        raise BadCallbackError("no certificate of Amazon's")
    key = x509.load_pem_x509_certificate(_get(url)).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadCallbackError("no certificate of Amazon's")
    return key


def _get(url: str) -> bytes:
    """From Amazon alone, or from what AWS_ENDPOINT_URL puts in its place."""
    parts = urlsplit(url)
    is_amazon = parts.scheme == "https" and bool(AMAZON.fullmatch(parts.netloc))
    if not is_amazon and not (settings.AWS_ENDPOINT_URL and url.startswith(f"{settings.AWS_ENDPOINT_URL}/")):
        raise BadCallbackError("an address that is not Amazon's")
    try:
        response = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as problem:
        raise BadCallbackError("Amazon was not reached") from problem
    if response.status_code != 200 or len(response.content) > MOST_BYTES:
        raise BadCallbackError(f"Amazon answered {response.status_code}")
    return response.content
