"""Arrivals, the days of the recording, devices and replayed moments, against plain Python over the raw rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from accounts.enums import Role
from analytics.domain.axis import axis_of
from analytics.domain.cold.moving import SUMMARISE
from analytics.domain.playback import Report
from analytics.domain.presenting.coming import Coming, Day, Minute, coming_of
from analytics.domain.presenting.devices import Devices, devices_of
from analytics.domain.presenting.replays import Moment, moments_of
from analytics.domain.retention import Curve, replays_of
from analytics.domain.rollups.refreshing import refresh
from analytics.enums import DeviceKind
from analytics.models import PlaybackReport
from analytics.rendering.data import Series
from analytics.templatetags.chart_words import wall_day
from analytics.views import coming_charts
from core.ranges import Ranges, normalise
from tests.analytics import reference
from tests.analytics.audience import NOON, ZONES, Person, audiences, make
from tests.analytics.reports import IPHONE, WINDOWS, open_again, tell
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory, RoleGrantFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from tests.webinars.on_air import make_live, publish
from tests.webinars.watching import make_device, open_player
from webinars.enums import Phase
from webinars.models import PlaySession, Webinar

pytestmark = pytest.mark.django_db
some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LATER = NOON + timedelta(days=40)


@given(audience=audiences, ended=st.none() | st.sampled_from([600.0, 86_400.0]))
@some
def test_minutes_and_days_are_those_of_the_people(audience: list[Person], ended: float | None) -> None:
    webinar = make(audience, ended=ended)
    refresh(webinar_id=webinar.pk, now=LATER, whole=True)
    found = coming_of(webinar.pk)
    minutes = reference.minutes(webinar, Phase.LIVE)
    assert [(one.at, (one.people, one.arrivals, one.leavings)) for one in found.minutes] == sorted(minutes.items())
    highest = max((row[0] for row in minutes.values()), default=None)
    first = min((at for at, row in minutes.items() if row[0] == highest), default=None)
    assert (found.peak.at if found.peak else None) == first
    assert [replace(one, seconds=0) for one in found.days] == [replace(one, seconds=0) for one in _days(webinar)]
    assert [one.seconds for one in found.days] == pytest.approx([one.seconds for one in _days(webinar)], abs=3)


def _days(webinar: Webinar) -> list[Day]:
    """Day by day over all countries and specialties."""
    rows: dict[date, list[int]] = {}
    for (on, _country, _specialty), row in reference.days(webinar, Phase.ON_DEMAND).items():
        rows[on] = [a + b for a, b in zip(rows.get(on, [0, 0, 0]), row, strict=True)]
    return [Day(on, row[0], row[2], row[1]) for on, row in sorted(rows.items())]


def test_while_it_is_live_nobody_leaves_who_is_still_there() -> None:
    """Sixty people at ten past, each of whom told of being there within the last half minute."""
    webinar = WebinarFactory.create(starts_at=NOON, live_at=NOON)
    now = NOON + timedelta(minutes=10, seconds=5)
    for number in range(60):
        told = now - timedelta(seconds=number % 30 + 0.5)
        WatchRecordFactory.create(webinar=webinar, phase=Phase.LIVE, clock=((NOON, told),), last_beat_at=told)
    refresh(webinar_id=webinar.pk, now=now)
    rows = [(one.at, one.people, one.leavings) for one in coming_of(webinar.pk).minutes]
    assert rows == [(NOON + timedelta(minutes=minute), 60, 0) for minute in range(8)]
    refresh(webinar_id=webinar.pk, now=now + timedelta(minutes=3))  # they are gone, and now it is known
    assert [(one.people, one.leavings) for one in coming_of(webinar.pk).minutes][-2:] == [(60, 50), (10, 10)]


def _report(coming: Coming, *, is_over: bool) -> Any:
    return SimpleNamespace(coming=coming, webinar=SimpleNamespace(ended_at=NOON if is_over else None))


def _held(series: Series, at: float) -> float:
    """What a step shows at a moment."""
    before = [y for x, y in series.points if x <= at and y is not None]
    return before[-1] if before else 0.0


@given(
    minutes=st.dictionaries(st.integers(0, 90), st.tuples(*[st.integers(0, 9)] * 3), max_size=30),
    is_over=st.booleans(),
)
def test_the_curve_shows_every_minute_and_nothing_between(minutes: dict[int, Any], is_over: bool) -> None:
    rows = tuple(Minute(NOON + timedelta(minutes=at), *row) for at, row in sorted(minutes.items()))
    series = coming_charts.live(_report(Coming(rows), is_over=is_over))
    assert len(series) == (3 if minutes else 0)
    last = max(minutes, default=0)
    for place, one in enumerate(series):
        for minute in range(last + 5 if is_over else last + 1):
            at = (NOON + timedelta(minutes=minute, seconds=30)).timestamp()
            assert _held(one, at) == minutes.get(minute, (0, 0, 0))[place]


@given(days=st.dictionaries(st.dates(date(2026, 3, 1), date(2026, 4, 20)), st.integers(1, 9), min_size=1, max_size=9))
def test_days_keep_their_date_in_every_time_zone(days: dict[date, int]) -> None:
    rows = tuple(Day(on, people, 0, 60) for on, people in sorted(days.items()))
    for zone in (*ZONES, "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        with timezone.override(ZoneInfo(zone)):
            watched, _new = coming_charts.recorded(Coming((), rows))
            every = [min(days) + timedelta(days=n) for n in range((max(days) - min(days)).days + 1)]
            assert [(wall_day(x), y) for x, y in watched.points] == [
                (f"{on.day} {on:%b}", days.get(on, 0)) for on in every
            ]


tellings = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([WINDOWS, IPHONE]), st.integers(1, 3)), max_size=8)


def store() -> None:
    """The month goes to cold storage: what is left of it is what moving writes down."""
    with connection.cursor() as cursor:
        part, month = sql.Identifier(PlaybackReport._meta.db_table), sql.Literal(NOON.date().replace(day=1))
        cursor.execute(sql.SQL(SUMMARISE).format(part=part, month=month))
    PlaybackReport.objects.all().delete()


@given(tellings=tellings, is_cold=st.booleans())
@some
def test_devices_are_counted_once_a_viewing(tellings: list[tuple[int, str, int]], is_cold: bool) -> None:
    first = open_player()
    programme = first.webinar.lesson.course.programme
    sessions = [first, open_again(first), open_again(first)]
    staff = RoleGrantFactory.create(programme=programme, role=Role.MODERATOR).user
    trying = PlaySession.objects.create(
        user=staff, webinar=first.webinar, phase=Phase.ON_DEMAND, device=make_device(staff), media_seconds=600,
        required_seconds=540, started_at=first.started_at,
    )  # fmt: skip
    sessions.append(trying)
    other = open_player()
    for place, agent, number in tellings:
        tell(sessions[place], Report(number, play_ms=1_000), agent=agent)
    said: dict[Any, set[str]] = {}
    for report in PlaybackReport.objects.filter(webinar=first.webinar):
        if report.session_id != trying.pk:
            said.setdefault(report.session_id, set()).add(report.device)
    expected = Counter(DeviceKind(min(kinds)) for kinds in said.values())
    if is_cold:
        store()
    found = devices_of([first.webinar_id])
    assert (found.viewings, dict(found.kinds), found.told) == (3, dict(expected), len(said))
    assert [number for _kind, number in found.kinds] == sorted(expected.values(), reverse=True)
    both = devices_of([first.webinar_id, other.webinar_id])
    assert (both.viewings, both.kinds) == (4, found.kinds)
    assert devices_of([]) == Devices(0)


pairs = st.tuples(st.integers(0, 150), st.integers(1, 60)).map(lambda one: (one[0], one[0] + one[1]))
replays = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(Phase), st.lists(pairs, min_size=1, max_size=3).map(normalise)),
    max_size=9,
)


@given(is_cold=st.booleans(), told=replays, cuts=st.sampled_from([(), ((10, 40),), ((0, 5), (90, 130))]))
@some
def test_replays_stand_where_the_recording_shows_them(
    told: list[tuple[int, Phase, Ranges]], cuts: Ranges, is_cold: bool
) -> None:
    webinar = make_live()
    publish(webinar, spans=[(0.0, 60.0, 0.0), (75.4, 160.0, 60.0)], cuts=cuts)
    webinar = Webinar.objects.get(pk=webinar.pk)
    programme = webinar.lesson.course.programme
    people = [UserFactory.create() for _ in range(5)]
    for user in people[:4]:  # the fifth is no doctor of the programme
        EnrolmentFactory.create(user=user, programme=programme)
    for number, (who, phase, replayed) in enumerate(told):
        _replayed(webinar, people[who], phase, replayed, number)
    axis = axis_of(webinar)
    again: dict[int, set[int]] = {}
    for report in PlaybackReport.objects.filter(webinar=webinar):
        move = axis.live_to_axis if report.phase == Phase.LIVE else axis.uncut_to_axis
        who = PlaySession.objects.get(pk=report.session_id).user_id
        if who != people[4].pk:
            for start, end in move(report.replayed):
                for second in range(start, end):
                    again.setdefault(second, set()).add(who)
    if is_cold:
        store()
    curve = replays_of(axis, webinar_id=webinar.pk, programme_id=programme.pk)
    assert [curve.at(second) for second in range(axis.length)] == [
        len(again.get(second, ())) for second in range(axis.length)
    ]


def _replayed(webinar: Webinar, user: Any, phase: Phase, replayed: Ranges, number: int) -> None:
    is_live = phase == Phase.LIVE
    session = PlaySession.objects.create(
        user=user, webinar=webinar, phase=phase, device=make_device(user), media_seconds=200, required_seconds=200,
        started_at=NOON, epoch=NOON if is_live else None,
    )  # fmt: skip
    PlaybackReport.objects.create(
        session_started_at=NOON, session=session, number=number, webinar=webinar, phase=phase, received_at=NOON,
        device=DeviceKind.PHONE, network="wifi", play_ms=1, stall_ms=0, stalls=0, kbits=0, errors=0, replayed=replayed,
    )  # fmt: skip


def _moments(viewers: Sequence[int]) -> list[Moment]:
    """Second by second, with what is taken struck out."""
    left: list[int | None] = list(viewers)
    found: list[Moment] = []
    while len(found) < 5:
        most = max((one for one in left if one is not None), default=0)
        if most < 3 or (found and most < found[0].people / 4):
            break
        at = start = end = left.index(most)
        while start > 0 and (left[start - 1] or 0) >= most / 2 and left[start - 1] is not None:
            start -= 1
        while end + 1 < len(left) and (left[end + 1] or 0) >= most / 2 and left[end + 1] is not None:
            end += 1
        found.append(Moment(start, end + 1, at, most))
        for second in range(max(0, start - 60), min(len(left), end + 61)):
            left[second] = None
    return found


@given(parts=st.lists(st.tuples(st.integers(1, 90), st.integers(0, 12)), max_size=14))
@settings(max_examples=300, deadline=None)
def test_moments_are_the_hills_of_the_curve(parts: list[tuple[int, int]]) -> None:
    viewers = [people for length, people in parts for _ in range(length)]
    steps = [(at, people) for at, people in enumerate(viewers) if at == 0 or viewers[at - 1] != people]
    curve = Curve((*steps, (len(viewers), 0)) if viewers else ((0, 0),))
    assert list(moments_of(curve)) == _moments(viewers)
