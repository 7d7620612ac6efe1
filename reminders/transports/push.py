"""Notices in the browser: RFC 8030 to its maker's push service, encrypted by RFC 8291, signed by RFC 8292 (VAPID)."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02, b64urlencode

from reminders.enums import Channel
from reminders.transports.base import Accepted, BadCallbackError, Callback, Outgoing, Refused, Result, Told, Uncertain
from reminders.transports.calling import (
    CONNECT_SECONDS,
    WRONG_CREDENTIALS_SECONDS,
    Answer,
    in_lanes,
    read_seconds,
    refusal,
    what_it_means,
)

# A browser names the address itself: without this list it could make the server call anything in its own network.
SERVICES = re.compile(
    r"(fcm\.googleapis\.com|updates\.push\.services\.mozilla\.com|web\.push\.apple\.com"
    r"|[a-z0-9-]+\.notify\.windows\.com|[a-z0-9-]+\.push\.apple\.com)"
)
MOST_BYTES = 3_000  # of 3,993 that every push service takes
KEPT_SECONDS = 4 * 3600
GONE = {404, 410}


def is_push_service(endpoint: str) -> bool:
    """Whether a browser's address is one that may be called: a known service, by https, on its own port."""
    if any(endpoint.startswith(f"{base}/") for base in settings.MESSAGES["PUSH_SERVICES"]):
        return True
    parts = urlsplit(endpoint)
    return parts.scheme == "https" and bool(SERVICES.fullmatch(parts.netloc.lower()))


def public_key() -> str:
    """What a page gives its browser to subscribe with (applicationServerKey). Empty: there are no notices here."""
    if not settings.MESSAGES["VAPID_PRIVATE_KEY"]:
        return ""
    point = _vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))


def _vapid() -> Vapid02:
    return Vapid02.from_raw(settings.MESSAGES["VAPID_PRIVATE_KEY"].encode())


class WebPush:
    name = "webpush"
    channel = Channel.PUSH
    most = 100
    tells_delivery = False
    tells_read = False
    can_look_up = False

    def __init__(self, _channel: Channel, values: Mapping[str, Any]) -> None:
        self.values = values
        self.rate = float(values["MESSAGES_PUSH_RATE"])

    def send(self, messages: Sequence[Outgoing]) -> list[Result]:
        vapid = _vapid()
        with requests.Session() as session:
            session.max_redirects = 0
            return in_lanes(messages, lambda message: self._send_one(session, vapid, message))

    def _send_one(self, session: requests.Session, vapid: Vapid02, message: Outgoing) -> Result:
        """To each browser of the person. One of them is enough; those that are gone are named."""
        try:
            addresses = [(str(a), str(b), str(c)) for a, b, c in json.loads(message.address)]
        except (ValueError, TypeError):
            return Refused("no browser's address", is_hard=True)
        if not addresses:
            return Refused("no browser", is_hard=True)
        results = [self._to_browser(session, vapid, address, message) for address in addresses]
        return _together(results, [address[0] for address in addresses])

    def _to_browser(
        self, session: requests.Session, vapid: Vapid02, address: tuple[str, str, str], message: Outgoing
    ) -> Result:
        from pywebpush import WebPushException, webpush  # with aiohttp: pages that ask for the key have no need of it

        endpoint, p256dh, auth = address
        if not is_push_service(endpoint):
            return Refused("not the address of a push service", is_hard=True)
        try:
            response = webpush(
                {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}},
                data=_data(message),
                vapid_private_key=vapid,
                vapid_claims={"sub": self.values["VAPID_SUBJECT"]},
                ttl=KEPT_SECONDS,
                timeout=CONNECT_SECONDS + read_seconds(),
                headers={"Urgency": "high", "Topic": message.key.hex},
                requests_session=session,
            )
        except WebPushException as problem:
            return _refused(problem.response)
        except requests.RequestException as problem:
            return what_it_means(problem)
        except (ValueError, TypeError):  # before anything was sent: keys that are none
            return Refused("not the keys of a browser", is_hard=True)
        if isinstance(response, requests.Response) and response.status_code in {200, 201, 202}:
            return Accepted()
        return Uncertain("an answer that was not understood")

    def look_up(self, key: UUID, provider_id: str, sent_at: datetime, address: str = "") -> None:
        """Push services cannot be asked. A notice twice would replace itself: its topic is the key."""

    def read_callback(self, callback: Callback, *, now: datetime) -> list[Told]:
        raise BadCallbackError("push services do not call back")

    def check(self) -> str:
        return ""


def _refused(response: Any) -> Result:
    if response is None:
        return Refused("not the keys of a browser", is_hard=True)
    if response.status_code in GONE:
        return Refused(f"the browser is gone (HTTP {response.status_code})", is_hard=True)
    answer = Answer(response.status_code, response.headers, None)
    if response.status_code in {401, 403}:
        why = f"credentials refused (HTTP {response.status_code}): VAPID_PRIVATE_KEY, VAPID_SUBJECT"
        return Refused(why, is_temporary=True, retry_after=WRONG_CREDENTIALS_SECONDS)
    return refusal(answer, credentials="VAPID_PRIVATE_KEY") or Refused(f"refused (HTTP {response.status_code})")


def _together(results: Sequence[Result], endpoints: Sequence[str]) -> Result:
    """What holds for the person: any browser that took it, else what may yet become good, else the first refusal."""
    gone = tuple(
        endpoint
        for endpoint, result in zip(endpoints, results, strict=True)
        if isinstance(result, Refused) and result.is_hard
    )
    if any(isinstance(result, Accepted) for result in results):
        return Accepted(gone=gone)
    if uncertain := next((result for result in results if isinstance(result, Uncertain)), None):
        return uncertain
    refusals = [result for result in results if isinstance(result, Refused)]
    first = next((result for result in refusals if result.is_temporary), refusals[0])
    is_hard = all(result.is_hard for result in refusals)
    return Refused(first.why, first.is_temporary, is_hard, first.retry_after, gone)


def _data(message: Outgoing) -> str:
    """What the service worker shows: the text is cut where it would not fit."""
    text = message.text
    while True:
        data = json.dumps({"title": message.subject, "body": text, "url": message.url}, ensure_ascii=False)
        if len(data.encode()) <= MOST_BYTES or not text:
            return data
        text = text[: len(text) * 3 // 4]
