"""The stops of the tour at pages of numbers."""

from typing import Any

from django.utils.timezone import now

from accounts.enums import Role
from accounts.models import User
from analytics.domain.learning import LEAST_COHORT
from analytics.domain.rollups.refreshing import refresh
from analytics.models import SharingConsent
from assessments.models import EvaluationAnswer
from courses.models import Course, Enrolment, Programme
from reminders.enums import Channel, DeliveryState, Kind
from tests.analytics.lecture_world import examined, well_visited
from tests.analytics.quality_world import play_badly, tell_of_play
from tests.analytics.shared_world import well_shared
from tests.factories.accounts import UserFactory
from tests.factories.certification import grant as grant_credit
from tests.factories.courses import CohortFactory, CourseFactory, EnrolmentFactory, RoleGrantFactory
from tests.i18n.tour import DAY, GREEK, Tour, doctors_browser, write_greek
from tests.pages.world import World, complete, make_world, watch
from tests.reminders.factories import DeliveryFactory
from tests.stage.doors import open_door
from webinars.enums import PollState
from webinars.models import Chapter, Poll, PollOption, SpotRequest, Webinar


def presenting(tour: Tour) -> None:
    newcomer = UserFactory.create()
    course = CourseFactory.create()
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    webinar = well_visited(course, presenter)
    examined(webinar, items=11, name=GREEK)
    _ask_more(webinar)
    Chapter.objects.update(title=GREEK)
    Poll.objects.update(question=GREEK)
    PollOption.objects.update(text=GREEK)
    EvaluationAnswer.objects.exclude(text="").update(text=GREEK)
    write_greek()
    tour.read(doctors_browser(newcomer), "/presenting/", "presenting: nothing")
    tour.read(doctors_browser(presenter), "/presenting/", "presenting: all")
    tour.read(doctors_browser(presenter), f"/presenting/{webinar.pk}/", "presenting: one")


def _ask_more(webinar: Webinar) -> None:
    """More polls than the page of all lectures has room for."""
    at = webinar.live_at
    Poll.objects.bulk_create(
        Poll(webinar=webinar, question=GREEK, state=PollState.CLOSED, opened_at=at, closed_at=at) for _ in range(10)
    )


def playing(tour: Tour) -> None:
    """Before any player told anything, with a week of it, and while it is live, here well and there badly."""
    course, empty = CourseFactory.create(), CourseFactory.create()
    presenter = RoleGrantFactory.create(programme=course.programme, role=Role.PRESENTER).user
    webinar = well_visited(course, presenter)
    office = [RoleGrantFactory.create(programme=one.programme, role=Role.MODERATOR).user for one in (course, empty)]
    tell_of_play(webinar)
    play_badly(empty)
    write_greek()
    address = f"/reports/{course.programme.slug}/quality/"
    tour.read(doctors_browser(office[0]), address, "quality: days")
    tour.read(doctors_browser(office[0]), f"{address}?webinar={webinar.pk}&phase=live", "quality: minutes")
    tour.read(doctors_browser(office[1]), f"/reports/{empty.programme.slug}/quality/", "quality: nothing, live")


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


