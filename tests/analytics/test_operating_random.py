"""The other numbers of a programme on random data: lectures, what may be wrong in the data, what there is, the door."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.operating.checks import checks_of
from analytics.domain.operating.inventory import inventory_of
from analytics.domain.operating.lectures import lectures_of
from analytics.domain.operating.spot import of_all, spot_of
from analytics.enums import DataCheck
from courses.enums import EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Course, Enrolment, Lesson, Programme
from media.models import Caption, Video
from tests.factories.accounts import UserFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.stage.doors import open_door
from webinars.enums import Phase, SpotState
from webinars.models import Broadcast, SpotRequest, Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ON_AIR = 500  # seconds of the first lecture
DAY = timedelta(days=1)
some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

watched = st.dictionaries(st.tuples(st.integers(0, 2), st.sampled_from(Phase)), st.integers(0, 900), max_size=4)
visited = st.dictionaries(st.integers(0, 2), st.integers(0, 600), max_size=2)


@given(drawn=st.lists(st.tuples(st.booleans(), watched, visited), max_size=6))
@some
def test_lectures_live_and_recorded(drawn: list[Any]) -> None:
    """The last of the three lectures is of another programme, in which everybody has a place."""
    programme, other = ProgrammeFactory.create(), ProgrammeFactory.create()
    courses = [CourseFactory.create(programme=one) for one in (programme, programme, other)]
    lectures = [WebinarFactory.create(lesson=LessonFactory.create(course=course)) for course in courses]
    Broadcast.objects.create(webinar=lectures[0], started_at=NOW, program_seconds=float(ON_AIR))
    for has_place, coverage, visits in drawn:
        user = UserFactory.create()
        for where in (programme, other)[0 if has_place else 1 :]:
            EnrolmentFactory.create(user=user, programme=where)
        for (number, phase), length in coverage.items():
            covered = ((10, 10 + length),) if length else ()
            WatchRecordFactory.create(user=user, webinar=lectures[number], phase=phase, coverage=covered)
        for number, length in visits.items():
            until = NOW + timedelta(seconds=length)
            Visit.objects.create(webinar=lectures[number], user=user, joined_at=NOW, seen_at=until)
    lines, total = lectures_of(programme_id=programme.pk)
    mine = lectures[:2]
    assert [(one.webinar, one.people, one.live, one.recorded, one.seconds) for one in lines] == [
        (lecture, *_counted(programme, [lecture])) for lecture in mine
    ]
    assert (total.people, total.live, total.recorded, total.seconds) == _counted(programme, mine)


def _counted(programme: Programme, lectures: list[Webinar]) -> tuple[int, int, int, int]:
    """What was seen behind the end of a broadcast was not on air; a meeting elsewhere lasts until it is left."""
    live: set[int] = set()
    recorded: set[int] = set()
    seconds, on_air = 0, set(Broadcast.objects.values_list("webinar", flat=True))
    for place in Enrolment.objects.filter(programme=programme):
        for record in WatchRecord.objects.filter(user=place.user, webinar__in=lectures):
            if record.coverage:
                (live if record.phase == Phase.LIVE else recorded).add(place.user_id)
            is_on_air = record.phase == Phase.LIVE and record.webinar_id in on_air
            for start, end in record.coverage:
                seconds += max(0, min(end, ON_AIR) - start) if is_on_air else end - start
        for visit in Visit.objects.filter(user=place.user, webinar__in=lectures):
            live.add(place.user_id)
            seconds += int((visit.seen_at - visit.joined_at).total_seconds())
    return len(live | recorded), len(live), len(recorded), seconds


people = st.fixed_dictionaries(
    {
        "status": st.sampled_from(EnrolmentStatus),
        "country": st.sampled_from(("", "DE")),
        "specialty": st.sampled_from(("", "Gynaecology")),
        "confirmed": st.booleans(),
        "number": st.sampled_from(("", "Reg. 48-213", "reg 48213", "REG/48213", "7")),
        "council": st.sampled_from(("Delhi", "Goa")),
        "is_elsewhere": st.booleans(),
        "is_active": st.sampled_from((True, True, False)),
    }
)
lectures = st.fixed_dictionaries(
    {
        "is_draft": st.booleans(),
        "has_video": st.sampled_from(("", "raw", "ready")),
        "starts": st.none() | st.integers(-5, 5),
        "is_cancelled": st.booleans(),
        "is_elsewhere": st.booleans(),
    }
)


def _make_lectures(programme: Programme, drawn: list[dict[str, Any]]) -> list[Webinar]:
    """Those of the past went live and were over an hour later, unless they were cancelled."""
    elsewhere = ProgrammeFactory.create()
    found = []
    for one in drawn:
        course = CourseFactory.create(
            programme=elsewhere if one["is_elsewhere"] else programme,
            status=PublishStatus.DRAFT if one["is_draft"] else PublishStatus.PUBLISHED,
        )
        webinar: Webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course))
        if one["has_video"] == "raw":
            Video.objects.filter(pk=webinar.video_id or "").update(published_version="", status="empty")
        starts = None if one["starts"] is None else NOW + one["starts"] * DAY
        is_cancelled = starts is not None and one["is_cancelled"]
        is_over = starts is not None and starts < NOW and not is_cancelled
        Webinar.objects.filter(pk=webinar.pk).update(
            video=webinar.video if one["has_video"] else None,
            starts_at=starts,
            cancelled_at=NOW if is_cancelled else None,
            live_at=starts if is_over else None,
            ended_at=starts + timedelta(hours=1) if starts and is_over else None,
        )
        found.append(Webinar.objects.get(pk=webinar.pk))
    return found


@given(drawn=st.lists(people, max_size=7), planned=st.lists(lectures, max_size=5))
@some
def test_what_may_be_wrong_in_the_data(drawn: list[dict[str, Any]], planned: list[dict[str, Any]]) -> None:
    programme, elsewhere = ProgrammeFactory.create(), ProgrammeFactory.create()
    open_people = []
    for one in drawn:
        user = UserFactory.create(
            country=one["country"],
            specialty=one["specialty"],
            timezone_confirmed_at=NOW if one["confirmed"] else None,
            registration_number=one["number"],
            medical_council=one["council"],
            is_active=one["is_active"],
        )
        where = elsewhere if one["is_elsewhere"] else programme
        is_done = one["status"] == EnrolmentStatus.COMPLETED
        EnrolmentFactory.create(
            programme=where, user=user, status=one["status"], completed_at=NOW - 2 * DAY if is_done else None
        )
        is_open = one["is_active"] and one["status"] in {EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED}
        if where == programme and is_open:
            open_people.append((one, "".join(sign for sign in one["number"].upper() if sign.isalnum())))
    made = _make_lectures(programme, planned)
    mine = [one for one, told in zip(made, planned, strict=True) if not told["is_elsewhere"] and not told["is_draft"]]
    held = [(number, one["council"]) for one, number in open_people if number]
    got = checks_of(programme, now=NOW)
    assert got == {
        DataCheck.NO_COUNTRY: sum(not one["country"] for one, _ in open_people),
        DataCheck.NO_SPECIALTY: sum(not one["specialty"] for one, _ in open_people),
        DataCheck.ZONE_NOT_CONFIRMED: sum(not one["confirmed"] for one, _ in open_people),
        DataCheck.SAME_NUMBER: sum(held.count(one) > 1 for one in held),
        DataCheck.COMPLETED_UNSEEN: sum(one["status"] == EnrolmentStatus.COMPLETED for one, _ in open_people),
        DataCheck.NO_CERTIFICATE: 0,  # this programme gives none
        DataCheck.NO_RECORDING: sum(
            one.ended_at is not None and one.ended_at < NOW - 2 * DAY and not _is_watchable(one) for one in mine
        ),
        DataCheck.NO_CONTENT: sum(one.video is None and one.starts_at is None for one in mine),
    }


def _is_watchable(webinar: Webinar) -> bool:
    return webinar.video is not None and bool(webinar.video.published_version)


@given(planned=st.lists(lectures, max_size=5), others=st.lists(st.sampled_from(LessonKind), max_size=4))
@some
def test_what_there_is(planned: list[dict[str, Any]], others: list[LessonKind]) -> None:
    programme = ProgrammeFactory.create()
    made = _make_lectures(programme, planned)
    for number, kind in enumerate(others):
        LessonFactory.create(course=CourseFactory.create(programme=programme), kind=kind)
        video = made[number].video if number < len(made) else None
        if video is not None:
            Caption.objects.create(video=video, language="en", label="en", path="x.vtt", cues=1, created_at=NOW)
    mine = [one for one in made if one.lesson.course.programme_id == programme.pk]
    shown = [one for one in mine if _is_watchable(one)]
    got = inventory_of(programme, now=NOW)
    courses = list(Course.objects.filter(programme=programme))
    kinds = [one.kind for one in Lesson.objects.filter(course__in=courses)]
    assert dict(got.lessons) == {str(kind.label): kinds.count(kind) for kind in LessonKind if kind in kinds}
    assert (got.courses, got.drafts) == (len(courses), sum(one.status != PublishStatus.PUBLISHED for one in courses))
    assert got.recordings == len(shown)
    assert got.seconds == sum(one.video.duration_seconds or 0 for one in shown if one.video)
    assert got.captioned == sum(one.video is not None and one.video.captions.exists() for one in shown)
    assert got.to_come == sum(
        one.starts_at is not None and one.starts_at > NOW and one.cancelled_at is None for one in mine
    )


@given(asked=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(SpotState)), max_size=9))
@some
def test_requests_at_the_door(asked: list[tuple[int, SpotState]]) -> None:
    """At three webinars of this programme, the first of them in its last course, and at one of another."""
    programme = ProgrammeFactory.create()
    late, early = (CourseFactory.create(programme=programme, position=number) for number in (2, 1))
    places = [(late, 1), (early, 2), (early, 1), (CourseFactory.create(), 1)]
    windows = [
        open_door(WebinarFactory.create(lesson=LessonFactory.create(course=course, position=position)))
        for course, position in places
    ]
    for number, (where, state) in enumerate(asked):
        SpotRequest.objects.create(
            window=windows[where],
            email=f"{number}@example.org",
            ticket=f"{windows[0].pk}-{number}",
            state=state,
            decided_at=None if state == SpotState.PENDING else NOW,
            created_at=NOW,
        )
    got = spot_of(programme_id=programme.pk)
    expected = []
    for where in (2, 1, 0):
        states = [state for at, state in asked if at == where]
        if states:
            title = windows[where].webinar.lesson.title
            expected.append((windows[where].webinar_id, title, [states.count(state) for state in SpotState]))
    assert [(one.webinar_id, one.title, list(one.states.values())) for one in got] == expected
    assert [one.asked for one in got] == [sum(numbers) for _, _, numbers in expected]
    mine = [state for at, state in asked if at != 3]
    assert of_all(got) == {state: mine.count(state) for state in SpotState}
