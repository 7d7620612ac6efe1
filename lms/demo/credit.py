"""An evening with credit, some weeks ago: announced, disclosed, held as a meeting elsewhere, opened as a recording.

Everything goes through the domain with a clock in the past, as with what was watched: what doctors have and lack
follows from what they did. Files of certificates are left to the worker.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.domain.secrets import hash_token
from accounts.models import User
from assessments.domain.evaluations import answer_evaluation
from assessments.models import Evaluation
from certification.domain.activities import accredit, changing, open_activity, save_accreditation, save_activity
from certification.domain.claiming import claim
from certification.domain.disclosures import Interest, ask, newest_of, state
from certification.domain.granting import grant_credits
from certification.domain.issuing import issue_due
from certification.domain.publishing import publish_heads
from certification.domain.reviews import review
from certification.domain.sheets import acknowledge, newest_sheet
from certification.enums import AuthorityKey, Format, RelationshipKind, ReviewDecision
from certification.models import Accreditation, Activity, CertificateTemplate, Discloser, DisclosureRequest
from courses.enums import LessonKind
from courses.models import Lesson, Programme
from webinars.domain.schedule import end_webinar, go_live
from webinars.domain.scheduling import save_schedule
from webinars.domain.visits import join, keep, leave
from webinars.enums import IngestKind
from webinars.models import Webinar

DAYS_AGO = 40
MINUTES = 60
STILL_OPEN = timedelta(seconds=90)
COUNCIL = "maharashtra"
AUTHORITIES = (AuthorityKey.ACCME, AuthorityKey.EACCME, AuthorityKey.ATTENDANCE)
CREDITS = {
    (Format.LIVE, AuthorityKey.ACCME): (Decimal(1), "26-FERT-07"),
    (Format.LIVE, AuthorityKey.EACCME): (Decimal(1), "LEE-26-00417"),
    (Format.ENDURING, AuthorityKey.ACCME): (Decimal("0.75"), "26-FERT-07-E"),
    (Format.ENDURING, AuthorityKey.EACCME): (Decimal("0.5"), "EL-26-00418"),
}
INTERESTS = {
    "Lars Holm": (Interest("Northlight Diagnostics", RelationshipKind.CONSULTING, False),),
    "Nadia Rahman": (),
}
MITIGATION = "Two colleagues without relationships read the slides beforehand. No test is named by its brand."


@dataclass(frozen=True, slots=True)
class Guest:
    """Minutes there, counted from the end: who came late missed the beginning. `asked`: of the ACCME's credit."""

    minutes: int
    gave_feedback: bool = True
    asked: Decimal | None = None


# Meera Nair has credit that is ready to be taken, Yuki Tanaka lacks the feedback, Leila Haddad was there too briefly.
GUESTS = {
    "Meera Nair": Guest(47),
    "Hélène Marchand": Guest(60, asked=Decimal(1)),
    "Sofía Herrera": Guest(60, asked=Decimal("0.75")),
    "Ahmed Mansour": Guest(58),
    "Yuki Tanaka": Guest(52, gave_feedback=False),
    "Leila Haddad": Guest(11),
}


def evening_of(now: datetime) -> datetime:
    return (now - timedelta(days=DAYS_AGO)).replace(hour=19, minute=0, second=0, microsecond=0)


def hold(*, lesson: Lesson, staff: Mapping[str, User], doctors: Mapping[str, User], now: datetime) -> None:
    """From the announcement to the certificates of the evening."""
    evening = evening_of(now)
    operator = staff["Sam Whitfield"]
    webinar = _announce(lesson, moderator=staff["Nadia Rahman"], evening=evening)
    _set_terms(lesson, evening)
    _disclose(lesson.course.programme, reviewer=operator, at=evening - timedelta(days=12))
    live, recording = (Activity.objects.get(lesson=lesson, format=one) for one in (Format.LIVE, Format.ENDURING))
    open_activity(activity=live, actor=operator, now=evening - timedelta(days=10))
    open_activity(activity=recording, actor=operator, now=evening + timedelta(days=1))
    _acknowledge(live, doctors, names=tuple(GUESTS), at=evening - timedelta(minutes=10))
    _meet(webinar, doctors, evening)
    _give_feedback(lesson, doctors, at=evening + timedelta(hours=2))
    _acknowledge(recording, doctors, names=tuple(doctors), at=evening + timedelta(days=2))
    _grant(live, doctors, at=evening + timedelta(days=1))


def create_template(*, programme: Programme) -> CertificateTemplate:
    made: CertificateTemplate = CertificateTemplate.objects.create(
        programme=programme,
        version=1,
        accent="#0a6b5e",
        heading="Certificate of Completion",
        signatories=[
            {"name": "Prof. Lars Holm", "role": "Chair of the education committee"},
            {"name": "Dr Ana Ribeiro", "role": "Course director"},
        ],
    )
    return made


def issue(*, programme: Programme, now: datetime) -> int:
    """All that is due, courses too, and the ledger's head told to the world, as beat does it every day."""
    issued = issue_due(programme=programme, now=now).new
    publish_heads(now=now)
    return issued


