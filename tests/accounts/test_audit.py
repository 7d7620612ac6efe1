"""The trail: who did or was refused what, and that nobody can rewrite it."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.timezone import now

from accounts.domain.audit import record
from accounts.enums import Role
from accounts.models import AuditEvent, User
from tests.accounts.helpers import code_in, deliver
from tests.factories.accounts import UserFactory
from tests.factories.courses import RoleGrantFactory
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET action = 'nothing happened'",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent",
    ],
)
def test_sec_31_the_database_refuses_to_rewrite_it(doctor: User, statement: str) -> None:
    record("sign_in.done", actor=doctor, now=now())
    before = list(AuditEvent.objects.values())

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER accounts_audit_no_truncate")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)

    assert list(AuditEvent.objects.values()) == before


def test_sec_31_the_models_own_ways_are_refused_too(doctor: User) -> None:
    event = record("sign_in.done", actor=doctor, now=now())
    event.action = "nothing happened"

    for change in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_sec_32_a_day_of_signing_in_is_written_down(doctor: User) -> None:
    browser = Client(REMOTE_ADDR="192.0.2.7")
    browser.post("/sign-in/", {"email": doctor.email})
    (message,) = deliver()
    code = code_in(message)
    browser.post("/sign-in/code/", {"code": f"{(int(code) + 1) % 10**6:06}"})
    browser.post("/sign-in/code/", {"code": code})
    browser.post("/sign-out/")
    browser.post("/sign-in/password/", {"email": "nobody@example.org", "password": "whatever it is"})

    events = list(AuditEvent.objects.order_by("id").values_list("action", "actor", "address"))

    assert events == [
        ("sign_in.requested", doctor.pk, "192.0.2.7"),
        ("sign_in.refused", doctor.pk, "192.0.2.7"),
        ("sign_in.done", doctor.pk, "192.0.2.7"),
        ("sign_out", doctor.pk, "192.0.2.7"),
        ("sign_in.refused", None, "192.0.2.7"),
    ]


def test_sec_32_no_secret_is_written_down(doctor: User) -> None:
    browser = Client()
    browser.post("/sign-in/", {"email": doctor.email})
    (message,) = deliver()
    browser.post("/sign-in/code/", {"code": code_in(message)})
    browser.post("/account/password/", {"password": "five quiet herons waded"})

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM accounts_auditevent e")
        trail = " ".join(row[0] for row in cursor.fetchall())

    assert "password.changed" in trail
    assert [word for word in (code_in(message), "herons", str(browser.session.session_key)) if word in trail] == []


def test_sec_32_staff_who_look_at_a_person_are_written_down(doctor: User) -> None:
    operator = RoleGrantFactory.create(role=Role.OPERATOR, programme=None).user
    browser = signed_in(operator)

    assert browser.get(f"/admin/accounts/user/{doctor.pk}/change/").status_code == 200
    assert browser.get("/admin/accounts/user/", {"q": "Nair"}).status_code == 200

    seen = AuditEvent.objects.filter(actor=operator, action__startswith="pe").order_by("id")
    assert list(seen.values_list("action", "subject_id", "details")) == [
        ("person.viewed", str(doctor.pk), {}),
        ("people.listed", "", {"search": "Nair", "page": ""}),
    ]


def test_what_is_rolled_back_did_not_happen(doctor: User) -> None:
    with transaction.atomic():
        record("person.changed", actor=doctor, now=now())
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()


def test_the_trail_outlives_the_person() -> None:
    person = UserFactory.create()
    record("sign_in.done", actor=person, now=now())
    number = person.pk

    User.objects.filter(pk=number).delete()

    assert AuditEvent.objects.get().actor_id == number


def test_details_are_short_plain_facts(doctor: User) -> None:
    event = record("x", details={"long": "a" * 9000, "nul": "a\x00b", "who": doctor, "list": [doctor, 1]}, now=now())

    event.refresh_from_db()
    assert event.details == {"long": "a" * 500, "nul": "ab", "who": "Dr Meera Nair", "list": ["Dr Meera Nair", 1]}
