"""A doctor's way into a programme, and out of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.domain import audit
from accounts.models import User
from courses.enums import EnrolmentStatus as Status
from courses.models import Cohort, Enrolment, Programme

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.INVITED: frozenset({Status.ACTIVE, Status.SUSPENDED, Status.WITHDRAWN}),
    Status.ACTIVE: frozenset({Status.COMPLETED, Status.SUSPENDED, Status.WITHDRAWN}),
    Status.COMPLETED: frozenset({Status.SUSPENDED, Status.WITHDRAWN}),
    Status.SUSPENDED: frozenset({Status.INVITED, Status.ACTIVE, Status.COMPLETED, Status.WITHDRAWN}),
    Status.WITHDRAWN: frozenset({Status.INVITED, Status.ACTIVE, Status.COMPLETED}),
}
NEW = frozenset({Status.INVITED, Status.ACTIVE})


class EnrolmentError(Exception):
    """The enrolment cannot become what was asked; the text is for the person who asked."""


class TransitionError(EnrolmentError):
    def __init__(self, current: str, wanted: str) -> None:
        labels = {"current": Status(current).label, "wanted": Status(wanted).label}
        super().__init__(_("An enrolment cannot go from “%(current)s” to “%(wanted)s”.") % labels)
        self.current = current
        self.wanted = wanted


class ForeignCohortError(EnrolmentError):
    def __init__(self) -> None:
        super().__init__(_("The cohort belongs to another programme."))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Ids of the people who were new; the others had an enrolment, in whatever status, and were left alone."""

    created: frozenset[int]
    existing: frozenset[int]


def enrol(
    *,
    programme: Programme,
    user: User,
    cohort: Cohort | None = None,
    status: str = Status.INVITED,
    now: datetime,
) -> Enrolment:
    """Idempotent: an existing enrolment comes back as it is, a withdrawn one too (`reinstate` is another decision)."""
    bulk_enrol(programme=programme, user_ids=(user.pk,), cohort=cohort, status=status, now=now)
    return Enrolment.objects.select_related("cohort").get(programme=programme, user=user)


def bulk_enrol(
    *,
    programme: Programme,
    user_ids: Iterable[int],
    cohort: Cohort | None = None,
    status: str = Status.INVITED,
    now: datetime,
) -> Enrolled:
    """One statement for any number of people: 20,000 rows cost about half a second.

    "Invited" becomes "active" at the first sign-in. Somebody who has signed in before, for another programme, may stay
    signed in for weeks without doing it again, so that enrolment starts active.
    """
    if status not in NEW:
        raise EnrolmentError(_("An enrolment begins as invited or active."))
    if cohort is not None and cohort.programme_id != programme.pk:
        raise ForeignCohortError
    wanted = frozenset(user_ids)
    sql = """
        INSERT INTO courses_enrolment (user_id, programme_id, cohort_id, status, enrolled_at, activated_at)
        SELECT u.id, %(programme)s, %(cohort)s,
               CASE WHEN u.last_login IS NULL THEN %(status)s ELSE 'active' END, %(now)s,
               CASE WHEN u.last_login IS NULL AND %(status)s = 'invited' THEN NULL ELSE %(now)s END
        FROM accounts_user u WHERE u.id = ANY(%(users)s) ORDER BY u.id
        ON CONFLICT (user_id, programme_id) DO NOTHING
        RETURNING user_id
    """
    values = {
        "programme": programme.pk,
        "cohort": cohort.pk if cohort else None,
        "status": str(status),
        "now": now,
        "users": sorted(wanted),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        created = frozenset(row[0] for row in cursor.fetchall())
    return Enrolled(created=created, existing=wanted - created)


def activate_enrolments(*, user: User, now: datetime) -> int:
    """Opens every programme the doctor was invited to; called at each sign-in, does nothing from the second one on."""
    return Enrolment.objects.filter(user=user, status=Status.INVITED).update(status=Status.ACTIVE, activated_at=now)


def suspend(
    *, enrolment: Enrolment, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> Enrolment:
    """Closes the door and keeps everything that was done."""
    return _move(enrolment, Status.SUSPENDED, action="enrolment.suspended", actor=actor, request=request, now=now)


def withdraw(
    *, enrolment: Enrolment, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> Enrolment:
    return _move(enrolment, Status.WITHDRAWN, action="enrolment.withdrawn", actor=actor, request=request, now=now)


def reinstate(
    *, enrolment: Enrolment, actor: User | None = None, request: HttpRequest | None = None, now: datetime
) -> Enrolment:
    """Back to where it was: completed, active, or invited when the doctor never came."""
    return _move(enrolment, None, action="enrolment.reinstated", actor=actor, request=request, now=now)


def assign_cohort(*, enrolment: Enrolment, cohort: Cohort | None) -> Enrolment:
    if cohort is not None and cohort.programme_id != enrolment.programme_id:
        raise ForeignCohortError
    Enrolment.objects.filter(pk=enrolment.pk).update(cohort=cohort)
    enrolment.cohort = cohort
    return enrolment


@transaction.atomic
def _move(
    enrolment: Enrolment,
    wanted: str | None,
    *,
    action: str,
    actor: User | None,
    request: HttpRequest | None,
    now: datetime,
) -> Enrolment:
    """Locks, looks again, moves, and records it: a change and its line in the audit trail are one transaction.

    Asking for the status it has is no error, and no event: two moderators may press together.
    """
    current = Enrolment.objects.select_for_update(of=("self",)).select_related("user", "programme").get(pk=enrolment.pk)
    if wanted is None:
        if current.status not in {Status.SUSPENDED, Status.WITHDRAWN}:
            return current
        wanted = _status_by_dates(current)
    if current.status == wanted:
        return current
    if wanted not in TRANSITIONS[current.status]:
        raise TransitionError(current.status, wanted)
    details = {"programme": current.programme.slug, "from": current.status, "to": wanted}
    current.status = wanted
    if wanted == Status.ACTIVE and current.activated_at is None:
        current.activated_at = now
    current.save(update_fields=["status", "activated_at"])
    audit.record(action, actor=actor, subject=current.user, request=request, details=details, now=now)
    return current


def _status_by_dates(enrolment: Enrolment) -> str:
    if enrolment.completed_at:
        return Status.COMPLETED
    return Status.ACTIVE if enrolment.activated_at or enrolment.user.last_login else Status.INVITED