def own_progress(tour: Tour) -> None:
    """In every state of a programme, with every kind of forecast, and compared or not."""
    ago, ahead = now() - DAY, now() + DAY
    windows: dict[str, dict[str, Any]] = {"new": {}, "later": {"opens_at": ahead}, "ended": {"closes_at": ago}}
    for label, window in windows.items():
        world = make_world(2, **window)
        _read_progress(tour, label, world, world.doctor())
    world = make_world(0)
    _read_progress(tour, "being prepared", world, world.doctor())
    world = make_world(3)
    first, second, third = world.courses
    finished, doctor = world.doctor(), world.doctor()
    complete(finished, *world.courses)
    _read_progress(tour, "finished", world, finished)
    Enrolment.objects.filter(user=finished).update(status="active", completed_at=None)
    _read_progress(tour, "finished a moment ago", world, finished)
    complete(doctor, first, at=now() - 7 * DAY)
    lesson = first.lessons.get()
    grant_credit(user=doctor, lesson=lesson, accreditation__activity__lesson=lesson)
    begin = now() - 8 * DAY
    watch(doctor, second, (0, 1800), clock=[(begin, begin + DAY / 48)])
    _read_progress(tour, "a day", world, doctor)
    Programme.objects.filter(pk=world.programme.pk).update(closes_at=now() + 9 * DAY)
    _read_progress(tour, "too late", world, doctor)
    complete(doctor, second)
    Course.objects.filter(pk=third.pk).update(opens_at=now() + 20 * DAY)
    _read_progress(tour, "opens after the end", world, doctor)
    Course.objects.filter(pk=third.pk).update(opens_at=None, closes_at=ago)
    _read_progress(tour, "closed", world, doctor)
    Course.objects.filter(pk=third.pk).update(closes_at=None)
    Programme.objects.filter(pk=world.programme.pk).update(closes_at=None)
    watch(doctor, third, (0, 3600), reached_at=now())
    _read_progress(tour, "only a test", world, doctor)
    _compared(tour)


def _compared(tour: Tour) -> None:
    world = make_world(3)
    doctor = world.doctor(compares_progress=True)
    begin = now() - DAY
    watch(doctor, world.courses[0], (0, 60), clock=[(begin, begin + DAY / 1440)])
    _read_progress(tour, "compared, too few; years away", world, doctor)
    colleagues = [world.doctor() for _ in range(LEAST_COHORT)]
    _read_progress(tour, "compared, nobody has begun", world, doctor)
    complete(doctor, *world.courses[:2])
    for colleague in colleagues:
        complete(colleague, world.courses[0])
    _read_progress(tour, "compared with the programme", world, doctor)
    Enrolment.objects.filter(programme=world.programme).update(
        cohort=CohortFactory.create(programme=world.programme, name=GREEK)
    )
    _read_progress(tour, "compared with a group", world, doctor)


def _read_progress(tour: Tour, label: str, world: World, user: User) -> None:
    write_greek()
    tour.read(doctors_browser(user), f"/progress/{world.programme.slug}/", f"progress: {label}")


def operating(tour: Tour) -> None:
    operator = RoleGrantFactory.create(programme=None, role=Role.OPERATOR).user
    write_greek()
    tour.read(doctors_browser(operator), "/reports/", "reports: no programme")
    empty = make_world(0)
    busy = make_world(2)
    _read_reports(tour, "nothing yet", empty, operator)
    webinar = well_visited(busy.courses[0], UserFactory.create())
    refresh(webinar_id=webinar.pk, now=now(), whole=True)
    door = open_door(webinar)
    SpotRequest.objects.create(window=door, email="a@example.org", ticket="t", created_at=now())
    early = now() - 60 * DAY
    DeliveryFactory.create(programme=busy.programme, kind=Kind.LIVE, channel=Channel.INBOX, state=DeliveryState.SENT)
    for _ in range(51):
        EnrolmentFactory.create(programme=busy.programme, status="invited", enrolled_at=early)
    Enrolment.objects.filter(status="active").update(activated_at=early)
    _read_reports(tour, "under way", busy, operator)
    path = f"/reports/{busy.programme.slug}/at-risk/?reason=never_came"
    tour.read(doctors_browser(operator), path, "at risk: one reason")
    tour.read(doctors_browser(operator), f"{path}&page=2", "at risk: another page")


def _read_reports(tour: Tour, label: str, world: World, user: User) -> None:
    write_greek()
    browser = doctors_browser(user)
    tour.read(browser, "/reports/", f"reports: {label}")
    tour.read(browser, f"/reports/{world.programme.slug}/", f"report: {label}")
    tour.read(browser, f"/reports/{world.programme.slug}/at-risk/", f"at risk: {label}")


REPORT_STOPS = (presenting, playing, shared, sharing, own_progress, operating)
