"""Who comes, when, and what they do. Everything can be written as JSON: the processes of a crowd get it that way."""

import ipaddress
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

ARRIVALS_A_MINUTE = 1_000.0  # at 1×: 10,000 doctors in ten minutes
MOST_DOCTORS = 60_000
MOST_MINUTES = 120.0
MOST_MULTIPLE = 16.0


class CrowdError(Exception):
    """A plan that must not or cannot be run; the text says why. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the audience: signed in (`session_key`), or by an e-mail: its one-tap link, or the invitation.

    Or without an account, by the webinar's `door`, with an `email` that nobody has. Their `user_id` is below zero:
    a number for the journal, where `verify` puts the account that was made.
    """

    user_id: int
    session_key: str = ""
    link_token: str = ""
    invitation_token: str = ""
    country: str = ""
    door: str = ""  # the end of its address
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the arrivals are spread over the plan's minutes: a triangle whose top is `peak` times the mean."""

    peak: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What doctors do. Shares are from 0 to 1 of all doctors; rates are of one doctor in an hour."""

    home_share: float = 0.3  # come by the home page; the others by the reminder's link to the webinar itself
    new_browser_share: float = 0.1  # fetch every file the page names; the others have them from an earlier visit
    polling_share: float = 0.05  # no WebSocket reaches them
    beat_seconds: float = 10.0  # BEAT_MILLISECONDS of static/js/player/beats.js
    renews_grants: bool = True  # at 42 % of the grant's life, as static/js/player/session.js
    follows_media: bool = False  # all segments; without it only those of the start, as a CDN answers the others
    questions_an_hour: float = 0.2
    vote_share: float = 0.6  # of those who hear that a poll is open
    vote_seconds: float = 30.0  # within which they vote
    leaves_an_hour: float = 0.0
    return_share: float = 0.5  # of those who left
    return_seconds: float = 20.0  # after which they are back


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPlan:
    """Arrivals come at `multiple` × 1,000 a minute for `minutes`, never more than the audience; then all stay on."""

    base_url: str
    webinar_id: int
    audience: Sequence[Member]
    media_base: str = ""  # where media lie if not at the site itself
    mail_folder: str = ""  # into which the site writes its messages; empty: nobody can read any
    minutes: float = 10.0
    multiple: float = 1.0
    stay_seconds: float = 30.0  # that the last one stays; everybody goes then
    seed: int = 1
    shape: Shape = Shape()
    behaviour: Behaviour = Behaviour()
    allowed_hosts: Collection[str] = ()  # besides loopback; anybody else is refused before a packet is sent
    source_addresses: Sequence[str] = ()  # taken in turn, loopback only: one address has some 28,000 ports
    timeout_seconds: float = 15.0  # TIMEOUT_MILLISECONDS of static/js/player/wire.js
    most_doctors: int = MOST_DOCTORS

    def __post_init__(self) -> None:
        for name, most in (("minutes", MOST_MINUTES), ("multiple", MOST_MULTIPLE), ("timeout_seconds", 120.0)):
            if not 0 < getattr(self, name) <= most:
                raise CrowdError(f"{name} must be above 0 and at most {most:g}, not {getattr(self, name):g}")
        if not 0 <= self.stay_seconds <= MOST_MINUTES * 60:
            raise CrowdError(f"stay_seconds must be between 0 and {MOST_MINUTES * 60:g}")
        if not 1 <= self.shape.peak <= 2:
            raise CrowdError("The peak of the shape must be between 1 and 2 times the mean.")
        if self.doctors > min(self.most_doctors, MOST_DOCTORS):
            raise CrowdError(f"{self.doctors:,} doctors are more than {min(self.most_doctors, MOST_DOCTORS):,}.")
        if not self.audience:
            raise CrowdError("Nobody is to come.")

    @property
    def doctors(self) -> int:
        return min(len(self.audience), round(ARRIVALS_A_MINUTE * self.multiple * self.minutes))

    @property
    def seconds(self) -> float:
        """Of the whole run, from the first arrival to the end of the last visit."""
        return self.minutes * 60 + self.stay_seconds

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"allowed_hosts": sorted(self.allowed_hosts)})

    @classmethod
    def from_json(cls, text: str) -> "CrowdPlan":
        raw: dict[str, Any] = json.loads(text)
        made: Mapping[str, Any] = {
            "audience": [Member(**one) for one in raw["audience"]],
            "shape": Shape(**raw["shape"]),
            "behaviour": Behaviour(**raw["behaviour"]),
        }
        return cls(**{**raw, **made})


@dataclass(frozen=True, slots=True)
class Place:
    """A host that may be called."""

    scheme: str
    host: str
    port: int
    origin: str = field(default="", compare=False)

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"


def place_of(url: str, allowed_hosts: Collection[str]) -> Place:
    """Loopback, or a host that was named; names are compared as they stand, so that no look-up decides."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"} or not host:
        raise CrowdError(f"{url!r} is no address of a site.")
    if not is_loopback(host) and host not in {name.lower() for name in allowed_hosts}:
        raise CrowdError(f"{host} is neither this machine nor among the allowed hosts: no crowd is sent there.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Place(parts.scheme, host, port, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
