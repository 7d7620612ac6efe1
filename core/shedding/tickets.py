"""What a browser holds: a ticket while it waits, a pass once it is in. Signed, and bound to nobody: before the door
nobody is known. Who hands a pass on hands on their place, no right to anything behind the door.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

TICKET, PASS = "place", "entered"  # names of cookies
TICKET_SECONDS = 2 * 3600
SALT = "core.shedding"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Numbers are microseconds of the first arrival, made unique: whoever has the smaller one came earlier."""

    number: int
    name: str

    @classmethod
    def of(cls, number: int) -> "Ticket":
        return cls(number, f"{number}-{secrets.token_urlsafe(6)}")


def read_ticket(request: HttpRequest, *, now: float) -> Ticket | None:
    """None where there is none, it is forged, or too old: an old one would overtake everybody."""
    name = _opened(request.COOKIES.get(TICKET, ""))
    digits = name.partition("-")[0]
    if not digits.isdecimal() or abs(now - int(digits) / 1e6) > TICKET_SECONDS:
        return None
    return Ticket(int(digits), name)


def hand_out_ticket(response: HttpResponseBase, ticket: Ticket) -> None:
    _set(response, TICKET, ticket.name, TICKET_SECONDS)


def pass_age(request: HttpRequest, *, now: float) -> float | None:
    """Seconds since it was given. None: no pass, or one that is over."""
    digits = _opened(request.COOKIES.get(PASS, ""))
    if not digits.isdecimal():
        return None
    age = now - int(digits)
    # Given by a machine whose clock is ahead: it is as good as new.
    return max(0.0, age) if -settings.ENTRY_SECONDS < age < settings.ENTRY_SECONDS else None


def hand_out_pass(response: HttpResponseBase, *, now: float) -> None:
    _set(response, PASS, str(int(now)), settings.ENTRY_SECONDS)


def take_ticket_back(response: HttpResponseBase) -> None:
    response.delete_cookie(TICKET, samesite="Lax")


def _set(response: HttpResponseBase, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        f"{value}.{_signature(value, settings.SECRET_KEY)}",
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _opened(text: str) -> str:
    """The value of a cookie whose signature is ours, else nothing. Longer than ours is not even looked at."""
    value, dot, signature = text.rpartition(".")
    if not dot or len(text) > 120 or not text.isascii():
        return ""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return value if any(constant_time_compare(signature, _signature(value, key)) for key in keys) else ""


def _signature(value: str, key: str) -> str:
    return salted_hmac(SALT, value, secret=key, algorithm="sha256").hexdigest()[:32]
