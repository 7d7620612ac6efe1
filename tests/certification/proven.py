"""An activity whose credit was really earned, granted, certified and published: its pack can be calculated again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from certification.domain.claiming import claim, correct_claim, revoke_claim
from certification.domain.granting import grant_for
from certification.domain.issuing import issue_due, reissue
from certification.domain.publishing import publish_heads
from certification.models import Activity, Certificate, Claim
from courses.enums import EnrolmentStatus
from courses.models import CourseCompletion, Enrolment
from tests.factories.accounts import UserFactory
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import CourseFactory
from tests.factories.deeds import accredit, doctor_of, make_live, watch

BEGAN = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
AFTER = BEGAN + timedelta(hours=3)


@dataclass(frozen=True)
class Proven:
    """`first` watched 47 of 60 minutes and has a certificate of the course, of the programme, and of another course."""

    activity: Activity
    first: User
    second: User
    claim: Claim

    def certificates(self, **about: Any) -> list[Certificate]:
        return list(Certificate.objects.filter(user=self.first, **about).order_by("serial"))


def make_proven() -> Proven:
    """Two doctors, three authorities; a claim corrected and one revoked, a certificate issued anew, heads published."""
    live = make_live(starts_at=BEGAN)
    course = live.lesson.course
    council = {"medical_council": "Maharashtra Medical Council"}
    first = doctor_of(live, first_name="Meera", last_name="Nair", registration_number="MH-77", **council)
    second = doctor_of(live, first_name="José", last_name="Álvarez", registration_number="MH-78", **council)
    watch(live, first, minutes=47)
    watch(live, second, minutes=60)
    accme = accredit(live, version="2022")
    others = (
        accredit(live, authority="india", council="maharashtra", version="2024", parameters={}),
        accredit(live, authority="attendance", version="1", credits=Decimal(0), parameters={}),
    )
    mine = claim(accreditation=accme, user=first, now=AFTER).claim
    theirs = claim(accreditation=accme, user=second, asked=Decimal("0.5"), now=AFTER).claim
    for one in others:
        grant_for(accreditation=one, now=AFTER, since=None)
    office = UserFactory.create()
    correct_claim(claim_id=theirs.pk, credit=Decimal("0.25"), reason="Counted anew", actor=office, now=AFTER)
    for done in (course, CourseFactory.create(programme=course.programme)):
        CourseCompletion.objects.create(user=first, course=done, completed_at=AFTER)
    Enrolment.objects.filter(user=first).update(status=EnrolmentStatus.COMPLETED, completed_at=AFTER)
    CertificateTemplateFactory.create(programme=course.programme)
    issue_due(programme=course.programme, now=AFTER)
    again = Certificate.objects.get(claim=theirs)
    reissue(certificate=again, reason="=The name", actor=office, now=AFTER)
    revoked = Claim.objects.get(user=first, authority="india")
    revoke_claim(claim_id=revoked.pk, reason="Another doctor", actor=office, now=AFTER)
    publish_heads(now=AFTER)
    return Proven(live, first, second, mine)
