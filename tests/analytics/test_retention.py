"""The curve against a slow, obvious count: second by second, person by person, in plain Python."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analytics.domain.axis import axis_of
from analytics.domain.retention import Curve, replays_of, retention_of
from core.ranges import Ranges, normalise
from tests.bench.analytics_world import fill
from tests.factories.accounts import UserFactory
from tests.factories.courses import EnrolmentFactory
from tests.factories.webinars import WatchRecordFactory
from tests.webinars.on_air import add_segments, make_live, publish
from tests.webinars.watching import make_enrolment, make_webinar
from webinars.domain.queries import watch_summary
from webinars.enums import Phase
from webinars.models import WatchRecord, Webinar

pytestmark = pytest.mark.django_db
Seen = tuple[Ranges | None, Ranges | None]  # live, recorded


def _watched(webinar: Webinar, seen: Seen, *, is_doctor: bool = True) -> None:
    user = UserFactory.create()
    if is_doctor:
        EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme)
    for phase, coverage in zip((Phase.LIVE, Phase.ON_DEMAND), seen, strict=True):
        if coverage is not None:
            WatchRecordFactory.create(user=user, webinar=webinar, phase=phase, coverage=coverage)


def _set(ranges: Ranges) -> set[int]:
    return {second for start, end in ranges for second in range(start, end)}


def _counted(webinar: Webinar) -> dict[str, list[int]]:
    """By series the viewers of each second. The map of each range is the Timeline's own, which has tests of its own."""
    axis = axis_of(webinar)
    programme = webinar.lesson.course.programme
    found = {name: [0] * axis.length for name in ("all", "live", "on_demand")}
    people: dict[int, set[int]] = {}
    for record in WatchRecord.objects.filter(webinar=webinar):
        if not record.user.enrolments.filter(programme=programme).exists():
            continue
        move = axis.live_to_axis if record.phase == Phase.LIVE else axis.uncut_to_axis
        seconds = _set(move(record.coverage))
        people.setdefault(record.user_id, set()).update(seconds)
        for second in seconds:
            found[record.phase][second] += 1
    for seen in people.values():
        for second in seen:
            found["all"][second] += 1
    return found


def _check(webinar: Webinar) -> None:
    axis = axis_of(webinar)
    got = retention_of(axis, webinar_id=webinar.pk, programme_id=webinar.lesson.course.programme_id)
    for name, curve in (("all", got.everybody), ("live", got.live), ("on_demand", got.recorded)):
        expected = _counted(webinar)[name]
        assert [curve.at(second) for second in range(axis.length)] == expected, name
        assert curve.at(axis.length) == 0
        assert curve.watched_seconds == sum(expected)
        assert curve.peak == max(expected, default=0)


def ranges(longest: int) -> Any:
    pairs = st.tuples(st.integers(0, longest), st.integers(1, longest)).map(lambda p: (p[0], p[0] + p[1]))
    return st.lists(pairs, max_size=4).map(normalise)


@st.composite
def broadcasts(draw: Any) -> dict[str, Any]:
    """Interruptions with odd lengths, cuts of whole seconds."""
    at, offset, spans = 0.0, 0.0, []
    for _ in range(draw(st.integers(1, 3))):
        at += draw(st.floats(0, 9.9).map(lambda value: round(value, 2)))
        length = draw(st.floats(5, 60).map(lambda value: round(value, 2)))
        spans.append((at, at + length, offset))
        at, offset = at + length, offset + length
    cuts = normalise(
        (start, min(start + length, int(offset)))
        for start, length in draw(st.lists(st.tuples(st.integers(0, int(offset) - 1), st.integers(1, 20)), max_size=2))
    )
    return {"spans": spans, "cuts": cuts if sum(end - start for start, end in cuts) < offset - 3 else ()}


people = st.lists(st.tuples(st.none() | ranges(120), st.none() | ranges(120)), max_size=5)
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# 5.5 + 6.88 - 6.88 is less than 5.5.
HALVES = {"spans": [(0.0, 5.5, 0.0), (6.88, 11.88, 5.5), (11.88, 16.88, 10.5)], "cuts": ()}


