"""A webinar that is live, for the browser tests of its numbers.

`python -m tests.e2e.numbers_live_world arrive <webinar>` lets one more doctor watch it; `end` ends it.
"""

import json
import sys
from datetime import timedelta
from typing import Any


def build_live_numbers(presenter: Any) -> int:
    from django.utils.timezone import now

    from accounts.enums import Role
    from tests.factories.courses import CourseFactory, LessonFactory, RoleGrantFactory
    from tests.factories.webinars import WebinarFactory
    from tests.webinars.on_air import make_live

    course = CourseFactory.create(title="Adenomyosis")
    RoleGrantFactory.create(user=presenter, programme=course.programme, role=Role.PRESENTER)
    lesson = LessonFactory.create(course=course, title="Adenomyosis, live")
    webinar = make_live(epoch=now() - timedelta(minutes=20), webinar=WebinarFactory.create(lesson=lesson))
    webinar.presenters.add(presenter)
    for _ in range(2):
        arrive(webinar.pk)
    _earlier(course, presenter)
    return webinar.pk


def _earlier(course: Any, presenter: Any) -> None:
    """Two lectures of that presenter of which something was thought: then there is a trend."""
    from tests.assessments.feedback import hand_in
    from tests.factories.assessments import make_evaluation
    from tests.factories.courses import LessonFactory
    from tests.factories.webinars import WebinarFactory
    from tests.webinars.watching import NOON

    for weeks, answers in ((12, (3, 4, 3, 4, 4, 3)), (5, (4, 4, 4, 5, 4, 3))):
        webinar = WebinarFactory.create(
            lesson=LessonFactory.create(course=course), starts_at=NOON - timedelta(weeks=weeks)
        )
        webinar.presenters.add(presenter)
        evaluation = make_evaluation(lesson__course=course, about=webinar.lesson)
        for answer in answers:
            hand_in(evaluation, answer, answer, 9, 0, [0], "")


def arrive(webinar_id: int) -> None:
    """As the group commit and the minute's refresh write it."""
    from django.utils.timezone import now

    from analytics.domain.rollups.refreshing import refresh
    from tests.factories.courses import EnrolmentFactory
    from tests.factories.webinars import WatchRecordFactory
    from webinars.enums import Phase
    from webinars.models import Webinar

    webinar = Webinar.objects.get(pk=webinar_id)
    doctor = EnrolmentFactory.create(programme=webinar.lesson.course.programme).user
    began, until = now() - timedelta(minutes=5), now()
    WatchRecordFactory.create(
        user=doctor, webinar=webinar, phase=Phase.LIVE, coverage=((900, 1200),), clock=[(began, until)],
        first_beat_at=began, last_beat_at=until,
    )  # fmt: skip
    refresh(webinar_id=webinar.pk, now=until)


def main(what: str, webinar_id: str) -> None:
    from django.utils.timezone import now

    from webinars.domain.schedule import end_webinar

    if what == "arrive":
        arrive(int(webinar_id))
    else:
        end_webinar(webinar_id=int(webinar_id), actor=None, now=now())
    print(json.dumps({}))


if __name__ == "__main__":
    import django

    django.setup()
    main(*sys.argv[1:])
