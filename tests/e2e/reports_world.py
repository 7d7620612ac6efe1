"""A lecture with a week of numbers, for the browser tests, and who reads them."""

from datetime import timedelta
from typing import Any


def build_reports() -> dict[str, Any]:
    from django.utils.timezone import now

    from accounts.enums import Role
    from analytics.domain.rollups.refreshing import refresh
    from tests.analytics.lecture_world import examined, well_visited
    from tests.analytics.quality_world import tell_of_play
    from tests.e2e.marking_world import _cookie, _person
    from tests.e2e.numbers_live_world import build_live_numbers
    from tests.e2e.shared_world import build_shared
    from tests.factories.courses import CourseFactory, EnrolmentFactory, ProgrammeFactory

    programme = ProgrammeFactory.create(slug="counted", title="Fertility, counted")
    presenter = _person("reports-presenter", programme, Role.PRESENTER)
    course = CourseFactory.create(programme=programme, title="Endometriosis")
    webinar = well_visited(course, presenter)
    examined(webinar)
    refresh(webinar_id=webinar.pk, now=now(), whole=True)
    tell_of_play(webinar)
    moderator = _person("reports-moderator", programme, Role.MODERATOR)
    for _ in range(7):
        EnrolmentFactory.create(programme=programme, status="invited", enrolled_at=now() - timedelta(days=40))
    _fill_a_week(programme)
    _write_to(programme)
    _ask_at_doors(programme)
    return {
        "webinar": webinar.pk,
        "live": build_live_numbers(presenter),
        "shared": build_shared(),
        "progress": "ten-courses",
        "people": {
            "presenter": _cookie(presenter),
            "moderator": _cookie(moderator),
            "learner": _cookie(_learner()),
        },
    }


def _fill_a_week(programme: Any) -> None:
    """A second lecture, which is watched in the evenings and at noon of many days; some have completed it all."""
    from django.utils.timezone import now

    from analytics.domain.rollups.refreshing import refresh
    from courses.models import Enrolment
    from tests.factories.courses import CourseFactory, LessonFactory
    from tests.factories.webinars import WatchRecordFactory, WebinarFactory

    course = CourseFactory.create(programme=programme, title="Polycystic ovaries")
    lesson = LessonFactory.create(course=course, title="Polycystic ovaries: the first steps")
    webinar = WebinarFactory.create(lesson=lesson)
    midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
    places = Enrolment.objects.filter(programme=programme, status="active").order_by("pk")[:30]
    for number, place in enumerate(places):
        hour = (12, 15, 14, 16, 6, 15)[number % 6]
        begin = midnight - timedelta(days=1 + number % 13) + timedelta(hours=hour, minutes=7 * (number % 8))
        length = 900 + 97 * (number % 20)
        WatchRecordFactory.create(
            user=place.user,
            webinar=webinar,
            coverage=((0, length),),
            clock=[(begin, begin + timedelta(seconds=length))],
            first_beat_at=begin,
            last_beat_at=begin + timedelta(seconds=length),
        )
        if number % 3 == 0:
            Enrolment.objects.filter(pk=place.pk).update(status="completed", completed_at=now() - timedelta(days=1))
    refresh(webinar_id=webinar.pk, now=now(), whole=True)


def _ask_at_doors(programme: Any) -> None:
    """At two webinars on the day."""
    from django.utils.timezone import now

    from tests.stage.doors import open_door
    from webinars.enums import SpotState
    from webinars.models import SpotRequest, Webinar

    for number, webinar in enumerate(Webinar.objects.filter(lesson__course__programme=programme).order_by("pk")):
        door = open_door(webinar)
        for asked in range(9 - 4 * number):
            state = list(SpotState)[asked * (number + 1) % len(SpotState)]
            SpotRequest.objects.create(
                window=door,
                email=f"door-{door.pk}-{asked}@example.org",
                ticket=f"reports-{door.pk}-{asked}",
                state=state,
                decided_at=None if state == SpotState.PENDING else now(),
                created_at=now(),
            )


def _write_to(programme: Any) -> None:
    """Messages of three kinds by three channels, of which some came back and some were opened."""
    from django.utils.timezone import now

    from courses.models import Enrolment
    from reminders.enums import Channel, DeliveryState, Kind, SkipReason
    from tests.reminders.factories import DeliveryFactory

    at = now() - timedelta(days=3)
    ways = ((Kind.DAY_BEFORE, Channel.EMAIL), (Kind.LIVE, Channel.INBOX), (Kind.LIVE, Channel.SMS))
    for number, place in enumerate(Enrolment.objects.filter(programme=programme).order_by("pk")):
        for kind, channel in ways[: 1 + number % 3]:
            state = DeliveryState.SENT
            if number % 11 == 5:
                state = DeliveryState.SKIPPED if channel == Channel.SMS else DeliveryState.FAILED
            is_sent = state == DeliveryState.SENT
            DeliveryFactory.create(
                programme=programme,
                user=place.user,
                kind=kind,
                channel=channel,
                subject="webinar/1",
                due_at=at,
                state=state,
                skip_reason=SkipReason.NO_ADDRESS if state == DeliveryState.SKIPPED else "",
                delivered_at=at if is_sent and channel != Channel.SMS else None,
                bounced_at=at if is_sent and channel == Channel.EMAIL and number % 13 == 4 else None,
                read_at=at if is_sent and channel != Channel.SMS and number % 2 else None,
                followed_at=at if is_sent and number % 3 == 1 else None,
            )


def _learner() -> Any:
    """In the middle of ten courses, with weeks behind, some credit and colleagues."""
    from django.db import transaction
    from django.utils.timezone import now

    from analytics.domain.learning import LEAST_COHORT
    from certification.enums import AuthorityKey
    from tests.factories.certification import grant
    from tests.pages.world import DAY, complete, make_world, watch

    world = make_world(
        10, slug="ten-courses", title="Reproductive medicine in ten courses", closes_at=now() + 400 * DAY
    )
    learner = world.doctor(email="reports-learner@example.org", title="Dr", first_name="Meera", last_name="Nair")
    for number, weeks_ago, minutes in ((0, 6, 58), (1, 5, 60), (2, 3, 31), (3, 2, 60), (4, 1, 24)):
        begin = now() - weeks_ago * 7 * DAY
        watch(
            learner, world.courses[number], (0, minutes * 60), at=begin, clock=[(begin, begin + minutes * DAY / 1440)]
        )
    for number in (0, 1, 3):
        complete(learner, world.courses[number], at=now() - (6 - number) * 7 * DAY)
        lesson = world.courses[number].lessons.get()
        authority = AuthorityKey.EACCME if number == 3 else AuthorityKey.ACCME
        with transaction.atomic():
            grant(
                credit="1.00",
                user=learner,
                lesson=lesson,
                accreditation__activity__lesson=lesson,
                accreditation__authority=authority,
            )
    world.courses[7].prerequisites.add(world.courses[6])
    world.courses[8].opens_at = now() + 30 * DAY
    world.courses[8].save()
    for number in range(LEAST_COHORT + 4):
        complete(world.doctor(), *world.courses[: number % 4])
    return learner
