"""A doctor's page of progress: each number against a slow count of raw rows, in every state, and what it costs."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.domain.erasure import erase, own_data
from accounts.enums import Role
from accounts.models import User
from analytics.domain.learning import LEAST_COHORT, Learning, learning_of
from analytics.domain.progress import read_programme
from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import AuthorityKey, EntryKind
from certification.models import LedgerEntry
from courses.enums import EnrolmentStatus
from courses.models import Course, CourseCompletion, Enrolment, LessonCompletion, Programme
from tests.factories.certification import grant
from tests.factories.courses import CohortFactory, EnrolmentFactory, LessonFactory, ProgrammeFactory, RoleGrantFactory
from tests.factories.webinars import WebinarFactory
from tests.pages.html import Page
from tests.pages.world import DAY, World, complete, make_world, read, read_as, watch
from tests.signing_in import signed_in
from tests.webinars.on_air import make_live, publish
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday


def _path(world: World) -> str:
    return f"/progress/{world.programme.slug}/"


def _learning(user: User, programme: Programme, zone: ZoneInfo) -> Learning:
    enrolment = Enrolment.objects.select_related("programme", "cohort").get(user=user, programme=programme)
    progress = read_programme(programme=enrolment.programme, enrolment=enrolment, user=user, now=NOW)
    return learning_of(progress, user=user, now=NOW, zone=zone)


class TestNumbers:
    """Second by second and day by day, in plain Python."""

    def _seen(self, user: User, webinar: Webinar) -> set[int]:
        """Seconds of the recording: live ones moved by the spans of `publish` below, which leave out ten seconds."""
        found: set[int] = set()
        for record in WatchRecord.objects.filter(user=user, webinar=webinar):
            seconds = {second for start, end in record.coverage for second in range(start, end)}
            if record.phase == Phase.LIVE:
                seconds = {one if one < 100 else one - 10 for one in seconds if one < 100 or one >= 110}
            found |= {second for second in seconds if second < 600}
        return found

    def _weeks(self, user: User, zone: ZoneInfo) -> dict[Any, int]:
        """Whole seconds at lectures by local Monday; 0 for a week in which only something was completed."""
        seconds: set[datetime] = set()
        for record in WatchRecord.objects.filter(user=user):
            for start, end in record.clock:
                until = min(end, record.webinar.ended_at or end) if record.phase == Phase.LIVE else end
                seconds |= {start + timedelta(seconds=n) for n in range(max(0, int((until - start).total_seconds())))}
        weeks: dict[Any, int] = {}
        for moment in seconds:
            weeks[_monday(moment, zone)] = weeks.get(_monday(moment, zone), 0) + 1
        for deed in LessonCompletion.objects.filter(user=user):
            weeks.setdefault(_monday(deed.completed_at, zone), 0)
        return weeks

    @given(
        watched=st.lists(
            st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 500), st.integers(1, 300), st.integers(0, 70)),
            max_size=5,
            unique_by=lambda one: one[:2],
        ),
        deeds=st.lists(st.integers(0, 70), max_size=2),
        zone=st.sampled_from(("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris", "Asia/Kolkata")),
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_minutes_weeks_and_streak(self, watched: list[Any], deeds: list[int], zone: str) -> None:
        there, world = ZoneInfo(zone), make_world(2, duration=600.0)
        doctor, stranger = world.doctor(), world.doctor()
        lectures = [course.lessons.get().webinar for course in world.courses]
        course = Course.objects.create(programme=world.programme, position=3, title="Live", status="published")
        lectures.append(_broadcast(course))
        for place, is_live, start, length, days_ago in watched:
            begin = NOW - days_ago * DAY - timedelta(hours=place * 7)
            phase = Phase.LIVE if is_live and place == 2 else Phase.ON_DEMAND
            for user in (doctor, stranger)[: 1 if WatchRecord.objects.filter(user=doctor).count() % 2 else 2]:
                WatchRecord.objects.get_or_create(
                    user=user,
                    webinar=lectures[place],
                    phase=phase,
                    defaults={
                        "coverage": ((start, start + length),),
                        "seen_seconds": length,
                        "required_seconds": 540,
                        "clock": [(begin, begin + timedelta(seconds=length))],
                        "first_beat_at": begin,
                        "last_beat_at": begin,
                    },
                )
        for number, days_ago in enumerate(deeds):
            complete(doctor, world.courses[number], at=NOW - days_ago * DAY)
        got = _learning(doctor, world.programme, there)
        seen = [self._seen(doctor, lecture) for lecture in lectures]
        done = set(CourseCompletion.objects.filter(user=doctor).values_list("course", flat=True))
        left = [
            max(0, 540 - len(one))
            for one, lecture in zip(seen, lectures, strict=True)
            if lecture.lesson.course_id not in done
        ]
        assert (got.watched_seconds, got.needed_seconds) == (sum(map(len, seen)), sum(left))
        weeks = self._weeks(doctor, there)
        mondays = [_monday(NOW, there) - timedelta(days=7 * n) for n in range(8)]
        known = {week.begins: (week.seconds, week.is_active) for week in got.weeks}
        assert known == {
            monday: (weeks.get(monday, 0), monday in weeks)
            for monday in mondays
            if monday >= min(weeks, default=mondays[0])
        }
        row = [_monday(NOW, there) - timedelta(days=7 * n) for n in range(0 if mondays[0] in weeks else 1, 20)]
        assert got.streak == next(n for n, monday in enumerate(row) if monday not in weeks)

    def test_credits_are_what_the_newest_line_of_each_claim_says(self) -> None:
        world = make_world(3)
        doctor, other = world.doctor(), world.doctor()
        for number, (credit, authority) in enumerate(
            (("0.75", AuthorityKey.ACCME), ("1.50", AuthorityKey.ACCME), ("3.00", AuthorityKey.EACCME))
        ):
            lesson = world.courses[number].lessons.get()
            line = grant(
                credit=credit,
                user=doctor,
                lesson=lesson,
                accreditation__activity__lesson=lesson,
                accreditation__authority=authority,
            )
            assert line.claim is not None
            grant(credit="9.00", user=other, lesson=lesson, accreditation=line.claim.accreditation)
            if number == 1:
                less = NewEntry(
                    EntryKind.CREDIT_CORRECTED, doctor.pk, claim_id=line.claim_id, credits=Decimal("1.25"), reason="x"
                )
                append(chain=lock_chain(world.programme), entries=[less], now=now())
        grant(credit="7.00", user=doctor)  # of another programme
        newest: dict[int, LedgerEntry] = {}
        for line in LedgerEntry.objects.filter(user=doctor, programme=world.programme).order_by("number"):
            if line.claim_id and line.kind in {EntryKind.CREDIT_GRANTED, EntryKind.CREDIT_CORRECTED}:
                newest[line.claim_id] = line
        expected: dict[str, Decimal] = {}
        for line in newest.values():
            assert line.claim is not None
            assert line.credits is not None
            expected[line.claim.authority] = expected.get(line.claim.authority, Decimal(0)) + line.credits
        assert expected == {"accme": Decimal("2.00"), "eaccme": Decimal("3.00")}
        assert dict(_learning(doctor, world.programme, ZoneInfo("UTC")).credits) == expected
        page = read_as(doctor, _path(world))
        assert "2 AMA PRA Category 1 (ACCME)" in page.text
        assert "3 EACCME (UEMS)" in page.text


def _broadcast(course: Course) -> Webinar:
    """Ten minutes of recording, with an interruption of ten seconds after 100; it ended thirty days ago."""
    lecture = WebinarFactory.create(lesson=LessonFactory.create(course=course))
    webinar = make_live(webinar=lecture, epoch=NOW - 30 * DAY - timedelta(minutes=11))
    publish(webinar, spans=[(0.0, 100.0, 0.0), (110.0, 610.0, 100.0)])
    Webinar.objects.filter(pk=webinar.pk).update(ended_at=NOW - 30 * DAY)
    return Webinar.objects.get(pk=webinar.pk)


def _monday(at: datetime, zone: ZoneInfo) -> Any:
    day = at.astimezone(zone).date()
    while day.weekday():
        day -= timedelta(days=1)
    return day


class TestPage:
    def test_a_doctor_on_the_way(self) -> None:
        world = make_world(3, title="Fertility 2026")
        doctor = world.doctor()
        complete(doctor, world.courses[0])
        begin = now() - timedelta(minutes=40)
        watch(doctor, world.courses[1], (0, 1450), clock=[(begin, begin + timedelta(seconds=1450))])
        page = read_as(doctor, _path(world))
        assert page.one("h1").text == "Your progress"
        (button,) = [one for one in page.all("a", "button") if not one.has_class("quiet")]
        assert button.text == "Continue from 24:10"
        assert button.attrs["href"] == f"/webinars/{world.courses[1].lessons.get().webinar.pk}/"
        assert "24 min 1 h 24 min still to watch for the certificate" in page.text
        assert re.search(r"At this pace your certificate is ready on \d+ \w+( 20\d\d)?\.", page.text)
        tiles = [f"{n}. Fertility 2026: course {n}" for n in (1, 2, 3)]
        assert [one.text for one in page.all("h3")][:3] == tiles
        assert [one.text for one in page.all("p", "state")] == ["Completed", "24 of 60 min", "Not started"]
        assert re.search(r"Weeks in a row [12] This week is in it", page.text)  # two around the midnight to Monday

    @pytest.mark.parametrize(
        ("programme", "words"),
        [
            ({}, "You watched nothing in the last four weeks, so no day can be said."),
            ({"closes_at": now() - DAY}, "The programme has ended, so nothing more can be added to it."),
            ({"opens_at": now() + DAY}, "A day can be said once the programme has begun"),
        ],
    )
    def test_nothing_watched(self, programme: dict[str, Any], words: str) -> None:
        world = make_world(2, **programme)
        page = read_as(world.doctor(), _path(world))
        assert words in page.text
        assert "Weeks in a row 0 A few minutes are enough to begin a row" in page.text
        assert "0 They come with the first accredited lecture that you finish" in page.text

    def test_finished(self) -> None:
        world = make_world(2)
        doctor = world.doctor()
        complete(doctor, *world.courses)
        page = read_as(doctor, _path(world))
        assert "You did everything for it on" in page.text
        assert page.links()["My certificates"] == "/certificates/"
        assert [one.text for one in page.all("p", "state")] == ["Completed", "Completed"]

    def test_a_programme_without_courses(self) -> None:
        world = World(ProgrammeFactory.create(), [])
        page = read_as(world.doctor(), _path(world))
        assert "Not everything that counts for it has a date yet" in page.text
        assert page.all("ol", "tiles") == []

    def test_home_and_the_programme_lead_there(self) -> None:
        world = make_world(1)
        browser = signed_in(world.doctor())
        for path in ("/", f"/programmes/{world.programme.slug}/"):
            assert read(browser, path).links()["Your progress in numbers"] == _path(world)
        moderator = RoleGrantFactory.create(programme=world.programme, role=Role.MODERATOR).user
        assert "Your progress in numbers" not in read_as(moderator, f"/programmes/{world.programme.slug}/").links()

    def test_only_whoever_has_a_place_in_the_programme_has_progress(self) -> None:
        world, other = make_world(1), make_world(1)
        for status in (EnrolmentStatus.SUSPENDED, EnrolmentStatus.WITHDRAWN):
            user = EnrolmentFactory.create(programme=world.programme, status=status).user
            read_as(user, _path(world), status=404)
        read_as(other.doctor(), _path(world), status=404)
        Programme.objects.update(status="draft")
        read_as(world.doctor(), _path(world), status=404)

    def test_it_costs_the_same_whatever_the_number_of_courses(self, django_assert_num_queries: Any) -> None:
        for number in (1, 3):
            world = make_world(number)
            doctor = world.doctor(compares_progress=True)
            for course in world.courses:
                watch(doctor, course, (0, 600))
            browser = signed_in(doctor)
            browser.get(_path(world))
            with django_assert_num_queries(QUERIES):
                browser.get(_path(world))


QUERIES = 12


class TestComparison:
    @pytest.fixture
    def world(self) -> World:
        return make_world(2)

    def _page(self, world: World, doctor: User) -> Page:
        return read(signed_in(doctor), _path(world))

    def test_nobody_is_compared_who_has_not_asked_for_it(self, world: World) -> None:
        doctor = world.doctor()
        for _ in range(LEAST_COHORT):
            world.doctor()
        browser = signed_in(doctor)
        assert "colleagues have" not in read(browser, _path(world)).text
        response = browser.post(f"{_path(world)}comparison/", {"wanted": "yes"})
        assert (response.status_code, response["Location"]) == (302, f"{_path(world)}#comparison")
        assert [one.pk for one in User.objects.filter(compares_progress=True)] == [doctor.pk]
        page = read(browser, _path(world))
        assert f"At least half of your {LEAST_COHORT} colleagues have not completed a course yet." in page.text
        browser.post(f"{_path(world)}comparison/", {"wanted": "no"})
        assert not User.objects.filter(compares_progress=True).exists()
        browser.post(f"{_path(world)}comparison/", {"wanted": "perhaps"})
        assert not User.objects.filter(compares_progress=True).exists()
        assert "colleagues have" not in read(browser, _path(world)).text

    def test_what_it_says(self, world: World) -> None:
        doctor = world.doctor(compares_progress=True)
        complete(doctor, world.courses[0])
        for number in range(LEAST_COHORT + 1):
            complete(world.doctor(), *world.courses[: (0, 1, 1, 2)[number % 4]])
        page = self._page(world, doctor)
        assert "Half of your 21 colleagues have completed 1 course or more. You are ahead of 28% of them." in page.text
        assert "Colleagues are the other doctors of this programme." in page.text
        group = CohortFactory.create(programme=world.programme, name="<b>Spring</b>")
        Enrolment.objects.update(cohort=group)
        assert "the other doctors of your group, <b>Spring</b>." in self._page(world, doctor).text

    def test_a_group_in_which_somebody_could_be_recognised(self, world: World) -> None:
        doctor = world.doctor(compares_progress=True)
        for _ in range(LEAST_COHORT - 1):
            world.doctor()
        assert "There are too few of you" in self._page(world, doctor).text
        world.doctor()
        assert "There are too few of you" not in self._page(world, doctor).text

    def test_the_choice_goes_with_the_person(self, world: World) -> None:
        doctor = world.doctor(compares_progress=True)
        assert own_data(doctor)["profile"]["compares_progress"] is True
        erase(user=doctor, now=now())
        doctor.refresh_from_db()
        assert doctor.compares_progress is False
