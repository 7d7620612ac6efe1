"""A doctor's ring, courses, credits and the day of the certificate, on random data beside a walk through the rows."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import User
from analytics.domain.forecasting import Forecast
from analytics.domain.learning import Learning, learning_of
from analytics.domain.progress import read_programme
from analytics.enums import Outlook
from analytics.templatetags.progress import state_text
from certification.domain.chain import NewEntry, append, lock_chain
from certification.enums import AuthorityKey, EntryKind
from certification.models import LedgerEntry
from core.ranges import normalise
from courses.enums import CompletionRule, LessonKind, PublishStatus
from courses.models import CourseCompletion, Enrolment, LessonCompletion, Programme
from tests.factories.certification import AccreditationFactory, grant
from tests.factories.courses import CourseFactory, LessonFactory, ProgrammeFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.pages.world import World, make_world
from webinars.enums import Phase

pytestmark = pytest.mark.django_db
some = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/St_Johns", "Europe/Paris")


def _learning(user: User, programme: Programme, zone: str = "UTC") -> Learning:
    enrolment = Enrolment.objects.select_related("programme", "cohort").get(user=user, programme=programme)
    progress = read_programme(programme=enrolment.programme, enrolment=enrolment, user=user, now=NOW)
    return learning_of(progress, user=user, now=NOW, zone=ZoneInfo(zone))


amounts = st.sampled_from(("0.25", "0.75", "1.00", "1.50"))
claims = st.tuples(
    st.sampled_from((AuthorityKey.ACCME, AuthorityKey.EACCME)),
    amounts,
    st.lists(st.none() | amounts, max_size=2),  # what it is corrected to, or that it is taken back
    st.sampled_from(("mine", "mine", "mine", "of somebody else", "elsewhere")),
)


@given(drawn=st.lists(claims, max_size=5))
@some
def test_credits(drawn: list[Any]) -> None:
    world, other = make_world(1), make_world(1)
    doctor, colleague = world.doctor(), world.doctor()
    for authority, first, changes, whose in drawn:
        course = (other if whose == "elsewhere" else world).courses[0]
        lesson = LessonFactory.create(course=course)
        line = grant(
            credit=first,
            at=NOW,
            user=colleague if whose == "of somebody else" else doctor,
            accreditation=AccreditationFactory.create(activity__lesson=lesson, authority=authority),
        )
        for change in changes:
            kind = EntryKind.CREDIT_REVOKED if change is None else EntryKind.CREDIT_CORRECTED
            new = NewEntry(
                kind, line.user_id, claim_id=line.claim_id, credits=Decimal(change or "0.00"), reason="A mistake"
            )
            append(chain=lock_chain(course.programme), entries=[new], now=NOW)
    held: dict[int, tuple[str, Decimal]] = {}
    for entry in LedgerEntry.objects.order_by("programme", "number").select_related("claim"):
        if entry.user == doctor and entry.programme == world.programme and entry.claim and entry.credits is not None:
            held[entry.claim.pk] = (entry.claim.authority, entry.credits)
    expected: dict[str, Decimal] = {}
    for authority, amount in held.values():
        if amount:
            expected[authority] = expected.get(authority, Decimal(0)) + amount
    assert dict(_learning(doctor, world.programme).credits) == expected


SHORT = 600  # seconds of a lecture of the ring; nine tenths of them are needed
parts = st.lists(st.tuples(st.integers(0, 560), st.integers(1, 200)), max_size=2)
lessons = st.fixed_dictionaries(
    {
        "is_lecture": st.sampled_from((True, True, False)),
        "is_required": st.booleans(),
        "watched": st.none() | parts,
        "is_done": st.sampled_from((False, False, True)),
    }
)
courses = st.fixed_dictionaries(
    {
        "is_required": st.booleans(),
        "is_done": st.sampled_from((False, False, True)),
        "of_lessons": st.none() | st.integers(1, 2),  # so many are enough
        "lessons": st.lists(lessons, min_size=1, max_size=3),
    }
)


UNSEEN = {"is_lecture": True, "is_required": True, "watched": None, "is_done": False}
THREE = [{"is_required": True, "is_done": number == 0, "of_lessons": None, "lessons": [UNSEEN]} for number in range(3)]


@given(drawn=st.lists(courses, min_size=1, max_size=5), of_courses=st.none() | st.integers(1, 3))
@example(drawn=THREE, of_courses=2)
@settings(some, max_examples=40)
def test_the_ring_and_the_courses(drawn: list[dict[str, Any]], of_courses: int | None) -> None:
    """A second doctor has seen and done all of it; a course that is a draft is nobody's yet."""
    programme = ProgrammeFactory.create(
        completion_rule=CompletionRule.N_OF_M if of_courses else CompletionRule.ALL, required_count=of_courses
    )
    world = World(programme, [])
    doctor, busy = world.doctor(), world.doctor()
    for position, one in enumerate(drawn, 1):
        _make_course(programme, position, one, doctor, busy)
    WebinarFactory.create(
        lesson=LessonFactory.create(course=CourseFactory.create(programme=programme, status=PublishStatus.DRAFT))
    )
    enrolment = Enrolment.objects.select_related("programme", "cohort").get(user=doctor, programme=programme)
    got = read_programme(programme=programme, enrolment=enrolment, user=doctor, now=NOW)
    counted = [one for one in drawn if one["is_required"]] or drawn
    needed = of_courses or len(counted)  # more than there are, while the rest is being made
    done = min(needed, sum(one["is_done"] for one in counted))
    assert (got.done, got.needed) == (done, needed)
    left = sorted(_left(one) for one in counted if not one["is_done"])
    assert got.needed_seconds == sum(left[: needed - done])
    assert len(got.courses) == len(drawn)
    for course, one in zip(got.courses, drawn, strict=True):
        seen = [_seen(lesson) for lesson in one["lessons"]]
        whole = SHORT * sum(lesson["is_lecture"] for lesson in one["lessons"])
        finished = sum(lesson["is_done"] for lesson in one["lessons"])
        assert (course.seen_seconds, course.total_seconds, course.lessons_done) == (sum(seen), whole, finished)
        ranges, length = course.bar
        filled = sum(end - start for start, end in ranges)
        if one["is_done"]:
            assert (filled, state_text(course)) == (length, "Completed")
            continue
        assert (filled, length) == ((sum(seen), whole) if whole else (finished, len(seen)))
        words = "Not started"
        if sum(seen):
            words = f"{sum(seen) // 60} of {whole // 60} min"
        elif finished:
            words = f"{finished} of {len(seen)} lesson{'s' if len(seen) > 1 else ''}"
        assert state_text(course) == words


