"""Pure: no database, a fixed `now`."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.domain.availability import Availability, Missing, State, state_of_course, state_of_lesson
from courses.models import Cohort, Course, Lesson, Programme

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)
LATER = NOW + timedelta(days=2)


def course_state(**given: Any) -> Availability:
    facts: dict[str, Any] = {
        "course": Course(pk=1, position=1, title="Ovarian reserve"),
        "programme": Programme(pk=1),
        "cohort": None,
        "prerequisites": (),
        "completed_course_ids": (),
        "now": NOW,
    }
    return state_of_course(**facts | given)


def test_without_any_window_it_is_open() -> None:
    assert course_state() == Availability(State.OPEN)


@pytest.mark.parametrize("where", ["programme", "cohort", "course"])
def test_each_window_can_hold_it_back_and_close_it(where: str) -> None:
    made = {"programme": Programme, "cohort": Cohort, "course": Course}[where]
    assert course_state(**{where: made(pk=1, opens_at=AFTER)}) == Availability(State.NOT_YET, opens_at=AFTER)
    assert course_state(**{where: made(pk=1, closes_at=BEFORE)}) == Availability(State.CLOSED, closes_at=BEFORE)
    assert course_state(**{where: made(pk=1, opens_at=BEFORE, closes_at=AFTER)}).is_open


def test_the_latest_opening_and_the_earliest_closing_hold() -> None:
    state = course_state(
        programme=Programme(opens_at=BEFORE, closes_at=LATER),
        cohort=Cohort(opens_at=BEFORE - timedelta(days=9), closes_at=AFTER),
    )
    assert state == Availability(State.OPEN, opens_at=BEFORE, closes_at=AFTER)


def test_windows_that_never_meet_are_closed_not_promised() -> None:
    state = course_state(programme=Programme(opens_at=LATER), course=Course(pk=1, closes_at=AFTER))
    assert state.state is State.CLOSED


def test_it_opens_and_closes_at_the_very_moment() -> None:
    course = Course(pk=1, opens_at=NOW, closes_at=AFTER)
    assert course_state(course=course).is_open
    assert course_state(course=course, now=NOW - timedelta(microseconds=1)).state is State.NOT_YET
    assert course_state(course=course, now=AFTER).state is State.CLOSED
    assert course_state(course=course, now=AFTER - timedelta(microseconds=1)).is_open


def test_missing_courses_lock_in_their_order() -> None:
    first = Course(pk=7, position=1, title="Preconception")
    second = Course(pk=5, position=2, title="PCOS")
    state = course_state(prerequisites=[second, first])
    assert state == Availability(State.LOCKED, missing=(Missing(7, "Preconception"), Missing(5, "PCOS")))
    assert course_state(prerequisites=[second, first], completed_course_ids={7}).missing == (Missing(5, "PCOS"),)
    assert course_state(prerequisites=[second, first], completed_course_ids={5, 7}).is_open


def test_a_completed_course_is_never_locked() -> None:
    """A prerequisite added later does not shut out who was through already."""
    assert course_state(prerequisites=[Course(pk=7, position=1)], completed_course_ids={1}).is_open


def test_the_date_is_told_before_the_lock() -> None:
    state = course_state(course=Course(pk=1, opens_at=AFTER), prerequisites=[Course(pk=7, position=1, title="PCOS")])
    assert state.state is State.NOT_YET
    assert state.missing == (Missing(7, "PCOS"),)


def lesson_state(
    number: int, *, course: Course | None = None, done: Collection[int] = (), **window: Any
) -> Availability:
    """The lesson of this number of four; the third is optional."""
    lessons = [Lesson(pk=n, position=n, title=f"L{n}", is_required=n != 3) for n in (1, 2, 3, 4)]
    for name, value in window.items():
        setattr(lessons[number - 1], name, value)
    return state_of_lesson(
        lesson=lessons[number - 1],
        course=course or Course(pk=1, is_sequential=True),
        course_state=Availability(State.OPEN),
        lessons=reversed(lessons),
        completed_lesson_ids=done,
        now=NOW,
    )


def test_a_sequential_course_asks_for_the_required_lessons_before() -> None:
    assert lesson_state(1).is_open
    assert lesson_state(4).missing == (Missing(1, "L1"), Missing(2, "L2"))
    assert lesson_state(4, done={1, 2}).is_open


def test_a_completed_lesson_stays_open_when_one_is_put_before_it() -> None:
    assert lesson_state(4, done={4}).is_open


def test_without_an_order_every_lesson_is_open() -> None:
    assert lesson_state(4, course=Course(pk=1)).is_open


def test_the_lessons_own_window_counts_too() -> None:
    assert lesson_state(1, opens_at=AFTER) == Availability(State.NOT_YET, opens_at=AFTER)


def test_a_locked_course_locks_its_lessons() -> None:
    state = state_of_lesson(
        lesson=Lesson(pk=1, position=1),
        course=Course(pk=1),
        course_state=Availability(State.LOCKED, missing=(Missing(9, "PCOS"),)),
        lessons=[],
        completed_lesson_ids=(),
        now=NOW,
    )
    assert state == Availability(State.LOCKED, missing=(Missing(9, "PCOS"),))


moments = st.none() | st.integers(-5, 5).map(lambda days: NOW + timedelta(days=days))


windows_of_three = st.tuples(*[st.tuples(moments, moments)] * 3)


@given(windows_of_three)
def test_open_means_inside_every_window(windows: tuple[tuple[datetime | None, datetime | None], ...]) -> None:
    programme, cohort, course = (
        made(pk=1, opens_at=opens, closes_at=closes)
        for made, (opens, closes) in zip((Programme, Cohort, Course), windows, strict=True)
    )
    inside = all((not opens or opens <= NOW) and (not closes or closes > NOW) for opens, closes in windows)
    assert course_state(programme=programme, cohort=cohort, course=course).is_open is inside