def _announce(lesson: Lesson, *, moderator: User, evening: datetime) -> Webinar:
    webinar = Webinar.objects.get(lesson=lesson)
    webinar.starts_at, webinar.planned_minutes = evening, MINUTES
    webinar.ingest, webinar.external_url = IngestKind.EXTERNAL, "https://meet.example/ovarian-reserve"
    save_schedule(webinar=webinar, moderators=[moderator], actor=None, now=evening - timedelta(days=21))
    return webinar


def _set_terms(lesson: Lesson, evening: datetime) -> None:
    """The recording has a test, and counts for what reading and test take, too."""
    at = evening - timedelta(days=14)
    course = lesson.course
    made = accredit(lesson=lesson, formats=Format.values, authorities=AUTHORITIES, actor=None, now=at)
    for activity in made:
        activity.evaluation = course.lessons.get(kind=LessonKind.EVALUATION)
        activity.objectives = "Say what AMH and the follicle count predict, and name two questions they cannot answer."
        if activity.format == Format.ENDURING:
            activity.minutes, activity.assessment = 45, course.lessons.get(kind=LessonKind.QUIZ)
            activity.starts_at, activity.ends_at = evening + timedelta(days=1), evening + timedelta(days=366)
            activity.reviewed_on = (evening + timedelta(days=1)).date()
            activity.sources = "ESHRE guideline on ovarian stimulation; ASRM committee opinion on ovarian reserve."
        with changing(activity_id=activity.pk, now=at):
            save_activity(activity=activity, actor=None, now=at)
        for row in activity.accreditations.select_related("activity__lesson__course__programme"):
            if terms := CREDITS.get((Format(activity.format), AuthorityKey(row.authority))):
                row.credits, row.approval_code = terms
            if activity.assessment_id:  # one number for the test: that which doctors are told there
                row.parameters = {**row.parameters, "pass_percent": "60"}
            if row.authority == AuthorityKey.ATTENDANCE:
                row.parameters = {**row.parameters, "least_percent": "75"}
            save_accreditation(accreditation=row, now=at)
    india = Accreditation(
        activity=made[0],
        authority=AuthorityKey.INDIA,
        council=COUNCIL,
        credits=Decimal(1),
        approval_code="MMC/2026/0831",
        provider=course.programme.society,
    )
    save_accreditation(accreditation=india, now=at)


def _disclose(programme: Programme, *, reviewer: User, at: datetime) -> None:
    """By the personal link, as they did; only the mail is not sent again."""
    for person in Discloser.objects.filter(programme=programme).order_by("pk"):
        token = secrets.token_urlsafe(24)
        asked = ask(person=person, actor=reviewer, now=at)
        DisclosureRequest.objects.filter(pk=asked.pk).update(token_hash=hash_token(token), claimed_at=at, sent_at=at)
        interests = next((one for name, one in INTERESTS.items() if name in person.name), ())
        state(token=token, interests=interests, signed_name=person.name, address=None, now=at + timedelta(hours=5))
        stated = newest_of(person)
        if stated is None:
            raise RuntimeError(f"{person} has stated nothing.")
        decision = ReviewDecision.MITIGATED if interests else ReviewDecision.NONE_RELEVANT
        mitigation = MITIGATION if interests else ""
        review(
            disclosure=stated, decision=decision, mitigation=mitigation, actor=reviewer, now=at + timedelta(hours=20)
        )


def _acknowledge(activity: Activity, doctors: Mapping[str, User], *, names: tuple[str, ...], at: datetime) -> None:
    sheet = newest_sheet(activity)
    if sheet is None:
        raise RuntimeError(f"{activity} has no disclosures to read.")
    for name in names:
        acknowledge(user=doctors[name], sheet=sheet, shown_at=at - timedelta(seconds=40), now=at)


def _meet(webinar: Webinar, doctors: Mapping[str, User], evening: datetime) -> None:
    """Their pages said all the time that they were still open."""
    go_live(webinar_id=webinar.pk, actor=None, now=evening)
    webinar.refresh_from_db()
    over = evening + timedelta(minutes=MINUTES)
    for name, guest in GUESTS.items():
        user, at = doctors[name], over - timedelta(minutes=guest.minutes)
        join(webinar=webinar, user=user, now=at)
        while (at := at + STILL_OPEN) < over:
            keep(webinar=webinar, user=user, now=at)
        leave(webinar=webinar, user=user, now=over)
    end_webinar(webinar_id=webinar.pk, actor=None, now=over)


def _give_feedback(lesson: Lesson, doctors: Mapping[str, User], *, at: datetime) -> None:
    """What they found is not told apart: every scale's best but one, and every list's first."""
    evaluation = Evaluation.objects.get(lesson__course=lesson.course)
    if evaluation.form is None:
        raise RuntimeError("The feedback has no form.")
    given = {question.pk: 1 for question in evaluation.form.questions.filter(is_required=True)}
    for name, guest in GUESTS.items():
        if guest.gave_feedback:
            answer_evaluation(evaluation=evaluation, user=doctors[name], given=given, now=at)


def _grant(live: Activity, doctors: Mapping[str, User], *, at: datetime) -> None:
    """Most is granted by the sweep; the ACCME's credit is asked for by the doctors themselves."""
    grant_credits(now=at, everybody=True)
    accme = live.accreditations.select_related("activity__lesson__course__programme").get(authority=AuthorityKey.ACCME)
    for name, guest in GUESTS.items():
        if guest.asked is not None:
            claim(accreditation=accme, user=doctors[name], asked=guest.asked, now=at)
