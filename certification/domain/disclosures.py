"""Statements about financial relationships: asked for by a personal link, signed, kept as they were signed.

A link is good for `LIFE`, and as often as its person likes in that time: a statement is never changed, a new one
replaces it. Only the SHA-256 of the link's token is kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.domain.secrets import LONGEST_TOKEN, hash_token
from accounts.models import User
from certification import tasks
from certification.authorities.cycles import add_months
from certification.domain.disclosers import MONTHS, today
from certification.enums import RelationshipKind
from certification.models import Discloser, Disclosure, DisclosureRequest
from core.limits import hit

LIFE = timedelta(days=60)
MOST_INTERESTS = 40
TWICE = timedelta(minutes=10)
MOST_AN_HOUR = 20


class DisclosureError(Exception):
    """Nothing was kept; `message` is for the person."""

    message: Any = _("This cannot be kept.")


class LinkUnknownError(DisclosureError):
    message = _("This link is not complete")


class LinkExpiredError(DisclosureError):
    message = _("This link has become too old")


class LinkWithdrawnError(DisclosureError):
    message = _("This link was replaced")


class UnsignedError(DisclosureError):
    message = _("Type your name: it is your signature.")


class InterestError(DisclosureError):
    message = _("Name each company, and what kind of relationship it is.")


class TooOftenError(DisclosureError):
    message = _("This was stated many times within an hour. Please try again later.")


@dataclass(frozen=True, slots=True)
class Interest:
    """`relationship` is a RelationshipKind. `ended`: within the 24 months; it counts all the same."""

    company: str
    relationship: str
    ended: bool


@transaction.atomic
def ask(
    *, person: Discloser, actor: User | None, request: HttpRequest | None = None, now: datetime
) -> DisclosureRequest:
    """A new link, by e-mail. Every earlier one of this person stops working at once."""
    Discloser.objects.select_for_update(no_key=True).get(pk=person.pk)  # of two clicks at once the later one counts
    DisclosureRequest.objects.filter(person=person, revoked_at=None).update(revoked_at=now)
    made: DisclosureRequest = DisclosureRequest.objects.create(
        person=person, requested_by=actor, created_at=now, expires_at=now + LIFE
    )
    audit.record(
        "disclosure.asked", actor=actor, subject=person, request=request, details={"name": person.name}, now=now
    )
    ring()
    return made


@transaction.atomic
def withdraw(*, person: Discloser, actor: User | None, request: HttpRequest | None = None, now: datetime) -> bool:
    """False where there was no link that worked."""
    open_ones = DisclosureRequest.objects.filter(person=person, revoked_at=None, expires_at__gt=now)
    if not open_ones.update(revoked_at=now):
        return False
    audit.record(
        "disclosure.withdrawn", actor=actor, subject=person, request=request, details={"name": person.name}, now=now
    )
    return True


def ring() -> None:
    """After the commit. A bell that nobody hears is no loss: the sweep looks every minute."""
    transaction.on_commit(lambda: tasks.send_disclosure_requests.delay(), robust=True)  # noqa: PLW0108  # resolved late


def find(*, token: str, now: datetime) -> DisclosureRequest:
    """Look without using it: mail scanners open every link. Raises DisclosureError."""
    found = None
    if len(token) <= LONGEST_TOKEN:
        rows = DisclosureRequest.objects.select_related("person__programme")
        found = rows.filter(token_hash=hash_token(token)).first()
    if found is None:
        raise LinkUnknownError
    if found.revoked_at:
        raise LinkWithdrawnError
    if found.expires_at <= now:
        raise LinkExpiredError
    return found


def newest_of(person: Discloser) -> Disclosure | None:
    return Disclosure.objects.filter(person=person).order_by("-made_at", "-pk").first()


@transaction.atomic
def state(
    *, token: str, interests: Sequence[Interest], signed_name: str, address: str | None, now: datetime
) -> Disclosure:
    """Signs it, for the 24 months up to today. Pressing the button twice states it once. Raises DisclosureError.

    From which address it came is in the audit trail alone.
    """
    asked = find(token=token, now=now)
    asked = (
        DisclosureRequest.objects.select_related("person__programme").select_for_update(of=("self",)).get(pk=asked.pk)
    )
    name = " ".join(signed_name.split())
    if not name:
        raise UnsignedError
    rows = [asdict(_checked(one)) for one in interests]
    if len(rows) > MOST_INTERESTS:
        raise InterestError
    last = newest_of(asked.person)
    if last and last.interests == rows and last.signed_name == name and last.made_at > now - TWICE:
        return last
    if not hit(f"disclosure:{asked.pk}", limit=MOST_AN_HOUR, window_seconds=3600):
        raise TooOftenError
    until = today(asked.person.programme, now=now)
    made: Disclosure = Disclosure.objects.create(
        person=asked.person,
        interests=rows,
        covers_from=add_months(until, -MONTHS),
        covers_until=until,
        signed_name=name[:200],
        made_at=now,
    )
    DisclosureRequest.objects.filter(pk=asked.pk, used_at=None).update(used_at=now)
    details = {"name": asked.person.name, "relationships": len(rows), "disclosure": made.pk}
    audit.record("disclosure.stated", subject=asked.person, address=address, details=details, now=now)
    return made


def _checked(one: Interest) -> Interest:
    company = " ".join(one.company.split())[:200]
    if not company or one.relationship not in RelationshipKind.values:
        raise InterestError
    return Interest(company, str(one.relationship), bool(one.ended))
