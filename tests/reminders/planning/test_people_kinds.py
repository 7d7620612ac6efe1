"""What follows from a doctor's own steps, and what all hear: invitations, feedback, thanks, weeks, the end."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from accounts.models import Invitation
from assessments.models import EvaluationReceipt
from courses.enums import EnrolmentStatus
from courses.models import Cohort, CourseCompletion, Enrolment, LessonCompletion, Programme
from reminders.domain.planning import plan
from reminders.enums import Kind
from reminders.models import Delivery
from tests.factories.assessments import EvaluationFactory
from tests.factories.courses import LessonFactory
from tests.reminders.factories import NOW, JourneyFactory, Scene, scene

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def planned() -> list[tuple[int, str, str, str, datetime]]:
    rows = Delivery.objects.order_by("due_at", "user_id", "pk")
    return [(one.user_id, one.kind, one.subject, one.slot, one.due_at) for one in rows]


def on(found: Scene, kind: Kind, minutes: int = 0, local_time: time | None = None) -> None:
    JourneyFactory.create(programme=found.programme, kind=kind, offset_minutes=minutes, local_time=local_time)


def test_who_has_not_come_yet_is_nudged_until_they_come() -> None:
    found = scene(doctors=4, enrolled_at=NOW - 3 * DAY)
    on(found, Kind.INVITATION_NUDGE, 3 * 1440)
    waits, came, revoked, not_sent = found.doctors
    Enrolment.objects.exclude(user=came).update(status=EnrolmentStatus.INVITED, activated_at=None)
    for doctor, values in (
        (waits, {"sent_at": NOW - 3 * DAY}), (came, {"sent_at": NOW - 3 * DAY, "used_at": NOW - 2 * DAY}),
        (revoked, {"sent_at": NOW - 3 * DAY, "revoked_at": NOW - DAY}), (not_sent, {}),
    ):  # fmt: skip
        Invitation.objects.create(
            user=doctor,
            token_hash=f"{doctor.pk}".encode(),
            created_at=NOW - 3 * DAY,
            expires_at=NOW + 30 * DAY,
            **values,
        )
    plan(now=NOW)
    assert planned() == [(waits.pk, "invitation_nudge", f"programme/{found.programme.pk}", "", NOW)]


def test_a_resent_invitation_counts_from_the_first() -> None:
    found = scene(enrolled_at=NOW - 10 * DAY)
    on(found, Kind.INVITATION_LAST, 10 * 1440)
    Enrolment.objects.update(status=EnrolmentStatus.INVITED, activated_at=None)
    doctor = found.doctors[0]
    for days, revoked in ((10, NOW - DAY), (1, None)):
        at = NOW - days * DAY
        Invitation.objects.create(
            user=doctor,
            token_hash=b"%d" % days,
            created_at=at,
            sent_at=at,
            expires_at=NOW + 30 * DAY,
            revoked_at=revoked,
        )
    plan(now=NOW)
    assert planned() == [(doctor.pk, "invitation_last", f"programme/{found.programme.pk}", "", NOW)]


def test_feedback_is_asked_for_where_none_was_given() -> None:
    found = scene(doctors=3)
    on(found, Kind.EVALUATION, 120)
    lesson = LessonFactory.create(course=found.webinar.lesson.course, kind="evaluation")
    evaluation = EvaluationFactory.create(lesson=lesson, about=found.webinar.lesson)
    silent, answered, absent = found.doctors
    for doctor in (silent, answered):
        LessonCompletion.objects.create(user=doctor, lesson=found.webinar.lesson, completed_at=NOW - timedelta(hours=2))
    EvaluationReceipt.objects.create(evaluation=evaluation, user=answered, answered_on=date(2027, 1, 12))
    plan(now=NOW)
    assert planned() == [(silent.pk, "evaluation", f"lesson/{lesson.pk}", "", NOW)]
    assert absent.pk != silent.pk


def test_feedback_about_a_course_waits_for_all_of_it() -> None:
    found = scene(doctors=2)
    on(found, Kind.EVALUATION)
    course = found.webinar.lesson.course
    second = LessonFactory.create(course=course)
    LessonFactory.create(course=course, is_required=False)
    lesson = LessonFactory.create(course=course, kind="evaluation")
    EvaluationFactory.create(lesson=lesson, about=None)
    done, half = found.doctors
    for doctor, lessons in ((done, (found.webinar.lesson, second)), (half, (second,))):
        for number, one in enumerate(lessons):
            LessonCompletion.objects.create(user=doctor, lesson=one, completed_at=NOW - timedelta(minutes=number))
    plan(now=NOW)
    assert planned() == [(done.pk, "evaluation", f"lesson/{lesson.pk}", "", NOW)]


@pytest.mark.parametrize("about_course", [False, True])
def test_a_form_that_opens_long_after_is_asked_for_when_it_opens(about_course: bool) -> None:
    found = scene(doctors=2)
    on(found, Kind.EVALUATION, 30)
    course = found.webinar.lesson.course
    lesson = LessonFactory.create(course=course, kind="evaluation", opens_at=NOW)
    EvaluationFactory.create(lesson=lesson, about=None if about_course else found.webinar.lesson)
    long_ago, later = found.doctors
    LessonCompletion.objects.create(user=long_ago, lesson=found.webinar.lesson, completed_at=NOW - 60 * DAY)
    LessonCompletion.objects.create(user=later, lesson=found.webinar.lesson, completed_at=NOW + timedelta(minutes=10))
    plan(now=NOW - timedelta(minutes=1))
    assert planned() == []
    for minutes in (15, 30):
        plan(now=NOW + timedelta(minutes=minutes))
    subject = f"lesson/{lesson.pk}"
    assert planned() == [
        (long_ago.pk, "evaluation", subject, "", NOW + timedelta(minutes=30)),
        (later.pk, "evaluation", subject, "", NOW + timedelta(minutes=40)),
    ]
    Delivery.objects.all().delete()
    plan(now=NOW + 6 * DAY)  # switched on that late, it asks nobody
    assert planned() == []


def test_thanks_for_a_course_once_and_in_the_evening() -> None:
    found = scene(doctors=2)
    on(found, Kind.COURSE_COMPLETED, 0, time(18))
    course = found.webinar.lesson.course
    CourseCompletion.objects.create(user=found.doctors[0], course=course, completed_at=NOW)  # 17:30 in Kolkata
    for minutes in (0, 15, 30, 45):
        plan(now=NOW + timedelta(minutes=minutes))
    assert planned() == [
        (found.doctors[0].pk, "course_completed", f"course/{course.pk}", "", NOW + timedelta(minutes=30))
    ]


def test_what_was_completed_long_ago_is_not_thanked_for_when_the_journey_is_switched_on() -> None:
    found = scene()
    CourseCompletion.objects.create(
        user=found.doctors[0], course=found.webinar.lesson.course, completed_at=NOW - 4 * DAY
    )
    on(found, Kind.COURSE_COMPLETED)
    plan(now=NOW)
    assert planned() == []


def test_every_week_on_their_own_monday_until_it_is_done() -> None:
    found = scene(doctors=3, zones=["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
    on(found, Kind.WEEKLY_PROGRESS, 0, time(9))
    early, late, done = found.doctors
    Enrolment.objects.filter(user=done).update(status=EnrolmentStatus.COMPLETED, completed_at=NOW)
    moment = datetime(2027, 1, 17, 0, 0, tzinfo=UTC)
    while moment < datetime(2027, 1, 26, 0, 0, tzinfo=UTC):
        plan(now=moment)
        moment += timedelta(hours=1)
    subject = f"programme/{found.programme.pk}"
    assert planned() == [
        (early.pk, "weekly_progress", subject, "2027-W03", datetime(2027, 1, 17, 19, 0, tzinfo=UTC)),
        (late.pk, "weekly_progress", subject, "2027-W03", datetime(2027, 1, 18, 20, 0, tzinfo=UTC)),
        (early.pk, "weekly_progress", subject, "2027-W04", datetime(2027, 1, 24, 19, 0, tzinfo=UTC)),
        (late.pk, "weekly_progress", subject, "2027-W04", datetime(2027, 1, 25, 20, 0, tzinfo=UTC)),
    ]


def test_a_certificate_is_told_of_but_not_one_that_was_revoked_or_replaced() -> None:
    from certification.domain.issuing import issue, revoke
    from certification.models import Certificate
    from reminders.models import MessagePolicy
    from tests.certification.earned import claim_of, issuing_programme
    from tests.reminders.factories import MessagePolicyFactory

    programme = issuing_programme()
    MessagePolicyFactory.create(programme=programme)
    assert MessagePolicy.objects.count() == 1
    claims = [claim_of(programme) for _ in range(2)]
    made = [issue(of=claim, now=NOW) for claim in claims]
    assert made
    kept, gone = Certificate.objects.order_by("pk")
    revoke(certificate=gone, reason="A mistake", actor=None, now=NOW)
    for one in claims:
        Enrolment.objects.get_or_create(
            user=one.user, programme=programme,
            defaults={"status": "active", "enrolled_at": NOW - DAY, "activated_at": NOW - DAY},
        )  # fmt: skip
    JourneyFactory.create(programme=programme, kind=Kind.CERTIFICATE_READY, offset_minutes=0)
    plan(now=NOW)
    assert planned() == [(kept.user_id, "certificate_ready", f"certificate/{kept.pk}", "", NOW)]


def test_the_end_of_the_programme_is_the_cohorts_own() -> None:
    found = scene(doctors=3)
    on(found, Kind.PROGRAMME_CLOSING, -14 * 1440)
    whole, group, done = found.doctors
    Programme.objects.filter(pk=found.programme.pk).update(closes_at=NOW + 14 * DAY)
    cohort = Cohort.objects.create(programme=found.programme, name="Spring", closes_at=NOW + 10 * DAY)
    Enrolment.objects.filter(user=group).update(cohort=cohort)
    Enrolment.objects.filter(user=done).update(status=EnrolmentStatus.COMPLETED, completed_at=NOW)
    plan(now=NOW - 4 * DAY)
    plan(now=NOW)
    subject = f"programme/{found.programme.pk}"
    assert planned() == [
        (group.pk, "programme_closing", subject, "2027-01-22T12:00Z", NOW - 4 * DAY),
        (whole.pk, "programme_closing", subject, "2027-01-26T12:00Z", NOW),
    ]
