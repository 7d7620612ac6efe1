"""Ledgers to look over, and how somebody who owns the database would change them."""

from typing import Any

from django.db import connection

from certification.models import LedgerEntry
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


def purge() -> None:
    """The facts of every certificate, as when their time is over."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL certification.purge = 'on'")
        cursor.execute("UPDATE certification_certificate SET facts = '{}'")
        cursor.execute("SET LOCAL certification.purge = 'off'")
