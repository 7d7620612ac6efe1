"""An activity with everything that an auditor may ask for, and another one whose rows must not be in its files."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import User
from assessments.enums import AttemptState
from assessments.models import Attempt, Evaluation, EvaluationAnswer, EvaluationReceipt, EvaluationResponse
from certification.domain.files import note_of
from certification.domain.issuing import issue
from certification.domain.keys import key_named
from certification.enums import ContributorRole, Format, ReviewDecision
from certification.models import (
    Acknowledgement,
    Activity,
    Certificate,
    CertificateFile,
    Claim,
    ClaimEvidence,
    Contributor,
    Disclosure,
    DisclosureReview,
    DisclosureSheet,
    LedgerEntry,
)
from courses.models import Programme
from tests.factories.accounts import UserFactory
from tests.factories.assessments import make_evaluation, make_quiz
from tests.factories.certification import (
    AccreditationFactory,
    ActivityFactory,
    CertificateTemplateFactory,
    DiscloserFactory,
    grant,
)
from tests.factories.courses import CourseFactory, LessonFactory
from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory, WebinarFactory
from webinars.enums import Phase

AT = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Audited:
    activity: Activity
    doctor: User
    claim: Claim
    line: LedgerEntry
    certificate: Certificate


def make_audited(
    *, programme: Programme | None = None, at: datetime = AT, is_anonymous: bool = True, form: str = Format.LIVE,
    doctor: User | None = None, **accreditation: Any,
) -> Audited:  # fmt: skip
    """One doctor watched, passed, gave feedback, read the disclosures, has credit and a certificate with a file."""
    course = CourseFactory.create(**({"programme": programme} if programme else {}))
    lesson = LessonFactory.create(course=course)
    if form == Format.LIVE:
        webinar = LiveWebinarFactory.create(lesson=lesson, starts_at=at)
    else:
        webinar = WebinarFactory.create(lesson=lesson)
    quiz, evaluation = (
        make_quiz(lesson__course=course),
        make_evaluation(lesson__course=course, is_anonymous=is_anonymous),
    )
    activity = ActivityFactory.create(
        lesson=lesson, format=form, starts_at=at, ends_at=at + timedelta(hours=1), assessment=quiz.lesson,
        evaluation=evaluation.lesson,
    )  # fmt: skip
    person = doctor or UserFactory.create(
        first_name="Meera", last_name="Nair", medical_council="Kerala", registration_number="KER-77", country="IN",
        specialty="Cardiology",
    )  # fmt: skip
    end = at + timedelta(minutes=50)
    WatchRecordFactory.create(
        user=person, webinar=webinar, phase=Phase.LIVE if form == Format.LIVE else Phase.ON_DEMAND,
        coverage=((0, 3000),), clock=((at, end),), first_beat_at=at, last_beat_at=end,
    )  # fmt: skip
    Attempt.objects.create(
        quiz=quiz, user=person, number=1, seed=1, paper={"sections": [], "items": []}, state=AttemptState.MARKED,
        started_at=end, submitted_at=end, ended_by="person", most_points=Decimal(10), score=Decimal(8),
        is_passed=True, counts=True,
    )  # fmt: skip
    answer(evaluation, person, at.date())
    disclose(activity, person, at)
    accredited = AccreditationFactory.create(activity=activity, **accreditation)
    line = grant(accreditation=accredited, user=person, took_part_on=at.date(), made_at=at, at=at)
    assert line.claim is not None
    ClaimEvidence.objects.create(entry=line, evidence={"watched_seconds": 3000}, decision={"credit": "0.75"})
    certificate = certify(line.claim, at=at)
    return Audited(activity, person, line.claim, line, certificate)


def answer(evaluation: Evaluation, person: User, on: date) -> None:
    assert evaluation.form is not None
    EvaluationReceipt.objects.create(evaluation=evaluation, user=person, answered_on=on)
    response = EvaluationResponse.objects.create(
        evaluation=evaluation, form=evaluation.form, answered_on=on, user=None if evaluation.is_anonymous else person
    )
    for question in evaluation.form.questions.all():
        if question.kind == "likert":
            EvaluationAnswer.objects.create(response=response, question=question, number=5)
        elif question.kind == "text":
            EvaluationAnswer.objects.create(response=response, question=question, text="=SECRET-WORDS()")


def disclose(activity: Activity, person: User, at: datetime) -> None:
    presenter = DiscloserFactory.create(programme=activity.lesson.course.programme, name="Dr Chair")
    Contributor.objects.create(activity=activity, person=presenter, role=ContributorRole.PRESENTER)
    before = at - timedelta(days=30)
    stated = Disclosure.objects.create(
        person=presenter, interests=[{"company": "Acme Pharma", "relationship": "speaker", "ended": False}],
        covers_from=before.date() - timedelta(days=730), covers_until=before.date(), signed_name="Dr Chair",
        made_at=before,
    )  # fmt: skip
    DisclosureReview.objects.create(
        disclosure=stated, decision=ReviewDecision.MITIGATED, mitigation="Slides reviewed by two others",
        reviewed_at=before,
    )  # fmt: skip
    sheet = DisclosureSheet.objects.create(
        activity=activity, digest=activity.pk.to_bytes(32), content={"people": ["Dr Chair"]}, made_at=before
    )
    Acknowledgement.objects.create(user=person, sheet=sheet, shown_at=before, acknowledged_at=before)


def certify(claim: Claim, *, at: datetime, file: bool = True) -> Certificate:
    """Issued, without a PDF in the storage: `file` is the row of one."""
    CertificateTemplateFactory.create(programme=claim.programme)
    made = issue(of=claim, now=at)
    if file:
        digest = b"f" * 32
        CertificateFile.objects.create(
            certificate=made, sha256=digest, size_bytes=40_000, stored_as=f"certificates/{made.public_id}.pdf",
            made_at=at, signature=key_named(made.key_fingerprint).private.sign(note_of(made, sha256=digest)),
        )  # fmt: skip
    return made
