"""A learning record store by xAPI 1.0.3: statements in batches, and what each answer means for them.

Sending the same statement a second time does no harm: the store knows it by its id. So whatever is uncertain is sent
again, and only what the store says it does not want is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import requests
from django.conf import settings
from requests.auth import HTTPBasicAuth

VERSION = "1.0.3"
CONNECT_SECONDS = 5.0
MOST_PATIENCE_SECONDS = 24 * 3600.0
WRONG_CREDENTIALS_SECONDS = 900.0
NOT_WANTED = frozenset({400, 409, 413, 422})


@dataclass(frozen=True, slots=True)
class Taken:
    """All of them, or all were there already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one of them, and so the store has taken none."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nobody knows, or the store cannot just now. `is_about_these`: it may lie in the statements themselves."""

    why: str
    retry_after: float | None = None
    is_about_these: bool = False


Result = Taken | Refused | Later


class Store:
    """One session with the store of the settings. Redirects are not followed: credentials go to no other address."""

    def __init__(self) -> None:
        given = settings.XAPI
        self.url = given["XAPI_URL"]
        self.timeout = (CONNECT_SECONDS, float(given["XAPI_TIMEOUT"]))
        self.session = requests.Session()
        self.session.auth = HTTPBasicAuth(given["XAPI_KEY"].encode(), given["XAPI_SECRET"].encode())
        self.session.headers["X-Experience-API-Version"] = VERSION

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def post(self, statements: Sequence[Mapping[str, Any]]) -> Result:
        try:
            response = self.session.post(
                f"{self.url}/statements", json=list(statements), timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as problem:  # its text holds the address, so only its kind is kept
            return Later(f"no answer ({type(problem).__name__})")
        return _meaning(response)

    def problem(self) -> str:
        """Empty where the store lets us in: asked for no statement at all."""
        try:
            response = self.session.get(
                f"{self.url}/statements", params={"limit": 1}, timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as problem:
            return f"not reached ({type(problem).__name__})"
        if response.status_code in {401, 403}:
            return f"XAPI_KEY and XAPI_SECRET are refused (HTTP {response.status_code})"
        return "" if response.status_code == 200 else f"not reached (HTTP {response.status_code})"


def _meaning(response: requests.Response) -> Result:
    status = response.status_code
    if status in {200, 204}:
        return Taken()
    if status in NOT_WANTED:
        return Refused(f"HTTP {status}: {_words(response)}"[:300])
    if status in {401, 403}:
        return Later(f"XAPI_KEY and XAPI_SECRET are refused (HTTP {status})", retry_after=WRONG_CREDENTIALS_SECONDS)
    wait = _patience(response.headers)
    return Later(f"HTTP {status}", retry_after=wait, is_about_these=status == 500 and wait is None)


def _words(response: requests.Response) -> str:
    """What the store says of it, which no standard shapes. Control characters are for terminals, not for columns."""
    return "".join(letter if letter.isprintable() else " " for letter in response.text[:250]).strip()


def _patience(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After, which is a number or a date."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), MOST_PATIENCE_SECONDS)
