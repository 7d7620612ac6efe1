"""Dates in messages: on the reader's clock, with its name."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminders.domain import moments

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Asia/Kolkata", "Thursday 26 November, 19:30 (Kolkata, UTC+5:30)"),
        ("Pacific/Kiritimati", "Friday 27 November, 04:00 (Kiritimati, UTC+14)"),
        ("Pacific/Pago_Pago", "Thursday 26 November, 03:00 (Pago Pago, UTC−11)"),
        ("UTC", "Thursday 26 November, 14:00 (UTC)"),
    ],
)
def test_a_start_is_said_on_the_readers_clock(zone: str, said: str) -> None:
    at = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
    assert moments.starts(at, zone=ZoneInfo(zone), now=NOW) == said


def test_another_year_is_named() -> None:
    at = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
    assert moments.starts(at, zone=ZoneInfo("UTC"), now=NOW) == "Monday 4 January 2027, 09:00 (UTC)"
    assert moments.date(at, zone=ZoneInfo("UTC"), now=NOW) == "Monday 4 January 2027"
    assert moments.date(at, zone=ZoneInfo("UTC"), now=at - timedelta(days=2)) == "Monday 4 January"


def test_the_offset_is_that_of_the_day_not_of_today() -> None:
    zone = ZoneInfo("Europe/Berlin")
    before, after = datetime(2026, 3, 28, 18, 0, tzinfo=UTC), datetime(2026, 3, 29, 18, 0, tzinfo=UTC)
    assert moments.starts(before, zone=zone, now=NOW).endswith("19:00 (Berlin, UTC+1)")
    assert moments.starts(after, zone=zone, now=NOW).endswith("20:00 (Berlin, UTC+2)")


def test_a_leap_day_is_a_day() -> None:
    at = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert moments.when(at, zone=ZoneInfo("UTC"), now=at - timedelta(days=1)) == "Tomorrow, 12:00 (UTC)"
    assert moments.date(at, zone=ZoneInfo("UTC"), now=at) == "Tuesday 29 February"


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        # At 23:30 UTC on the 25th: in Kolkata it is the 26th already, in Honolulu still the 25th.
        ("Asia/Kolkata", "Today, 19:30 (Kolkata)"),
        ("UTC", "Tomorrow, 14:00 (UTC)"),
        ("Pacific/Honolulu", "Tomorrow, 04:00 (Honolulu)"),
        ("Pacific/Kiritimati", "Tomorrow, 04:00 (Kiritimati)"),
    ],
)
def test_today_and_tomorrow_go_by_the_readers_midnight(zone: str, said: str) -> None:
    at, now = datetime(2026, 11, 26, 14, 0, tzinfo=UTC), datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    assert moments.when(at, zone=ZoneInfo(zone), now=now) == said


def test_further_away_the_day_has_its_name() -> None:
    at = datetime(2026, 12, 2, 14, 0, tzinfo=UTC)
    assert moments.when(at, zone=ZoneInfo("UTC"), now=NOW) == "Wednesday 2 December, 14:00 (UTC)"
    assert moments.short(at, zone=ZoneInfo("Asia/Kolkata")) == "2 Dec, 19:30 (Kolkata)"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(minutes=10), "10 min"),
        (timedelta(minutes=9, seconds=41), "10 min"),
        (timedelta(minutes=10, seconds=12), "10 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(seconds=20), "1 min"),
        (timedelta(seconds=-90), "1 min"),
    ],
)
def test_the_time_until_then_is_said_in_whole_minutes(left: timedelta, said: str) -> None:
    assert moments.until(NOW + left, now=NOW) == said