@given(broadcast=broadcasts(), seen=people)
@example(broadcast=HALVES, seen=[(((0, 7),), None), (((6, 9), (11, 13)), ((0, 6),))])
@some
def test_the_curve_of_a_recording_with_interruptions_and_cuts(broadcast: dict[str, Any], seen: list[Seen]) -> None:
    webinar = make_live()
    publish(webinar, **broadcast)
    for one in seen:
        _watched(webinar, one)
    _watched(webinar, (((0, 30),), ((0, 30),)), is_doctor=False)
    _check(Webinar.objects.get(pk=webinar.pk))


@given(seen=st.lists(st.tuples(st.none(), st.none() | ranges(700)), max_size=6))
@some
def test_the_curve_of_a_lecture_that_never_was_live(seen: list[Seen]) -> None:
    webinar = make_webinar(make_enrolment())
    for one in seen:
        _watched(webinar, one)
    _check(webinar)


def test_the_curve_while_it_is_live_follows_the_segments_that_there_are() -> None:
    webinar = make_live()
    add_segments(webinar.broadcasts.get(), [(0.0, 5), (14.0, 4)])
    _watched(webinar, (((0, 12), (15, 60)), None))
    _watched(webinar, (((4, 16),), None))
    _check(webinar)
    assert axis_of(webinar).length == 18


def test_a_persons_seconds_in_the_curve_are_those_of_their_own_bar() -> None:
    webinar = make_live()
    publish(webinar, spans=[(0.0, 33.4, 0.0), (41.3, 77.7, 33.4)], cuts=((5, 12),))
    webinar = Webinar.objects.get(pk=webinar.pk)
    user = UserFactory.create()
    EnrolmentFactory.create(user=user, programme=webinar.lesson.course.programme)
    WatchRecordFactory.create(user=user, webinar=webinar, phase=Phase.LIVE, coverage=((3, 35), (40, 50)))
    WatchRecordFactory.create(user=user, webinar=webinar, phase=Phase.ON_DEMAND, coverage=((10, 20), (55, 99)))
    summary = watch_summary(user=user, webinar_ids=[webinar.pk])[webinar.pk]
    curve = retention_of(
        axis_of(webinar), webinar_id=webinar.pk, programme_id=webinar.lesson.course.programme_id
    ).everybody
    assert {second for second in range(summary.length) if curve.at(second)} == _set(summary.coverage)


def test_nobody_and_nothing_to_watch() -> None:
    empty = make_webinar(make_enrolment())
    assert retention_of(axis_of(empty), webinar_id=empty.pk, programme_id=1).everybody == Curve()
    elsewhere = make_webinar(make_enrolment())
    Webinar.objects.filter(pk=elsewhere.pk).update(video=None)
    elsewhere.refresh_from_db()
    assert axis_of(elsewhere).length == 0
    assert retention_of(axis_of(elsewhere), webinar_id=elsewhere.pk, programme_id=1).length == 0


@given(steps=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), unique_by=lambda one: one[0], max_size=9))
def test_sampling_keeps_what_was_watched(steps: list[tuple[int, int]]) -> None:
    curve = Curve((*sorted({(0, 0), *steps}, key=lambda one: (one[0], -one[1])), (100, 0)))
    for points in (1, 7, 100, 900):
        drawn = curve.sampled(length=100, points=points)
        width = 100 / len(drawn)
        assert sum(value for _, value in drawn) * width == pytest.approx(curve.watched_seconds)
        assert len(drawn) == min(points, 100)


@pytest.mark.parametrize("curve", [retention_of, replays_of])
def test_the_cost_grows_with_the_people_and_not_with_their_pairs(curve: Callable[..., object]) -> None:
    """PostgreSQL knows nothing of how many a step of the statement gives to the next, and may compare all with all."""
    webinar = fill(doctors=400, webinars=1, viewers=1, crowd=1).webinars[0]
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        asked.append((statement, values))
        return execute(statement, values, many, context)

    axis, programme = axis_of(webinar), webinar.lesson.course.programme_id
    with connection.execute_wrapper(note):
        curve(axis, webinar_id=webinar.pk, programme_id=programme)
    ((statement, values),) = asked
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
        (found,) = cursor.fetchone()[0]

    def compared(node: dict[str, Any]) -> int:
        mine = int(node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"])
        return mine + sum(compared(child) for child in node.get("Plans", ()))

    assert compared(found["Plan"]) < 400 * 20
