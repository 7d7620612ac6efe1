"""An accredited lecture that lacks only its presenter's disclosure, with who presents, edits and reads it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any


def build_disclosures(lecture: Any) -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.enums import Role
    from certification.domain.activities import accredit, save_accreditation, save_activity
    from tests.e2e.marking_world import _cookie, _person
    from tests.factories.assessments import make_evaluation, make_quiz
    from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
    from tests.factories.webinars import WebinarFactory

    programme = ProgrammeFactory.create(slug="disclosing", title="Ovarian reserve, accredited")
    course = CourseFactory.create(programme=programme, title="What AMH tells")
    lesson = LessonFactory.create(course=course, title="AMH: reserve and reality")
    webinar = WebinarFactory.create(lesson=lesson, video=lecture)
    people = {
        name: _person(name, programme, role)
        for name, role in (("credit-presenter", Role.PRESENTER), ("credit-office", Role.MODERATOR))
    }
    webinar.presenters.add(people["credit-presenter"])
    people["credit-doctor"] = _person("credit-doctor", ProgrammeFactory.create(title="Another one"), Role.PRESENTER)
    EnrolmentFactory.create(user=people["credit-doctor"], programme=programme)
    (activity,) = accredit(lesson=lesson, formats=["enduring"], authorities=["accme"], actor=None, now=now())
    activity.starts_at, activity.ends_at = now() - timedelta(hours=1), now() + timedelta(days=365)
    activity.minutes = 30
    quiz = make_quiz(lesson=LessonFactory.create(course=course, kind="quiz"), pass_percent=Decimal(70))
    activity.assessment = quiz.lesson
    activity.objectives = "Say what AMH predicts.\n\nName two questions that it cannot answer."
    activity.sources = "ESHRE guideline on ovarian stimulation, 2019.\nASRM committee opinion on ovarian reserve, 2020."
    activity.evaluation = make_evaluation(lesson__course=course, about=lesson).lesson
    save_activity(activity=activity, actor=None, now=now())
    row = activity.accreditations.get()
    row.credits = Decimal("0.5")
    save_accreditation(accreditation=row, now=now())
    return {
        "activity": activity.pk,
        "webinar": webinar.pk,
        "discloser": activity.contributors.get().person_id,
        "presenter": people["credit-presenter"].email,
        "people": {name: _cookie(person) for name, person in people.items()},
    }
