"""A programme as sponsors see it: forty doctors came to a lecture three days ago, six of them agreed to be named."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from analytics.domain.sharing.consent import agree, wording_of
from assessments.models import Evaluation, EvaluationReceipt, EvaluationResponse
from courses.models import Course, Enrolment
from tests.analytics.lecture_world import well_visited
from tests.factories.courses import RoleGrantFactory
from webinars.models import WatchRecord, Webinar

AGO = timedelta(days=3)


def well_shared(course: Course, *, named: int = 6) -> Webinar:
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    webinar = well_visited(course, presenter)
    backdate(course)
    for user in doctors_of(course)[:named]:
        agree(user=user, programme=course.programme, wording=wording_of(course.programme), now=now() - AGO)
    return webinar


def backdate(course: Course) -> None:
    """All that was done in its programme was done three days ago."""
    at, programme = now() - AGO, course.programme
    Enrolment.objects.filter(programme=programme).update(enrolled_at=at, activated_at=at)
    WatchRecord.objects.filter(webinar__in=Webinar.objects.filter(lesson__course__programme=programme)).update(
        first_beat_at=at
    )
    evaluations = Evaluation.objects.filter(lesson__course__programme=programme)
    for model in (EvaluationReceipt, EvaluationResponse):
        model.objects.filter(evaluation__in=evaluations).update(answered_on=at.date())


def doctors_of(course: Course) -> Sequence[User]:
    return list(User.objects.filter(enrolments__programme=course.programme).order_by("pk"))
