"""After a test with real commits the database is as `flush` leaves it, whichever of the two did it."""

import os

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, transaction
from django.utils.timezone import now

from accounts.domain.audit import record
from accounts.models import AuditEvent, User
from certification.models import LedgerEntry
from tests.emptying import LARGE_BYTES, REWRITTEN, empty, remember
from tests.factories.accounts import UserFactory
from tests.factories.certification import grant
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _known() -> None:
    remember()  # this may be the first test with real commits


def filled() -> set[str]:
    """The tables of our models that have rows."""
    tables = connection.introspection.django_table_names(only_existing=True)
    with connection.cursor() as cursor:
        asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)
        cursor.execute(asked)
        return {name for (name,) in cursor.fetchall()}


def test_all_rows_go_also_those_that_nobody_may_delete() -> None:
    person = UserFactory.create()
    signed_in(person)
    record("test", actor=person, subject=person, now=now())
    with transaction.atomic():
        grant()
    types = dict(ContentType.objects.values_list("pk", "model"))
    assert len(filled()) > 12
    assert AuditEvent.objects.exists()
    assert LedgerEntry.objects.exists()

    assert empty()

    assert filled() == set(REWRITTEN)
    assert dict(ContentType.objects.values_list("pk", "model")) == types
    assert UserFactory.create() == User.objects.get()


def test_triggers_and_foreign_keys_hold_again_afterwards() -> None:
    assert empty()

    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


def test_where_content_types_or_permissions_changed_nothing_is_done() -> None:
    person = UserFactory.create()
    Permission.objects.create(name="Extra", codename="extra", content_type=ContentType.objects.get_for_model(User))

    assert not empty()

    assert User.objects.get() == person


def test_where_much_was_written_nothing_is_done() -> None:
    rows = [
        Session(session_key=f"{n:032}", session_data="x" * 500, expire_date=now()) for n in range(LARGE_BYTES // 400)
    ]
    Session.objects.bulk_create(rows)

    assert not empty()

    assert Session.objects.count() == len(rows)


def test_it_waits_for_whoever_still_writes() -> None:
    other = os.environ["DATABASE_URL"].replace("/lms?", f"/{connection.settings_dict['NAME']}?")
    with psycopg.connect(other) as writer:
        writer.execute("INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('late', '', now())")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        try:
            with pytest.raises(OperationalError, match="lock timeout"):
                empty()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

    assert empty()
    assert not Session.objects.exists()
