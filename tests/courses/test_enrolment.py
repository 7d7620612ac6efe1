from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, User
from courses.domain.enrolment import (
    TRANSITIONS,
    EnrolmentError,
    ForeignCohortError,
    TransitionError,
    activate_enrolments,
    assign_cohort,
    bulk_enrol,
    enrol,
    reinstate,
    suspend,
    withdraw,
)
from courses.enums import EnrolmentStatus as Status
from courses.models import Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.courses import CohortFactory, EnrolmentFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def test_enrolling_twice_changes_nothing() -> None:
    programme, user = ProgrammeFactory(), UserFactory()
    first = enrol(programme=programme, user=user, cohort=CohortFactory(programme=programme), now=NOW)
    again = enrol(programme=programme, user=user, status=Status.ACTIVE, now=LATER)
    assert (again.pk, again.status, again.enrolled_at, again.cohort) == (first.pk, Status.INVITED, NOW, first.cohort)
    assert Enrolment.objects.count() == 1


def test_a_withdrawn_doctor_is_not_brought_back_by_the_next_list() -> None:
    enrolment = EnrolmentFactory(status=Status.WITHDRAWN)
    assert enrol(programme=enrolment.programme, user=enrolment.user, now=NOW).status == Status.WITHDRAWN


def test_the_first_sign_in_opens_every_invitation_and_nothing_else() -> None:
    user = UserFactory()
    invited = [EnrolmentFactory(user=user, status=Status.INVITED) for _ in range(2)]
    suspended = EnrolmentFactory(user=user, status=Status.SUSPENDED)
    somebody_else = EnrolmentFactory(status=Status.INVITED)
    assert activate_enrolments(user=user, now=NOW) == 2
    assert activate_enrolments(user=user, now=LATER) == 0
    active = Enrolment.objects.filter(status=Status.ACTIVE)
    assert set(active.values_list("pk", "activated_at")) == {(one.pk, NOW) for one in invited}
    for one, status in ((suspended, Status.SUSPENDED), (somebody_else, Status.INVITED)):
        one.refresh_from_db()
        assert one.status == status


def test_who_has_signed_in_before_need_not_do_it_again() -> None:
    programme = ProgrammeFactory()
    known, new = UserFactory(last_login=NOW - timedelta(days=9)), UserFactory()
    bulk_enrol(programme=programme, user_ids=[known.pk, new.pk], now=NOW)
    rows = Enrolment.objects.values_list("user_id", "status", "activated_at")
    assert set(rows) == {(known.pk, Status.ACTIVE, NOW), (new.pk, Status.INVITED, None)}


def test_in_bulk_it_tells_new_from_known_in_one_statement() -> None:
    programme = ProgrammeFactory()
    known = EnrolmentFactory(programme=programme)
    EnrolmentFactory()
    users = User.objects.bulk_create(User(email=f"doctor{number}@example.org", password="!") for number in range(3_000))
    ids = {user.pk for user in users}
    with CaptureQueriesContext(connection) as queries:
        enrolled = bulk_enrol(programme=programme, user_ids=[*ids, known.user_id], now=NOW)
    assert len(queries) == 1
    assert (enrolled.created, enrolled.existing) == (ids, {known.user_id})
    assert programme.enrolments.count() == 3_001
    again = bulk_enrol(programme=programme, user_ids=ids, now=LATER)
    assert (again.created, again.existing) == (frozenset(), ids)


def test_nobody_starts_completed_or_in_a_foreign_cohort() -> None:
    programme, user = ProgrammeFactory(), UserFactory()
    with pytest.raises(EnrolmentError):
        enrol(programme=programme, user=user, status=Status.COMPLETED, now=NOW)
    with pytest.raises(ForeignCohortError):
        enrol(programme=programme, user=user, cohort=CohortFactory(), now=NOW)
    with pytest.raises(ForeignCohortError):
        assign_cohort(enrolment=EnrolmentFactory(programme=programme), cohort=CohortFactory())
    assert Enrolment.objects.get().cohort is None


@pytest.mark.parametrize("before", Status.values)
@pytest.mark.parametrize(("move", "wanted"), [(suspend, Status.SUSPENDED), (withdraw, Status.WITHDRAWN)])
def test_the_door_closes_along_the_allowed_ways(before: str, move: object, wanted: str) -> None:
    assert callable(move)
    enrolment = EnrolmentFactory(status=before, completed_at=NOW if before == Status.COMPLETED else None)
    if before == wanted or wanted in TRANSITIONS[before]:
        assert move(enrolment=enrolment, now=NOW).status == wanted
    else:
        with pytest.raises(TransitionError):
            move(enrolment=enrolment, now=NOW)
        enrolment.refresh_from_db()
        assert enrolment.status == before


def test_a_change_and_its_line_in_the_audit_trail_are_one_transaction() -> None:
    enrolment, actor = EnrolmentFactory(), UserFactory()
    trail = AuditEvent.objects.filter(action__startswith="enrolment.").order_by("pk")
    for move in (suspend, suspend, reinstate, withdraw):
        move(enrolment=enrolment, actor=actor, now=NOW)
    told = [(one.action, one.actor, one.subject_id, one.details["from"], one.details["to"]) for one in trail]
    assert told == [
        ("enrolment.suspended", actor, str(enrolment.user_id), "active", "suspended"),
        ("enrolment.reinstated", actor, str(enrolment.user_id), "suspended", "active"),
        ("enrolment.withdrawn", actor, str(enrolment.user_id), "active", "withdrawn"),
    ]
    with pytest.raises(TransitionError):
        suspend(enrolment=enrolment, actor=actor, now=NOW)
    with pytest.raises(ValueError, match="unsaved"):
        reinstate(enrolment=enrolment, actor=User(email="nobody@example.org"), now=NOW)
    enrolment.refresh_from_db()
    assert (enrolment.status, trail.count()) == (Status.WITHDRAWN, 3)


@pytest.mark.parametrize(
    ("dates", "status"),
    [
        ({}, Status.INVITED),
        ({"activated_at": NOW}, Status.ACTIVE),
        ({"activated_at": NOW, "completed_at": NOW}, Status.COMPLETED),
    ],
)
@pytest.mark.parametrize("closed", [Status.SUSPENDED, Status.WITHDRAWN])
def test_bringing_back_restores_what_was(dates: dict[str, datetime], status: str, closed: str) -> None:
    enrolment = EnrolmentFactory(status=closed, **dates)
    back = reinstate(enrolment=enrolment, now=LATER)
    assert (back.status, back.completed_at) == (status, dates.get("completed_at"))
    assert reinstate(enrolment=enrolment, now=LATER).status == status


def test_bringing_back_somebody_who_signed_in_while_suspended_is_active_at_once() -> None:
    enrolment = EnrolmentFactory(status=Status.SUSPENDED, user__last_login=NOW)
    back = reinstate(enrolment=enrolment, now=LATER)
    assert (back.status, back.activated_at) == (Status.ACTIVE, LATER)