def _make_course(programme: Programme, position: int, one: dict[str, Any], doctor: User, busy: User) -> None:
    course = CourseFactory.create(
        programme=programme,
        position=position,
        is_required=one["is_required"],
        completion_rule=CompletionRule.N_OF_M if one["of_lessons"] else CompletionRule.ALL,
        required_count=one["of_lessons"],
    )
    for drawn in one["lessons"]:
        kind = LessonKind.WEBINAR if drawn["is_lecture"] else LessonKind.QUIZ
        lesson = LessonFactory.create(course=course, kind=kind, is_required=drawn["is_required"])
        if drawn["is_lecture"]:
            webinar = WebinarFactory.create(lesson=lesson, video__duration_seconds=float(SHORT), completion_percent=90)
            if drawn["watched"] is not None:
                watched = normalise([(start, start + length) for start, length in drawn["watched"]])
                WatchRecordFactory.create(user=doctor, webinar=webinar, coverage=watched)
            WatchRecordFactory.create(user=busy, webinar=webinar, coverage=((0, SHORT),))
        for user in (doctor, busy) if drawn["is_done"] else (busy,):
            LessonCompletion.objects.create(user=user, lesson=lesson, completed_at=NOW - DAY)
    for user in (doctor, busy) if one["is_done"] else (busy,):
        CourseCompletion.objects.create(user=user, course=course, completed_at=NOW - DAY)


def _seen(lesson: dict[str, Any]) -> int:
    watched = (lesson["watched"] or []) if lesson["is_lecture"] else []
    return len({second for start, length in watched for second in range(start, start + length) if second < SHORT})


