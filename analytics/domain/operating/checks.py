"""What is missing or does not fit in the data of a programme, so that reports and certificates are right."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.models.people import loose
from analytics.domain.operating.funnel import ATTENDANTS
from analytics.enums import DataCheck
from certification.domain.issuing import due_programmes
from certification.models import CertificateTemplate
from core.replica import reading
from courses.enums import OPEN_ENROLMENTS, PublishStatus
from courses.models import Enrolment, Programme
from webinars.models import Webinar

RECORDING_DUE = timedelta(days=2)
CERTIFICATE_DUE = timedelta(days=1)
_UNSEEN = f"""
SELECT count(*) FROM courses_enrolment e
JOIN accounts_user u ON u.id = e.user_id AND u.is_active
WHERE e.programme_id = %(programme)s AND e.status = ANY (%(statuses)s) AND e.completed_at IS NOT NULL
    AND e.user_id NOT IN ({ATTENDANTS})
"""  # noqa: S608 - put together from constants


def checks_of(programme: Programme, *, now: datetime) -> Mapping[DataCheck, int]:
    """How many doctors or lectures each check finds; 0 is well. Five queries.

    Doctors with an open place and an account that is open: of an erased one nothing is known any more, and who was
    suspended or has left gets no certificate, so that nobody could ever mend what was found of them.
    """
    found: dict[DataCheck, int] = {DataCheck(name): number for name, number in _doctors(programme).items()}
    found |= {DataCheck(name): number for name, number in _lectures(programme, now).items()}
    found[DataCheck.SAME_NUMBER] = _same_number(programme)
    found[DataCheck.COMPLETED_UNSEEN] = _unseen(programme)
    found[DataCheck.NO_CERTIFICATE] = _without_certificate(programme, now)
    return {check: found[check] for check in DataCheck}


def _people(programme: Programme) -> QuerySet[User]:
    places = Enrolment.objects.filter(programme=programme, status__in=OPEN_ENROLMENTS, user=OuterRef("pk"))
    return User.objects.using(reading()).filter(Exists(places), is_active=True)


def _doctors(programme: Programme) -> dict[str, Any]:
    return _people(programme).aggregate(
        no_country=Count("pk", filter=Q(country="")),
        no_specialty=Count("pk", filter=Q(specialty="")),
        zone_not_confirmed=Count("pk", filter=Q(timezone_confirmed_at=None)),
    )


def _same_number(programme: Programme) -> int:
    """Doctors whose registration number another one of the same council has, spaces and dots aside."""
    numbered = _people(programme).exclude(registration_number="").annotate(number=loose("registration_number"))
    groups = numbered.order_by().values("medical_council", "number").annotate(people=Count("pk")).filter(people__gt=1)
    return sum(groups.values_list("people", flat=True))


def _lectures(programme: Programme, now: datetime) -> dict[str, Any]:
    unready = Q(video=None) | Q(video__published_version="")
    published = Webinar.objects.using(reading()).filter(
        lesson__course__programme=programme, lesson__course__status=PublishStatus.PUBLISHED, cancelled_at=None
    )
    return published.aggregate(
        no_recording=Count("pk", filter=unready & Q(ended_at__lt=now - RECORDING_DUE)),
        no_content=Count("pk", filter=Q(video=None, starts_at=None)),
    )


def _unseen(programme: Programme) -> int:
    with connections[reading()].cursor() as cursor:
        cursor.execute(_UNSEEN, {"programme": programme.pk, "statuses": [one.value for one in OPEN_ENROLMENTS]})
        return int(cursor.fetchone()[0])


def _without_certificate(programme: Programme, now: datetime) -> int:
    """Who should have been given one by the sweep; only where the programme has a certificate to give."""
    template = CertificateTemplate.objects.filter(programme=programme)
    late = due_programmes(programme).using(reading()).filter(completed_at__lt=now - CERTIFICATE_DUE)
    return late.filter(Exists(template)).count()
