"""What the office finds of a statement, and what it did. Rows are only added; the newest counts."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from certification.domain.disclosers import lock_people
from certification.domain.disclosures import newest_of
from certification.domain.sheets import refresh_sheets_of
from certification.enums import ReviewDecision
from certification.models import Activity, Discloser, Disclosure, DisclosureReview


class ReviewError(Exception):
    """Nothing was kept; `message` is for the office."""

    message: Any = _("This cannot be kept.")


class NotNewestError(ReviewError):
    message = _("Meanwhile there is a newer statement. Please read that one.")


class NothingDoneError(ReviewError):
    message = _("Say what was done about the relationships: doctors read it before they start.")


class NothingToMitigateError(ReviewError):
    message = _("This statement names no relationship, so there is nothing to mitigate.")


class OwnStatementError(ReviewError):
    message = _("Somebody else has to review your own statement.")


class StillTeachesError(ReviewError):
    """Otherwise doctors would go on reading a sheet that leaves somebody out."""

    message = _("This person contributes to an open activity. Close it, or take the person out of it, first.")


@transaction.atomic
def review(
    *,
    disclosure: Disclosure,
    decision: str,
    mitigation: str,
    actor: User,
    request: HttpRequest | None = None,
    now: datetime,
) -> DisclosureReview:
    """Of the newest statement. What doctors are shown changes at once. Raises ReviewError."""
    lock_people(disclosure.person.programme_id)
    person = Discloser.objects.select_for_update(no_key=True).get(pk=disclosure.person_id)
    newest = newest_of(person)
    if newest is None or newest.pk != disclosure.pk:
        raise NotNewestError
    if actor.email.lower() == person.email.lower():
        raise OwnStatementError
    mitigation = mitigation.strip()
    _check(disclosure, decision, mitigation)
    made: DisclosureReview = DisclosureReview.objects.create(
        disclosure=disclosure, decision=decision, mitigation=mitigation, reviewed_by=actor, reviewed_at=now
    )
    details = {"name": person.name, "decision": decision, "disclosure": disclosure.pk}
    audit.record("disclosure.reviewed", actor=actor, subject=person, request=request, details=details, now=now)
    refresh_sheets_of(person=person, now=now)
    return made


def _check(disclosure: Disclosure, decision: str, mitigation: str) -> None:
    if decision == ReviewDecision.MITIGATED and not disclosure.has_interests:
        raise NothingToMitigateError
    if decision == ReviewDecision.MITIGATED and not mitigation:
        raise NothingDoneError
    teaches = Activity.objects.open().filter(contributors__person=disclosure.person_id, contributors__left_at=None)
    if decision == ReviewDecision.EXCLUDED and teaches.exists():
        raise StillTeachesError
