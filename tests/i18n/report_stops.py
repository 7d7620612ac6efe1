"""The stops of the tour at pages of numbers."""

from django.utils.timezone import now

from accounts.enums import Role
from analytics.models import SharingConsent
from tests.analytics.lecture_world import well_visited
from tests.analytics.shared_world import well_shared
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, RoleGrantFactory
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


def shared(tour: Tour) -> None:
    """A sponsor without a programme, one before there are figures, and one whose doctors agreed to be named."""
    newcomer = UserFactory.create()
    course, empty = CourseFactory.create(), CourseFactory.create()
    grant = RoleGrantFactory.create(programme=course.programme, role=Role.SPONSOR)
    early = RoleGrantFactory.create(programme=empty.programme, role=Role.SPONSOR)
    well_shared(course)
    write_greek()
    tour.read(doctors_browser(newcomer), "/shared/", "shared: nothing")
    tour.read(doctors_browser(grant.user), "/shared/", "shared: all")
    tour.read(doctors_browser(early.user), f"/shared/{empty.programme.slug}/", "shared: too early")
    tour.read(doctors_browser(grant.user), f"/shared/{course.programme.slug}/", "shared: one")
    tour.read(doctors_browser(grant.user), "/numbers/", "numbers: definitions")


def sharing(tour: Tour) -> None:
    place, newcomer = EnrolmentFactory.create(), UserFactory.create()
    write_greek()
    tour.read(doctors_browser(newcomer), "/account/sharing/", "sharing: nothing")
    browser = doctors_browser(place.user)
    tour.read(browser, "/account/sharing/", "sharing: not given")
    tour.read(browser, f"/account/sharing/{place.programme.slug}/agree/", "sharing: changed", wording="Other")
    SharingConsent.objects.create(user=place.user, programme=place.programme, wording=GREEK, given_at=now())
    tour.read(browser, "/account/sharing/", "sharing: given")


REPORT_STOPS = (presenting, shared, sharing)
