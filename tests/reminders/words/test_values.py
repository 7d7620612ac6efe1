"""What messages say about their doctor and their thing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from courses.models import CourseCompletion, Lesson, LessonCompletion, Programme
from reminders.domain.values import Values, values_for
from reminders.enums import Channel, Kind
from reminders.models import Delivery
from reminders.rendering.placeholders import allowed
from tests.certification.earned import completed_course, issuing_programme
from tests.factories.accounts import UserFactory
from tests.factories.assessments import EvaluationFactory
from tests.factories.courses import CohortFactory, CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import LiveWebinarFactory, WatchRecordFactory, WebinarFactory
from tests.reminders.factories import DeliveryFactory, ScheduleRevisionFactory
from webinars.models import Registration, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)


@pytest.fixture
def programme() -> Programme:
    made: Programme = ProgrammeFactory.create(title="Fertility")
    return made


@pytest.fixture
def doctor() -> User:
    made: User = UserFactory.create(title="Dr", first_name="Meera", last_name="Nair", timezone="Asia/Kolkata")
    return made


def webinar_in(programme: Programme, **values: Any) -> Webinar:
    lesson = LessonFactory.create(course=CourseFactory.create(programme=programme, title="Basics"), title="Reserve")
    made: Webinar = LiveWebinarFactory.create(lesson=lesson, **{"starts_at": START, **values})
    return made


def planned(kind: Kind, subject: str, programme: Programme, user: User, **values: Any) -> Delivery:
    made: Delivery = DeliveryFactory.create(kind=kind, subject=subject, programme=programme, user=user, **values)
    return made


def said(kind: Kind, subject: str, programme: Programme, user: User, *, now: datetime = NOW) -> Values:
    one = planned(kind, subject, programme, user)
    return values_for([one], now=now)[one.pk]


def test_a_webinar_is_told_on_the_doctors_clock(programme: Programme, doctor: User) -> None:
    names = (("Prof.", "Silva"), ("Dr", "Park"))
    presenters = [UserFactory.create(title=title, first_name="", last_name=name) for title, name in names]
    webinar = webinar_in(programme, presenters=presenters, planned_minutes=90)
    found = said(Kind.DAY_BEFORE, f"webinar/{webinar.pk}", programme, doctor)
    assert found.placeholders == {
        "doctor.name": "Dr Meera Nair",
        "doctor.short_name": "Dr Nair",
        "programme.title": "Fertility",
        "site.name": "Rounds",
        "webinar.title": "Reserve",
        "webinar.starts": "Thursday 26 November, 19:30 (Kolkata, UTC+5:30)",
        "webinar.when": "Tomorrow, 19:30 (Kolkata)",
        "webinar.date": "Thursday 26 November",
        "webinar.short": "26 Nov, 19:30 (Kolkata)",
        "webinar.starts_in": "26 h",
        "webinar.length": "1 h 30 min",
        "webinar.presenters": "Dr Park and Prof. Silva",
        "course.title": "Basics",
    }
    assert found.path == f"/webinars/{webinar.pk}/"


def moved_thrice(programme: Programme) -> Webinar:
    """From the 23rd to the 24th, the 25th, the 26th: a look each day at eight from the 20th on."""
    webinar = webinar_in(programme)
    for number in range(4):
        ScheduleRevisionFactory.create(
            webinar=webinar,
            number=number,
            starts_at=START - timedelta(days=3 - number),
            noticed_at=NOW - timedelta(days=5 - number),
        )
    return webinar


def test_a_moved_webinar_tells_the_date_that_this_doctor_knew(programme: Programme, doctor: User) -> None:
    """Not the newest that holds no more: who took a place long ago was never told of that one."""
    webinar = moved_thrice(programme)
    registered = doctor
    told, both, nobody = UserFactory.create_batch(3, timezone="Asia/Kolkata")
    for person in (registered, both):
        Registration.objects.create(webinar=webinar, user=person, registered_at=NOW - timedelta(days=5))
    for person, kind, days in ((told, Kind.WEEK_BEFORE, 2), (both, Kind.MOVED, 1)):
        slot = f"{START - timedelta(days=days):%Y-%m-%dT%H:%MZ}" + ("#2" if kind == Kind.MOVED else "")
        planned(
            kind,
            f"webinar/{webinar.pk}",
            programme,
            person,
            slot=slot,
            state="sent",
            claimed_at=NOW - timedelta(days=3),
        )
    slot = f"{START:%Y-%m-%dT%H:%MZ}#3"
    rows = [
        planned(Kind.MOVED, f"webinar/{webinar.pk}", programme, person, slot=slot)
        for person in (registered, told, both, nobody)
    ]
    found = values_for(rows, now=NOW)
    said_before = [found[row.pk].placeholders.get("webinar.before", "") for row in rows]
    assert [one.partition(",")[0] for one in said_before] == [
        "Monday 23 November", "Tuesday 24 November", "Wednesday 25 November", ""
    ]  # fmt: skip
    assert {found[row.pk].placeholders["webinar.starts"] for row in rows} == {
        "Thursday 26 November, 19:30 (Kolkata, UTC+5:30)"
    }


def test_the_next_channel_says_the_same_as_the_first(programme: Programme, doctor: User) -> None:
    webinar = moved_thrice(programme)
    Registration.objects.create(webinar=webinar, user=doctor, registered_at=NOW - timedelta(days=5))
    slot = f"{START:%Y-%m-%dT%H:%MZ}#3"
    first = planned(Kind.MOVED, f"webinar/{webinar.pk}", programme, doctor, slot=slot, state="sent", claimed_at=NOW)
    second = planned(
        Kind.MOVED, f"webinar/{webinar.pk}", programme, doctor, slot=slot, channel=Channel.SMS, fallback_of=first
    )
    found = values_for([second], now=NOW)[second.pk].placeholders
    assert found["webinar.before"] == "Monday 23 November, 19:30 (Kolkata, UTC+5:30)"


def test_a_restored_webinar_has_no_other_date_before(programme: Programme, doctor: User) -> None:
    webinar = webinar_in(programme, starts_at=START + timedelta(seconds=30))
    for number, cancelled in enumerate((False, True, False)):
        ScheduleRevisionFactory.create(
            webinar=webinar, number=number, is_cancelled=cancelled, noticed_at=NOW - timedelta(days=3 - number)
        )
    slot = f"{START:%Y-%m-%dT%H:%MZ}"
    planned(
        Kind.CANCELLED, f"webinar/{webinar.pk}", programme, doctor,
        slot=f"{slot}#1", state="sent", claimed_at=NOW - timedelta(days=2),
    )  # fmt: skip
    row = planned(Kind.MOVED, f"webinar/{webinar.pk}", programme, doctor, slot=f"{slot}#2")
    found = values_for([row], now=NOW)[row.pk].placeholders
    assert "webinar.before" not in found
    assert found["webinar.date"] == "Thursday 26 November"


def test_what_is_cancelled_is_the_date_that_the_doctor_knows(programme: Programme, doctor: User) -> None:
    webinar = moved_thrice(programme)
    Registration.objects.create(webinar=webinar, user=doctor, registered_at=NOW - timedelta(days=5))
    found = said(Kind.CANCELLED, f"webinar/{webinar.pk}", programme, doctor).placeholders
    assert found["webinar.date"] == "Monday 23 November"


def test_a_webinar_whose_date_was_taken_away_is_told_with_the_date_it_had(programme: Programme, doctor: User) -> None:
    webinar = webinar_in(programme)
    ScheduleRevisionFactory.create(webinar=webinar, number=0)
    Webinar.objects.filter(pk=webinar.pk).update(starts_at=None)
    found = said(Kind.CANCELLED, f"webinar/{webinar.pk}", programme, doctor)
    assert found.placeholders["webinar.date"] == "Thursday 26 November"
    assert found.path == f"/programmes/{programme.slug}/"


def test_who_left_is_told_where_and_what_is_left(programme: Programme, doctor: User) -> None:
    webinar = WebinarFactory.create(lesson=LessonFactory.create(course__programme=programme))
    WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=((0, 1450),))
    WatchRecordFactory.create(webinar=webinar, coverage=((0, 3000),))
    found = said(Kind.LEFT_EARLY, f"webinar/{webinar.pk}", programme, doctor).placeholders
    assert (found["watch.left_at"], found["watch.to_go"], found["recording.length"]) == ("24:10", "36 min", "1 h")


def test_who_watched_nothing_is_told_the_length_alone(programme: Programme, doctor: User) -> None:
    webinar = WebinarFactory.create(lesson=LessonFactory.create(course__programme=programme))
    found = said(Kind.RECORDING_READY, f"webinar/{webinar.pk}", programme, doctor).placeholders
    assert found["recording.length"] == "1 h"
    assert found.keys() & {"watch.left_at", "watch.to_go"} == set()


def courses_with_lectures(programme: Programme, number: int) -> list[Lesson]:
    """Of one hour each, of which 54 minutes are to be watched."""
    return [
        WebinarFactory.create(lesson=LessonFactory.create(course=CourseFactory.create(programme=programme))).lesson
        for _ in range(number)
    ]


def finish(doctor: User, lesson: Lesson) -> None:
    LessonCompletion.objects.create(user=doctor, lesson=lesson, completed_at=NOW)
    CourseCompletion.objects.create(user=doctor, course=lesson.course, completed_at=NOW)


def test_progress_counts_courses_and_the_watching_that_is_left(programme: Programme, doctor: User) -> None:
    lessons = courses_with_lectures(programme, 4)
    finish(doctor, lessons[0])
    finish(UserFactory.create(), lessons[1])
    WatchRecordFactory.create(user=doctor, webinar=lessons[1].webinar, coverage=((0, 1800),))
    found = said(Kind.WEEKLY_PROGRESS, f"programme/{programme.pk}", programme, doctor)
    names = ("progress.done", "progress.needed", "progress.left", "progress.time_left")
    assert [found.placeholders[name] for name in names] == ["1", "4", "3", "2 h 12 min"]
    assert found.path == f"/programmes/{programme.slug}/"


def test_seven_of_ten_takes_the_shortest_that_are_left(programme: Programme, doctor: User) -> None:
    Programme.objects.filter(pk=programme.pk).update(completion_rule="n_of_m", required_count=2)
    lessons = courses_with_lectures(programme, 3)
    finish(doctor, lessons[0])
    WatchRecordFactory.create(user=doctor, webinar=lessons[2].webinar, coverage=((0, 3000),))
    found = said(Kind.WEEKLY_PROGRESS, f"programme/{programme.pk}", programme, doctor).placeholders
    assert [found[name] for name in ("progress.done", "progress.needed", "progress.time_left")] == ["1", "2", "4 min"]


def test_of_some_lessons_of_a_course_the_shortest_count(programme: Programme, doctor: User) -> None:
    course = CourseFactory.create(programme=programme, completion_rule="n_of_m", required_count=2)
    lectures = [WebinarFactory.create(lesson=LessonFactory.create(course=course)) for _ in range(3)]
    LessonCompletion.objects.create(user=doctor, lesson=lectures[0].lesson, completed_at=NOW)
    WatchRecordFactory.create(user=doctor, webinar=lectures[2], coverage=((0, 3000),))
    found = said(Kind.WEEKLY_PROGRESS, f"programme/{programme.pk}", programme, doctor).placeholders
    assert found["progress.time_left"] == "4 min"


def test_who_left_the_live_webinar_is_told_where_although_there_is_no_recording_yet(
    programme: Programme, doctor: User
) -> None:
    webinar = webinar_in(programme, live_at=START, ended_at=START + timedelta(hours=1))
    WatchRecordFactory.create(user=doctor, webinar=webinar, phase="live", coverage=((0, 1450),))
    found = said(Kind.LEFT_EARLY, f"webinar/{webinar.pk}", programme, doctor).placeholders
    assert found["watch.left_at"] == "24:10"
    assert found.keys() & {"watch.to_go", "recording.length"} == set()


def test_progress_is_what_the_programmes_page_says(programme: Programme, doctor: User) -> None:
    from analytics.domain.progress import read_programme

    lessons = courses_with_lectures(programme, 5)
    CourseFactory.create(programme=programme, status="draft")
    finish(doctor, lessons[0])
    WatchRecordFactory.create(user=doctor, webinar=lessons[1].webinar, coverage=((0, 700), (900, 1200)))
    enrolment = EnrolmentFactory.create(user=doctor, programme=programme)
    page = read_programme(programme=programme, enrolment=enrolment, user=doctor, now=NOW)
    found = said(Kind.WEEKLY_PROGRESS, f"programme/{programme.pk}", programme, doctor).placeholders
    assert (int(found["progress.done"]), int(found["progress.needed"])) == (page.done, page.needed)
    assert found["progress.time_left"] == "3 h 20 min"
    assert page.needed_seconds == 3 * 3240 + 2240


def test_a_programme_closes_for_a_doctor_when_their_cohort_does(programme: Programme, doctor: User) -> None:
    Programme.objects.filter(pk=programme.pk).update(closes_at=datetime(2026, 12, 31, 12, 0, tzinfo=UTC))
    cohort = CohortFactory.create(programme=programme, closes_at=datetime(2026, 11, 30, 18, 30, tzinfo=UTC))
    EnrolmentFactory.create(user=doctor, programme=programme, cohort=cohort)
    found = said(Kind.PROGRAMME_CLOSING, f"programme/{programme.pk}", programme, doctor).placeholders
    # Midnight in Kolkata: for a reader the programme is open until the end of the day before.
    assert found["programme.closes"] == "Monday 30 November, 23:59 (Kolkata, UTC+5:30)"
    assert found["programme.days_left"] == "5 days"


def test_on_its_last_day_hours_are_left(programme: Programme, doctor: User) -> None:
    Programme.objects.filter(pk=programme.pk).update(closes_at=NOW + timedelta(hours=3, minutes=30))
    found = said(Kind.PROGRAMME_CLOSING, f"programme/{programme.pk}", programme, doctor).placeholders
    assert found["programme.days_left"] == "3 h 30 min"


def test_a_feedback_is_about_its_webinar(programme: Programme, doctor: User) -> None:
    about = LessonFactory.create(course__programme=programme, title="Reserve")
    evaluation = EvaluationFactory.create(lesson__course=about.course, about=about)
    found = said(Kind.EVALUATION, f"lesson/{evaluation.lesson_id}", programme, doctor)
    assert found.placeholders["evaluation.about"] == "Reserve"
    assert found.path == f"/evaluations/{evaluation.pk}/"


def test_a_certificate_is_named_to_its_own_doctor_only() -> None:
    from certification.domain.issuing import issue

    programme = issuing_programme()
    earned = completed_course(programme, user=UserFactory.create(title="Dr", first_name="Meera", last_name="Nair"))
    certificate = issue(of=earned, now=NOW)
    own = planned(Kind.CERTIFICATE_READY, f"certificate/{certificate.pk}", programme, certificate.user)
    other = planned(Kind.CERTIFICATE_READY, f"certificate/{certificate.pk}", programme, UserFactory.create())
    found = values_for([own, other], now=NOW)
    assert set(found) == {own.pk}
    assert found[own.pk].placeholders["certificate.number"] == certificate.number
    assert found[own.pk].path == "/certificates/"


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (Kind.LIVE, "webinar/999999"), (Kind.LIVE, "course/1"), (Kind.LIVE, "webinar/x"), (Kind.LIVE, ""),
        (Kind.COURSE_COMPLETED, "course/999999"), (Kind.EVALUATION, "lesson/999999"),
        (Kind.CERTIFICATE_READY, "certificate/999999"),
    ],
)  # fmt: skip
def test_what_is_gone_says_nothing(kind: Kind, subject: str, programme: Programme, doctor: User) -> None:
    assert values_for([planned(kind, subject, programme, doctor)], now=NOW) == {}


def test_a_zone_that_nobody_knows_is_utc(programme: Programme) -> None:
    webinar = webinar_in(programme)
    found = said(Kind.SOON, f"webinar/{webinar.pk}", programme, UserFactory.create(timezone="Mars/Olympus"))
    assert found.placeholders["webinar.starts"] == "Thursday 26 November, 14:00 (UTC)"


def everything(programme: Programme, doctor: User) -> list[Delivery]:
    """A message of every kind."""
    webinar = webinar_in(programme)
    ScheduleRevisionFactory.create(
        webinar=webinar, number=0, starts_at=START - timedelta(days=1), noticed_at=NOW - timedelta(days=2)
    )
    ScheduleRevisionFactory.create(webinar=webinar, number=1)
    Registration.objects.create(webinar=webinar, user=doctor, registered_at=NOW - timedelta(days=1))
    lecture = WebinarFactory.create(lesson__course=webinar.lesson.course)
    WatchRecordFactory.create(user=doctor, webinar=lecture, coverage=((0, 1450),))
    evaluation = EvaluationFactory.create(lesson__course=webinar.lesson.course)
    subjects = {
        Kind.EVALUATION: f"lesson/{evaluation.lesson_id}",
        Kind.COURSE_COMPLETED: f"course/{webinar.lesson.course_id}",
        Kind.LEFT_EARLY: f"webinar/{lecture.pk}",
        Kind.RECORDING_READY: f"webinar/{lecture.pk}",
    }
    rest = {kind: f"webinar/{webinar.pk}" for kind in Kind if "webinar.title" in allowed(kind)}
    others = dict.fromkeys(Kind, f"programme/{programme.pk}")
    chosen = others | rest | subjects
    del chosen[Kind.CERTIFICATE_READY], chosen[Kind.TEST]
    return [planned(kind, subject, programme, doctor) for kind, subject in chosen.items()]


def test_every_kind_says_what_its_templates_may_name(programme: Programme, doctor: User) -> None:
    Programme.objects.filter(pk=programme.pk).update(closes_at=NOW + timedelta(days=9))
    deliveries = everything(programme, doctor)
    found = values_for(deliveries, now=NOW)
    unknown = {
        one.kind: set(allowed(one.kind)) - set(found[one.pk].placeholders)
        for one in deliveries
        if set(allowed(one.kind)) - set(found[one.pk].placeholders)
    }
    # A lecture that never was live has no date.
    dates = {"webinar.starts", "webinar.when", "webinar.date", "webinar.short", "webinar.starts_in"}
    assert unknown == {Kind.RECORDING_READY: dates, Kind.LEFT_EARLY: dates}
    said_more = {one.kind for one in deliveries if set(found[one.pk].placeholders) - set(allowed(one.kind))}
    assert said_more == {Kind.RECORDING_READY}, "where the doctor stopped is known there too"


def test_many_messages_take_as_many_queries_as_one_of_each(programme: Programme, doctor: User) -> None:
    def queries(deliveries: list[Delivery]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(values_for(deliveries, now=NOW)) == len(deliveries)
        return len(captured)

    one_of_each = everything(programme, doctor)
    people = [doctor, *UserFactory.create_batch(2)]
    more = [each for person in people for each in everything(ProgrammeFactory.create(), person)]
    assert queries(one_of_each) == queries([*one_of_each, *more])


def test_a_reminder_asks_for_nothing_it_does_not_name(programme: Programme, doctor: User) -> None:
    one = planned(Kind.LIVE, f"webinar/{webinar_in(programme).pk}", programme, doctor, channel=Channel.SMS)
    with CaptureQueriesContext(connection) as captured:
        values_for([one], now=NOW)
    assert len(captured) == 4  # programme, webinar, its presenters, person