def _left(course: dict[str, Any]) -> int:
    """The least that is still to be watched: of the lessons that count those that take least, as many as are asked."""
    counted = [one for one in course["lessons"] if one["is_required"]] or course["lessons"]
    open_ones = [one for one in counted if not one["is_done"]]
    each = sorted(max(0, SHORT * 9 // 10 - _seen(one)) if one["is_lecture"] else 0 for one in open_ones)
    asked = course["of_lessons"] or len(counted)
    return sum(each[: max(0, asked - (len(counted) - len(open_ones)))])


LONG, NEEDED = 3_600, 3_240  # a lecture, and nine tenths of it, in seconds
lectures = st.tuples(
    st.integers(0, 70),  # minutes of it that were watched
    st.floats(0.1, 60).map(lambda days: round(days, 2)),  # when that ended, in days before now
    st.sampled_from((0.0, 0.0, 0.3, 3.5, 40.0, 199.9)),  # in so many days its course opens
)


@given(
    drawn=st.lists(lectures, min_size=1, max_size=4),
    needed=st.integers(1, 4),
    closes=st.none() | st.sampled_from((0.5, 6.0, 30.0, 365.0)),
    zone=st.sampled_from(ZONES),
)
@some
def test_the_day_of_the_certificate(
    drawn: list[tuple[int, float, float]], needed: int, closes: float | None, zone: str
) -> None:
    """The doctor's own calendar, programmes that close, players that were open for four weeks and a bit."""
    needed = min(needed, len(drawn))
    programme = ProgrammeFactory.create(
        completion_rule=CompletionRule.N_OF_M,
        required_count=needed,
        closes_at=None if closes is None else NOW + closes * DAY,
    )
    doctor = World(programme, []).doctor()
    pieces: list[tuple[datetime, datetime]] = []
    for minutes, days_ago, opens in drawn:
        course = CourseFactory.create(programme=programme, opens_at=NOW + opens * DAY if opens else None)
        webinar = WebinarFactory.create(
            lesson=LessonFactory.create(course=course), video__duration_seconds=float(LONG), completion_percent=90
        )
        if minutes:
            end = NOW - days_ago * DAY
            piece = (end - timedelta(minutes=minutes), end)
            pieces.append(piece)
            WatchRecordFactory.create(
                user=doctor, webinar=webinar, phase=Phase.ON_DEMAND, coverage=((0, minutes * 60),), clock=[piece]
            )
    got = _learning(doctor, programme, zone).forecast
    # What would open after the programme has closed never opens.
    open_ones = [(minutes, opens) for minutes, _ago, opens in drawn if closes is None or opens < closes]
    if len(open_ones) < needed:
        assert got == Forecast(Outlook.OUT_OF_REACH)
        return
    left = sum(sorted(max(0, NEEDED - 60 * minutes) for minutes, _opens in open_ones)[:needed])
    wait = sorted(opens for _minutes, opens in open_ones)[needed - 1]
    assert got == _expected(left, wait, _watched_lately(pieces), closes, ZoneInfo(zone))


def _watched_lately(pieces: list[tuple[datetime, datetime]]) -> Fraction:
    """Seconds of the last 28 days in which any player was open: from each border of a piece to the next."""
    since = NOW - 28 * DAY
    borders = sorted({since, *(moment for piece in pieces for moment in piece if moment > since)})
    total = timedelta()
    for begin, end in pairwise(borders):
        if any(start <= begin and end <= stop for start, stop in pieces):
            total += end - begin
    return Fraction(total // timedelta(microseconds=1), 1_000_000)


def _expected(left: int, wait: float, lately: Fraction, closes: float | None, zone: ZoneInfo) -> Forecast:
    if not left and not wait:
        return Forecast(Outlook.NOTHING_TO_WATCH)
    if left and not lately:
        return Forecast(Outlook.NO_PACE)
    days = float(left / (lately / 28)) if left else 0.0
    if closes is not None and days > closes:
        weeks = max(1.0, closes / 7)
        return Forecast(Outlook.TOO_LATE, weekly_seconds=math.ceil(round(left / weeks, 6)))
    if days > 2 * 365:
        return Forecast(Outlook.FAR)
    ready = max(NOW + timedelta(days=days), NOW + wait * DAY)
    return Forecast(Outlook.READY, ready.astimezone(zone).date())
