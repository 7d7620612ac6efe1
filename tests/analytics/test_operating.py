"""A programme's numbers against counts in plain Python, one doctor after another."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.domain.operating.activity import minutes_by_local_hour
from analytics.domain.operating.checks import checks_of
from analytics.domain.operating.funnel import funnel_of
from analytics.domain.operating.inventory import inventory_of
from analytics.domain.operating.lectures import lectures_of
from analytics.domain.operating.risk import at_risk, risks_of
from analytics.domain.rollups.refreshing import refresh
from analytics.enums import DataCheck
from certification.enums import CertificateKind, EntryKind, RiskReason
from certification.models import Certificate, CertificateTemplate, LedgerEntry
from courses.domain.availability import State, state_of_programme
from courses.enums import CompletionRule, EnrolmentStatus, LessonKind, PublishStatus
from courses.models import Cohort, Course, CourseCompletion, Enrolment, LessonCompletion, Programme
from reminders.domain.audiences import ANY_RISK, audience_of, whoever_is_at_risk, whoever_stopped_at
from reminders.enums import Step
from tests.analytics import reference
from tests.analytics.audience import Person, audiences, make
from tests.analytics.certified import CERTIFICATES, certify
from tests.factories.accounts import UserFactory
from tests.factories.certification import CertificateTemplateFactory
from tests.factories.courses import CourseFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

doctors = st.fixed_dictionaries(
    {
        "status": st.sampled_from(EnrolmentStatus),
        "is_active": st.sampled_from((True, True, True, False)),
        "enrolled": st.integers(1, 90),  # days ago, like the next ones
        "joined": st.none() | st.integers(0, 89),
        "seen": st.sampled_from(("", "", "live", "recorded", "visit", "a test", "nothing", "elsewhere")),
        "last": st.integers(0, 60),
        "courses": st.integers(0, 3),
        "completed": st.none() | st.sampled_from((0.5, 1, 1.5, 30)),  # days ago
        "cohort": st.none()
        | st.tuples(st.sampled_from((None, -90, 0, 2)), st.sampled_from((None, 3, 30, 60)))
        | st.tuples(st.sampled_from((None, -90)), st.sampled_from((-1, 0))),
        "certificate": st.sampled_from(CERTIFICATES),
    }
)


def _make(programme: Programme, drawn: list[dict[str, Any]]) -> Webinar:
    webinar: Webinar = WebinarFactory.create(lesson__course__programme=programme)
    elsewhere: Webinar = WebinarFactory.create()
    courses = [webinar.lesson.course, *(CourseFactory.create(programme=programme) for _ in range(2))]
    for one in drawn:
        is_done = one["completed"] is not None or one["status"] == EnrolmentStatus.COMPLETED
        place = EnrolmentFactory.create(
            programme=programme,
            cohort=_cohort(programme, *one["cohort"]) if one["cohort"] else None,
            user__is_active=one["is_active"],
            status=one["status"],
            enrolled_at=NOW - one["enrolled"] * DAY,
            activated_at=None if one["joined"] is None else NOW - one["joined"] * DAY,
            completed_at=NOW - (one["completed"] or 0.5) * DAY if is_done else None,
        )
        _attend(place, one["seen"], elsewhere if one["seen"] == "elsewhere" else webinar, NOW - one["last"] * DAY)
        CourseCompletion.objects.bulk_create(
            CourseCompletion(user=place.user, course=course, completed_at=NOW) for course in courses[: one["courses"]]
        )
        certify(place, one["certificate"], course=webinar.lesson.course, at=NOW)
    return webinar


def _cohort(programme: Programme, opens: int | None, closes: int | None) -> Cohort:
    """Open from and until so many days from now."""
    at = [None if days is None else NOW + days * DAY for days in (opens, closes)]
    name = f"{opens} {closes}"
    return Cohort.objects.get_or_create(programme=programme, name=name, opens_at=at[0], closes_at=at[1])[0]


def _attend(place: Enrolment, how: str, webinar: Webinar, at: datetime) -> None:
    if how == "visit":
        Visit.objects.create(webinar=webinar, user=place.user, joined_at=at - DAY, seen_at=at, left_at=at)
    elif how == "a test":
        lesson = LessonFactory.create(course=webinar.lesson.course, kind=LessonKind.QUIZ)
        LessonCompletion.objects.create(user=place.user, lesson=lesson, completed_at=at)
    elif how:
        WatchRecordFactory.create(
            user=place.user,
            webinar=webinar,
            phase=Phase.LIVE if how == "live" else Phase.ON_DEMAND,
            coverage=() if how == "nothing" else ((0, 60),),
            last_beat_at=at,
        )


class TestFunnel:
    @given(drawn=st.lists(doctors, max_size=8))
    @some
    def test_each_step_is_of_those_who_took_the_one_before(self, drawn: list[dict[str, Any]]) -> None:
        programme = ProgrammeFactory.create()
        _make(programme, drawn)
        _make(ProgrammeFactory.create(), drawn[:2])
        got = funnel_of(programme_id=programme.pk)
        assert (got.invited, got.joined, got.attended, got.completed, got.certified) == self._counted(programme)
        steps = (got.invited, got.joined, got.attended, got.completed, got.certified)
        assert all(before >= after for before, after in pairwise(steps))
        people = self._stopped(programme)
        assert got.stopped == tuple(map(len, people))
        for step, expected in zip(Step, people, strict=True):
            places = audience_of(whoever_stopped_at(step), programme=programme, now=NOW)
            assert set(places.values_list("user_id", flat=True)) == expected

    def _counted(self, programme: Programme) -> tuple[int, ...]:
        taken = [self._taken(place) for place in Enrolment.objects.filter(programme=programme)]
        return tuple(sum(one >= number for one in taken) for number in range(1, 6))

    def _stopped(self, programme: Programme) -> list[set[int]]:
        """Who took one, two, three and four steps, and can be written to."""
        found: list[set[int]] = [set() for _ in range(4)]
        for place in Enrolment.objects.filter(programme=programme):
            taken = self._taken(place)
            is_here = place.status not in {EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN}
            if taken < 5 and is_here and place.user.is_active:
                found[taken - 1].add(place.user_id)
        return found

    def _taken(self, place: Enrolment) -> int:
        steps = (
            place.activated_at is not None,
            _attended(place),
            place.completed_at is not None,
            self._has_certificate(place),
        )
        return 1 + (steps.index(False) if False in steps else 4)

    def _has_certificate(self, place: Enrolment) -> bool:
        editions = Certificate.objects.filter(
            user=place.user, programme=place.programme, kind=CertificateKind.PROGRAMME
        ).order_by("-edition")
        newest = editions.first()
        revoked = LedgerEntry.objects.filter(certificate=newest, kind=EntryKind.CERTIFICATE_REVOKED)
        return newest is not None and not revoked.exists()


class TestCompleted:
    @given(drawn=st.lists(doctors, max_size=8), has_template=st.booleans())
    @some
    def test_whoever_has_completed_it_was_there_and_has_a_certificate_a_day_later(
        self, drawn: list[dict[str, Any]], has_template: bool
    ) -> None:
        programme = ProgrammeFactory.create()
        if has_template:
            CertificateTemplateFactory.create(programme=programme)
        _make(programme, drawn)
        _make(ProgrammeFactory.create(), drawn[:3])
        gives_one = CertificateTemplate.objects.filter(programme=programme).exists()
        unseen, without = set(), set()
        for place in Enrolment.objects.filter(programme=programme):
            is_open = place.status in {EnrolmentStatus.ACTIVE, EnrolmentStatus.COMPLETED} and place.user.is_active
            if not is_open or place.completed_at is None:
                continue
            if not _attended(place):
                unseen.add(place.user_id)
            given_one = Certificate.objects.filter(user=place.user, programme=programme, kind=CertificateKind.PROGRAMME)
            if gives_one and NOW - place.completed_at > DAY and not given_one.exists():
                without.add(place.user_id)
        got = checks_of(programme, now=NOW)
        assert (got[DataCheck.COMPLETED_UNSEEN], got[DataCheck.NO_CERTIFICATE]) == (len(unseen), len(without))


def _attended(place: Enrolment) -> bool:
    records = WatchRecord.objects.filter(user=place.user, webinar__lesson__course__programme=place.programme)
    visits = Visit.objects.filter(user=place.user, webinar__lesson__course__programme=place.programme)
    return any(record.coverage for record in records) or visits.exists()


class TestRisk:
    @given(
        drawn=st.lists(doctors, max_size=8),
        closes=st.none() | st.sampled_from((-1, 3, 60)),
        needed=st.none() | st.integers(1, 3),
    )
    @some
    def test_the_reason_is_the_first_that_holds(
        self, drawn: list[dict[str, Any]], closes: int | None, needed: int | None
    ) -> None:
        programme = ProgrammeFactory.create(
            closes_at=None if closes is None else NOW + closes * DAY,
            opens_at=NOW - 100 * DAY,
            completion_rule=CompletionRule.N_OF_M if needed else CompletionRule.ALL,
            required_count=needed,
        )
        _make(programme, drawn)
        expected: dict[int, RiskReason] = {}
        for place in Enrolment.objects.filter(programme=programme):
            reason = self._reason(place, needed=needed or 3)
            if reason is not None and closes != -1:
                expected[place.user_id] = reason
        people = at_risk(programme, reason=None, offset=0, limit=100, now=NOW)
        assert {one.user_id: one.reason for one in people} == expected
        assert [one.since for one in people] == sorted(one.since for one in people)
        found = list(expected.values())
        assert risks_of(programme, now=NOW) == {one: found.count(one) for one in RiskReason if one in found}
        for reason in RiskReason:
            only = at_risk(programme, reason=reason, offset=0, limit=100, now=NOW)
            assert {one.user_id for one in only} == {user for user, why in expected.items() if why == reason}
            assert self._written_to(programme, reason) == {one.user_id for one in only}
        assert self._written_to(programme, ANY_RISK) == set(expected)
        pages = [at_risk(programme, reason=None, offset=at, limit=2, now=NOW) for at in range(0, 10, 2)]
        assert [one for page in pages for one in page] == people

    def _written_to(self, programme: Programme, reason: str) -> set[int]:
        """Whom a campaign means that was begun from the page."""
        places = audience_of(whoever_is_at_risk(reason), programme=programme, now=NOW)
        return set(places.values_list("user_id", flat=True))

    def _reason(self, place: Enrolment, *, needed: int) -> RiskReason | None:
        if not place.user.is_active or place.status not in {EnrolmentStatus.INVITED, EnrolmentStatus.ACTIVE}:
            return None
        cohort = place.cohort
        if cohort and state_of_programme(programme=place.programme, cohort=cohort, now=NOW).state != State.OPEN:
            return None
        if place.activated_at is None:
            return RiskReason.NEVER_CAME if place.enrolled_at < NOW - 14 * DAY else None
        here = {"webinar__lesson__course__programme": place.programme}
        moments = [record.last_beat_at for record in WatchRecord.objects.filter(user=place.user, **here)]
        moments += [visit.seen_at for visit in Visit.objects.filter(user=place.user, **here)]
        done_here = LessonCompletion.objects.filter(user=place.user, lesson__course__programme=place.programme)
        moments += [one.completed_at for one in done_here]
        if not moments:
            return RiskReason.NEVER_WATCHED if place.activated_at < NOW - 14 * DAY else None
        if max(moments) < NOW - 28 * DAY:
            return RiskReason.STOPPED
        ends = [one.closes_at for one in (place.programme, cohort) if one and one.closes_at]
        done = CourseCompletion.objects.filter(user=place.user, course__programme=place.programme).count()
        is_near = bool(ends) and min(ends) - NOW < 30 * DAY
        return RiskReason.BEHIND if is_near and 2 * done < needed else None

    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            ((None, None), {}),
            ((-90, 10), {RiskReason.BEHIND: 1}),  # the programme itself goes on for two months
            ((-90, 40), {}),
            ((-90, -1), {}),
            ((1, 10), {}),
        ],
    )
    def test_a_cohort_has_its_own_end(self, window: tuple[int, int], expected: dict[RiskReason, int]) -> None:
        programme = ProgrammeFactory.create(closes_at=NOW + 60 * DAY)
        doctor = {"status": EnrolmentStatus.ACTIVE, "is_active": True, "enrolled": 80, "joined": 70, "cohort": window}
        _make(programme, [{**doctor, "seen": "live", "last": 1, "courses": 0, "completed": None, "certificate": ""}])
        assert risks_of(programme, now=NOW) == expected
        assert audience_of(whoever_is_at_risk(ANY_RISK), programme=programme, now=NOW).count() == len(expected)

    def test_what_was_done_besides_lectures_is_no_silence(self) -> None:
        programme = ProgrammeFactory.create()
        test = LessonFactory.create(course__programme=programme, kind=LessonKind.QUIZ)
        place = EnrolmentFactory.create(programme=programme, activated_at=NOW - 60 * DAY, enrolled_at=NOW - 60 * DAY)
        assert risks_of(programme, now=NOW) == {RiskReason.NEVER_WATCHED: 1}
        LessonCompletion.objects.create(user=place.user, lesson=test, completed_at=NOW - 2 * DAY)
        assert risks_of(programme, now=NOW) == {}
        assert risks_of(programme, now=NOW + 30 * DAY) == {RiskReason.STOPPED: 1}


class TestHours:
    @given(audience=audiences, again=audiences, ended=st.none() | st.sampled_from((600.0, 86_400.0)))
    @some
    def test_minutes_by_the_clock_of_each_doctor(
        self, audience: list[Person], again: list[Person], ended: float | None
    ) -> None:
        """Of two lectures; the third one is of another programme."""
        first, second, foreign = make(audience, ended=ended), make(again[:2]), make(audience[:1])
        programme = first.lesson.course.programme
        Course.objects.filter(pk=second.lesson.course_id).update(programme=programme, position=2)
        for one in (first, second, foreign):
            refresh(webinar_id=one.pk, now=NOW, whole=True)
        expected: dict[tuple[int, int], int] = {}
        for phase in Phase:
            for webinar in (first, second):
                for (at, _, zone), (_, seconds) in reference.hours(webinar, phase).items():
                    local = at.astimezone(ZoneInfo(zone))
                    key = (local.weekday(), local.hour)
                    expected[key] = expected.get(key, 0) + seconds
        got = minutes_by_local_hour(programme_id=programme.pk)
        assert set(got) == set(expected)
        for key, seconds in expected.items():
            assert (seconds - 2) // 60 <= (got[key] or 0) <= (seconds + 2) // 60


def test_lectures_live_and_recorded_with_each_doctor_once() -> None:
    programme = ProgrammeFactory.create()
    course = CourseFactory.create(programme=programme)
    first, second = (WebinarFactory.create(lesson=LessonFactory.create(course=course)) for _ in range(2))
    both, live, staff = UserFactory.create(), UserFactory.create(), UserFactory.create()
    for user in (both, live):
        EnrolmentFactory.create(user=user, programme=programme)
    for user, webinar, phase, seconds in (
        (both, first, Phase.LIVE, 100),
        (both, first, Phase.ON_DEMAND, 50),
        (both, second, Phase.ON_DEMAND, 10),
        (live, first, Phase.LIVE, 80),
        (staff, first, Phase.LIVE, 999),
    ):
        WatchRecordFactory.create(user=user, webinar=webinar, phase=phase, coverage=((0, seconds),))
    WatchRecordFactory.create(user=both)  # elsewhere
    lines, total = lectures_of(programme_id=programme.pk)
    assert [(one.webinar, one.live, one.recorded, one.seconds) for one in lines] == [
        (first, 2, 1, 230),
        (second, 0, 1, 10),
    ]
    assert (total.people, total.live, total.recorded, total.seconds) == (2, 2, 1, 240)


def test_checks_find_what_is_missing_and_nothing_else() -> None:
    programme = ProgrammeFactory.create()
    assert set(checks_of(programme, now=NOW).values()) == {0}
    fields: dict[str, Any] = {"country": "DE", "specialty": "Gynaecology", "timezone_confirmed_at": NOW}
    for odd in (
        {},
        {"country": ""},
        {"specialty": ""},
        {"timezone_confirmed_at": None},
        {"registration_number": "Reg. 48-213", "medical_council": "Delhi"},
        {"registration_number": "REG 48213", "medical_council": "Delhi"},
        {"registration_number": "REG 48213", "medical_council": "Goa"},
    ):
        EnrolmentFactory.create(programme=programme, user=UserFactory.create(**(fields | odd)))
    EnrolmentFactory.create(user=UserFactory.create(country=""))
    EnrolmentFactory.create(programme=programme, status=EnrolmentStatus.WITHDRAWN, user=UserFactory.create(country=""))
    course = CourseFactory.create(programme=programme)
    draft = CourseFactory.create(programme=programme, status=PublishStatus.DRAFT)

    def lecture(course: Course = course, **given: Any) -> Webinar:
        made: Webinar = WebinarFactory.create(lesson=LessonFactory.create(course=course), **given)
        return made

    over: dict[str, Any] = {"video": None, "starts_at": NOW - 4 * DAY, "live_at": NOW - 4 * DAY}
    lecture()
    lecture(**over, ended_at=NOW - 3 * DAY)
    lecture(**over, ended_at=NOW - DAY)
    lecture(video=None)
    lecture(video=None, course=draft)
    lecture(video=None, starts_at=NOW + DAY)
    seen = WatchRecordFactory.create(webinar=lecture(), coverage=((0, 9),)).user
    for user, is_certified in ((seen, True), (UserFactory.create(**fields), False)):
        type(user).objects.filter(pk=user.pk).update(**fields)
        place = EnrolmentFactory.create(
            programme=programme, user=user, status=EnrolmentStatus.COMPLETED, completed_at=NOW - 2 * DAY
        )
        if is_certified:
            certify(place, "given", course=course, at=NOW)
    assert checks_of(programme, now=NOW) == {
        DataCheck.NO_COUNTRY: 1,
        DataCheck.NO_SPECIALTY: 1,
        DataCheck.ZONE_NOT_CONFIRMED: 1,
        DataCheck.SAME_NUMBER: 2,
        DataCheck.COMPLETED_UNSEEN: 1,
        DataCheck.NO_CERTIFICATE: 1,
        DataCheck.NO_RECORDING: 1,
        DataCheck.NO_CONTENT: 1,
    }


def test_the_inventory() -> None:
    programme = ProgrammeFactory.create()
    empty = inventory_of(programme, now=NOW)
    assert (empty.courses, empty.lessons, empty.recordings, empty.seconds) == (0, (), 0, 0.0)
    course = CourseFactory.create(programme=programme)
    CourseFactory.create(programme=programme, status=PublishStatus.DRAFT)
    WebinarFactory.create()
    captioned = WebinarFactory.create(lesson=LessonFactory.create(course=course), video__duration_seconds=1800.0)
    for language in ("en", "fr"):
        captioned.video.captions.create(language=language, label=language, path="x.vtt", cues=1, created_at=NOW)
    WebinarFactory.create(lesson=LessonFactory.create(course=course), video__duration_seconds=600.0)
    WebinarFactory.create(lesson=LessonFactory.create(course=course), video=None, starts_at=NOW + DAY)
    WebinarFactory.create(lesson=LessonFactory.create(course=course), video=None, starts_at=NOW - DAY)
    LessonFactory.create(course=course, kind=LessonKind.QUIZ)
    got = inventory_of(programme, now=NOW)
    assert (got.courses, got.drafts, got.recordings, got.captioned, got.seconds, got.to_come) == (2, 1, 2, 1, 2400.0, 1)
    assert dict(got.lessons) == {str(LessonKind.WEBINAR.label): 4, str(LessonKind.QUIZ.label): 1}
