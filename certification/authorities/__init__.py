"""The authorities: one file each, found by key. A claim keeps the version that decided it; that version stays here."""

from collections.abc import Mapping
from datetime import date

from certification.authorities.accme import ACCME
from certification.authorities.attendance import ATTENDANCE
from certification.authorities.base import Authority, Requirement, RulePack
from certification.authorities.councils import INDIA
from certification.authorities.eaccme import EACCME

AUTHORITIES: Mapping[str, Authority] = {one.key: one for one in (ACCME, EACCME, INDIA, ATTENDANCE)}


class NoPackError(LookupError):
    """There is no such authority, version, or none was in force on that day."""


def pack_of(key: str, *, on: date) -> RulePack:
    """The rules that hold on the day of taking part. Raises NoPackError."""
    for one in _versions(key):
        if one.is_in_force(on):
            return one
    raise NoPackError(f"No rules of {key} on {on}")


def pack(key: str, *, version: str) -> RulePack:
    """The rules of a claim that was decided earlier. Raises NoPackError."""
    for one in _versions(key):
        if one.version == version:
            return one
    raise NoPackError(f"No version {version} of {key}")


def requirement(key: str, *, on: date, council: str = "", since: date | None = None) -> Requirement | None:
    """What the cycle around that day wants. None: the authority names no number. Raises NoPackError."""
    return pack_of(key, on=on).requirement(on=on, council=council, since=since)


def _versions(key: str) -> tuple[RulePack, ...]:
    if key not in AUTHORITIES:
        raise NoPackError(f"No authority {key}")
    return AUTHORITIES[key].versions
