"""The people who are in control of what a programme teaches, and their part in its activities."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import audit
from accounts.models import User
from certification.authorities.cycles import day_in
from certification.enums import ContributorRole, DisclosureStanding
from certification.models import Activity, Contributor, Discloser
from certification.models.disclosure import VALID_MONTHS, DiscloserQuerySet
from courses.models import Programme
from webinars.models import Webinar

MONTHS = 24  # what a statement is about. ACCME Standard 3: all financial relationships of the prior 24 months
NO_NAME = _("Write the name, as doctors are to read it: an e-mail address is shown to nobody.")
TAKEN = _("There is already somebody with this e-mail address in the programme.")


class DiscloserError(Exception):
    """Nothing was changed; the text is for the office."""


def today(programme: Programme, *, now: datetime) -> date:
    return day_in(now, programme.timezone)


def lock_people(programme_id: int) -> None:
    """Until the transaction ends: who may take part is decided, and who does is changed, one after the other.

    Before any row is locked, so that nobody waits for another the other way round.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"certification/people/{programme_id}"]
        )


def valid_months(programme: Programme) -> int:
    """For how many months after its day a statement may be used: what came later, it does not know."""
    return programme.statement_months or VALID_MONTHS


def standings(*, people: DiscloserQuerySet, on: date) -> dict[int, DisclosureStanding]:
    """By id. One query."""
    rows: Iterable[Any] = people.with_standing(on=on).order_by()
    return {one.pk: DisclosureStanding(one.standing) for one in rows}


@transaction.atomic
def save_person(*, person: Discloser, actor: User | None, request: HttpRequest | None = None, now: datetime) -> None:
    """Raises DiscloserError: in a programme an address belongs to one person, and doctors read a name."""
    person.email = person.email.strip().lower()
    person.name = " ".join(person.name.split())
    if is_address(person.name):
        raise DiscloserError(NO_NAME)
    same = Discloser.objects.filter(programme=person.programme_id, email=person.email).exclude(pk=person.pk)
    if same.exists():
        raise DiscloserError(TAKEN)
    is_new = person.pk is None
    person.save()
    action = "discloser.added" if is_new else "discloser.changed"
    audit.record(action, actor=actor, subject=person, request=request, details={"name": person.name}, now=now)


def is_address(name: str) -> bool:
    """An account without a name is known by its address until somebody writes the name. Doctors are never shown it."""
    return "@" in name


@transaction.atomic
def take_over(
    *, activity: Activity, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> int:
    """The webinar's presenters and moderators as contributors. Who is there already stays. Returns how many are new."""
    webinar = Webinar.objects.filter(lesson=activity.lesson_id).first()
    if webinar is None:
        return 0
    programme = activity.lesson.course.programme
    found = [
        *((user, ContributorRole.PRESENTER) for user in webinar.presenters.order_by("pk")),
        *((user, ContributorRole.MODERATOR) for user in webinar.moderators.order_by("pk")),
    ]
    new = 0
    for user, role in found:
        if not user.email:
            continue
        person, _made = Discloser.objects.get_or_create(
            programme=programme, email=user.email.lower(), defaults={"name": user.get_full_name()}
        )
        row, is_new = Contributor.objects.present().get_or_create(activity=activity, person=person, role=role)
        if is_new:
            record_contributor(row, change="joined", actor=actor, request=request, now=now)
            new += 1
    return new


def record_contributor(
    row: Contributor, *, change: str, actor: User | None, request: HttpRequest | None, now: datetime
) -> None:
    """`change`: joined or left."""
    details = {"title": row.activity.title, change: row.person.name, "discloser": row.person_id, "role": str(row.role)}
    audit.record("activity.changed", actor=actor, subject=row.activity, request=request, details=details, now=now)
