"""The stops of the tour at pages of numbers."""

from accounts.enums import Role
from tests.analytics.lecture_world import well_visited
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, RoleGrantFactory
from tests.i18n.tour import GREEK, Tour, doctors_browser, write_greek
from webinars.models import Chapter, Poll, PollOption


def presenting(tour: Tour) -> None:
    newcomer = UserFactory.create()
    course = CourseFactory.create()
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    webinar = well_visited(course, presenter)
    Chapter.objects.update(title=GREEK)
    Poll.objects.update(question=GREEK)
    PollOption.objects.update(text=GREEK)
    write_greek()
    tour.read(doctors_browser(newcomer), "/presenting/", "presenting: nothing")
    tour.read(doctors_browser(presenter), "/presenting/", "presenting: all")
    tour.read(doctors_browser(presenter), f"/presenting/{webinar.pk}/", "presenting: one")


REPORT_STOPS = (presenting,)
