"""A doctor of whom there is everything to tell."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from assessments.models import Attempt
from courses.enums import EnrolmentStatus, LessonKind
from courses.models import CourseCompletion, Enrolment, LessonCompletion
from tests.assessments.ranked import marked
from tests.factories.assessments import make_quiz
from tests.factories.certification import grant
from tests.factories.courses import LessonFactory
from tests.webinars.watching import NOON, make_enrolment, open_player, send
from webinars.models import PlaySession

LATER = NOON + timedelta(hours=2)


def doctor(**fields: Any) -> Enrolment:
    enrolment = make_enrolment()
    Enrolment.objects.filter(pk=enrolment.pk).update(**fields)
    enrolment.refresh_from_db()
    return enrolment


def watched(enrolment: Enrolment | None = None, *spans: tuple[float, float], seconds: float = 600) -> PlaySession:
    """A lecture of ten minutes, from noon on; as it is played, so fast as beats may come."""
    session = open_player(enrolment=enrolment or doctor(), seconds=seconds)
    for start, end in spans or ((0.0, 120.0),):
        send(session, (start, end), after=end + 1)
    return session


def everything() -> Enrolment:
    """An opening, ten minutes watched to the end, a lesson, a course, a programme, a test passed, credit."""
    enrolment = doctor(completed_at=NOON, status=EnrolmentStatus.COMPLETED)
    session = watched(enrolment, (0.0, 300.0), (300.0, 600.0))
    lesson = session.webinar.lesson
    LessonCompletion.objects.get_or_create(user=enrolment.user, lesson=lesson, defaults={"completed_at": NOON})
    CourseCompletion.objects.get_or_create(user=enrolment.user, course=lesson.course, defaults={"completed_at": NOON})
    quiz_lesson = LessonFactory.create(course=lesson.course, position=9, kind=LessonKind.QUIZ)
    quiz = make_quiz(items=1, lesson=quiz_lesson, pass_percent=Decimal(50))
    attempt = marked(quiz, 8, user=enrolment.user)
    Attempt.objects.filter(pk=attempt.pk).update(started_at=NOON, submitted_at=LATER, is_passed=True)
    with transaction.atomic():
        grant(user=enrolment.user, accreditation__activity__lesson=lesson)
    return enrolment
