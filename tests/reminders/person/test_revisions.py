"""Dates as they were announced: noticed by looking, numbered, told once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from courses.models import Lesson
from reminders.domain.revisions import announced, current, notice_changes
from reminders.models import ScheduleRevision
from tests.factories.webinars import LiveWebinarFactory, WebinarFactory
from tests.reminders.factories import NOW
from webinars.models import Webinar

STARTS = NOW + timedelta(days=3)


@pytest.fixture
def webinar(db: None) -> Webinar:
    return LiveWebinarFactory.create(starts_at=STARTS)


def change(webinar: Webinar, **values: Any) -> None:
    Webinar.objects.filter(pk=webinar.pk).update(**values)


def look(minutes: int = 0) -> list[tuple[int, bool, bool]]:
    """(number, moved, cancelled) of what was noticed."""
    found = notice_changes(now=NOW + timedelta(minutes=minutes))
    return [(one.revision.number, one.was_moved, one.was_cancelled) for one in found]


def test_the_first_look_announces_the_date_and_the_second_finds_nothing(webinar: Webinar) -> None:
    assert look() == [(0, False, False)]
    assert look(1) == []
    row = ScheduleRevision.objects.get()
    assert (row.webinar, row.title, row.starts_at, row.minutes, row.is_cancelled, row.noticed_at) == (
        webinar, webinar.lesson.title, STARTS, 60, False, NOW,
    )  # fmt: skip


def test_a_move_is_the_next_number(webinar: Webinar) -> None:
    look()
    change(webinar, starts_at=STARTS + timedelta(days=1))
    assert look(1) == [(1, True, False)]
    (moved,) = ScheduleRevision.objects.filter(number=1)
    assert moved.starts_at == STARTS + timedelta(days=1)


def test_another_title_or_length_is_the_next_number_and_no_move(webinar: Webinar) -> None:
    look()
    Lesson.objects.filter(pk=webinar.lesson_id).update(title="Another")
    assert look(1) == [(1, False, False)]
    change(webinar, planned_minutes=90)
    assert look(2) == [(2, False, False)]


def test_a_cancelled_one_is_told_once(webinar: Webinar) -> None:
    look()
    change(webinar, cancelled_at=NOW)
    assert look(1) == [(1, False, True)]
    assert look(2) == []


def test_a_date_that_is_taken_away_is_a_cancellation_of_that_date(webinar: Webinar) -> None:
    look()
    change(webinar, starts_at=None)
    assert look(1) == [(1, False, True)]
    assert ScheduleRevision.objects.get(number=1).starts_at == STARTS
    assert look(2) == []
    change(webinar, starts_at=STARTS + timedelta(days=9))
    assert look(3) == [(2, True, False)]


def test_what_nobody_was_told_of_is_not_taken_back(db: None) -> None:
    LiveWebinarFactory.create(starts_at=STARTS, cancelled_at=NOW)
    WebinarFactory.create()
    LiveWebinarFactory.create(starts_at=NOW - timedelta(days=30))
    LiveWebinarFactory.create(
        starts_at=NOW - timedelta(hours=1), live_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(minutes=5)
    )
    assert look() == []


def test_a_date_that_went_live_before_anybody_looked_is_noticed_on_the_air(webinar: Webinar) -> None:
    LiveWebinarFactory.create(starts_at=NOW, live_at=NOW)
    assert look() == [(0, False, False)] * 2
    earlier = STARTS - timedelta(minutes=30)
    change(webinar, starts_at=earlier, live_at=earlier)
    assert look(1) == [(1, True, False)]
    Lesson.objects.filter(pk=webinar.lesson_id).update(title="Another")
    change(webinar, planned_minutes=90)
    assert look(2) == []


@pytest.mark.parametrize("rows", [1, 3])
def test_a_look_costs_the_same_for_many(rows: int, db: None, django_assert_num_queries: Any) -> None:
    for _ in range(rows):
        LiveWebinarFactory.create(starts_at=STARTS)
    look()
    Webinar.objects.update(starts_at=STARTS + timedelta(days=1))
    with django_assert_num_queries(5):  # with the savepoint
        assert look(1) == [(1, True, False)] * rows


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_notice_each_change_once() -> None:
    LiveWebinarFactory.create_batch(5, starts_at=STARTS)
    gate, found = threading.Barrier(2), []

    def run() -> None:
        try:
            gate.wait(60)
            found.extend(look())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [(0, False, False)] * 5
    assert ScheduleRevision.objects.count() == 5


def test_calendars_say_today_what_the_next_look_will_write(webinar: Webinar, django_assert_num_queries: Any) -> None:
    def shown() -> tuple[int, Any, bool]:
        one = announced([Webinar.objects.select_related("lesson").get(pk=webinar.pk)])[webinar.pk]
        return one.number, one.starts_at, one.is_cancelled

    assert shown() == (0, STARTS, False)
    assert ScheduleRevision.objects.count() == 0
    look()
    assert shown() == (0, STARTS, False)
    change(webinar, starts_at=STARTS + timedelta(days=1))
    assert shown() == (1, STARTS + timedelta(days=1), False)
    look()
    assert shown() == (1, STARTS + timedelta(days=1), False)
    change(webinar, cancelled_at=NOW)
    assert shown() == (2, STARTS + timedelta(days=1), True)
    listed = list(Webinar.objects.select_related("lesson"))
    with django_assert_num_queries(1):
        announced(listed)


def test_the_newest_of_each(webinar: Webinar) -> None:
    other = LiveWebinarFactory.create(starts_at=STARTS)
    look()
    change(webinar, planned_minutes=30)
    look(1)
    assert {pk: one.number for pk, one in current([webinar.pk, other.pk]).items()} == {webinar.pk: 1, other.pk: 0}
    assert current([]) == {}
