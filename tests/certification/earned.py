"""Programmes that issue, and doctors who have earned something in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from certification.models import Certificate, Claim
from courses.enums import EnrolmentStatus, LessonKind
from courses.models import Course, CourseCompletion, Enrolment, Lesson, LessonCompletion, Programme
from tests.factories.accounts import UserFactory
from tests.factories.certification import AccreditationFactory, ActivityFactory, CertificateTemplateFactory, grant
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)


def issuing_programme(**values: Any) -> Programme:
    """With a template: it issues."""
    programme: Programme = ProgrammeFactory.create(**{"slug": "cardiology-2026", "title": "Cardiology", **values})
    CertificateTemplateFactory.create(programme=programme)
    return programme


def doctor(**values: Any) -> User:
    names = {"title": "Dr", "first_name": "Amelia", "last_name": "Okonkwo"}
    council = {"medical_council": "General Medical Council", "registration_number": "GMC 7412589"}
    made: User = UserFactory.create(**{**names, **council, **values})
    return made


def claim_of(
    programme: Programme,
    *,
    user: User | None = None,
    credit: str = "0.75",
    authority: str = "accme",
    at: datetime = BEFORE,
    **values: Any,
) -> Claim:
    """Granted, of a webinar of its own."""
    lesson = LessonFactory.create(course=_course(programme))
    activity = ActivityFactory.create(lesson=lesson, title="Heart failure in primary care")
    accreditation = AccreditationFactory.create(activity=activity, authority=authority, **values)
    person = user or doctor()
    with transaction.atomic():
        entry = grant(
            credit=credit, accreditation=accreditation, user=person, took_part_on=at.date(), made_at=at, at=at
        )
    assert entry.claim is not None
    return entry.claim


def _course(programme: Programme) -> Course:
    found: Course = programme.courses.first() or CourseFactory.create(programme=programme, title="Heart failure")
    return found


def completed_course(programme: Programme, *, user: User | None = None, at: datetime = NOW) -> CourseCompletion:
    course = CourseFactory.create(programme=programme, title="Arrhythmia")
    return CourseCompletion.objects.create(user=user or doctor(), course=course, completed_at=at)


def feedback_of(course: Course) -> Lesson:
    lesson: Lesson = LessonFactory.create(course=course, kind=LessonKind.EVALUATION)
    return lesson


def give_feedback(user: User, lesson: Lesson) -> None:
    LessonCompletion.objects.create(user=user, lesson=lesson, completed_at=now())


def completed_programme(programme: Programme, *, user: User | None = None, at: datetime = NOW) -> Enrolment:
    enrolment: Enrolment = EnrolmentFactory.create(
        programme=programme, user=user or doctor(), status=EnrolmentStatus.COMPLETED, completed_at=at
    )
    return enrolment


def printed(certificate: Certificate) -> dict[str, Any]:
    certificate.refresh_from_db()
    facts: dict[str, Any] = certificate.facts["facts"]
    return facts
