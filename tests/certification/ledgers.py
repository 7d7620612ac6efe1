"""Ledgers to look over, and how somebody who owns the database would change them."""

from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from certification.domain.retention import say_purged
from certification.models import Certificate, LedgerEntry
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, grant
from tests.factories.courses import CourseFactory, LessonFactory


def grant_many(programme: Programme, number: int) -> list[LedgerEntry]:
    user = UserFactory.create()
    course = CourseFactory.create(programme=programme)
    entries = []
    for _ in range(number):
        accreditation = AccreditationFactory.create(activity__lesson=LessonFactory.create(course=course))
        entries.append(grant(accreditation=accreditation, user=user))
    return entries


def tamper(statement: str, *values: Any) -> None:
    """Past the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def break_down(table: str, condition: str) -> None:
    """The database refuses such rows, as if its disk were full, until the test ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION break_down() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF {condition} THEN RAISE EXCEPTION 'disk full'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE TRIGGER a_break BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION break_down()")


def purge(**only: Any) -> None:
    """The facts of every certificate, or of these, as when their time is over."""
    for certificate in Certificate.objects.filter(**only).order_by("pk"):
        with transaction.atomic():
            say_purged([certificate.pk], now=certificate.issued_at + timedelta(days=6 * 366))
        tamper("UPDATE certification_certificate SET facts = '{}' WHERE id = %s", certificate.pk)
