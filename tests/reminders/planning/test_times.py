"""The doctor's own clock: both changes of it, zones from one end of the day to the other, midnight and the leap day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.time import zone_names
from reminders.domain.times import due_of, local_days, local_weeks, moment_of, next_allowed, zone_named

LONDON, NEW_YORK, KOLKATA = ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")
ZONES = sorted(zone_names())
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (
            "America/New_York",
            "2027-03-14",
            "02:30",
            "2027-03-14T07:00",
        ),  # 02:00 to 03:00 is missing: the first after it
        ("America/New_York", "2027-03-14", "03:00", "2027-03-14T07:00"),
        ("America/New_York", "2027-03-14", "01:59", "2027-03-14T06:59"),
        ("America/New_York", "2027-11-07", "01:30", "2027-11-07T05:30"),  # twice: the first
        ("America/New_York", "2027-11-07", "02:00", "2027-11-07T07:00"),
        ("Europe/London", "2027-03-28", "01:15", "2027-03-28T01:00"),
        ("Europe/London", "2027-10-31", "01:15", "2027-10-31T00:15"),
        ("Australia/Lord_Howe", "2027-10-03", "02:15", "2027-10-02T15:30"),  # half an hour is missing
        ("Africa/Cairo", "2027-04-30", "00:00", "2027-04-29T22:00"),  # midnight itself is missing
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T10:00"),  # the whole day is missing
        ("Pacific/Kiritimati", "2027-01-01", "00:00", "2026-12-31T10:00"),  # +14
        ("Pacific/Pago_Pago", "2027-01-01", "00:00", "2027-01-01T11:00"),  # −11
        ("Asia/Kathmandu", "2028-02-29", "08:00", "2028-02-29T02:15"),
        ("Mars/Olympus", "2027-01-01", "08:00", "2027-01-01T08:00"),  # nobody knows it: UTC
        ("", "2027-01-01", "08:00", "2027-01-01T08:00"),
        ("../../etc/passwd", "2027-01-01", "08:00", "2027-01-01T08:00"),
    ],
)
def test_a_time_of_a_day_is_one_moment(zone: str, day: str, at: str, expected: str) -> None:
    assert moment_of(date.fromisoformat(day), time.fromisoformat(at), zone_named(zone)) == utc(expected)


@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2026, 1, 1), date(2035, 12, 31)),
    at=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
)
def test_every_moment_reads_as_asked_or_stands_at_the_end_of_a_gap(zone: str, day: date, at: time) -> None:
    named = ZoneInfo(zone)
    found = moment_of(day, at, named)
    local = found.astimezone(named).replace(tzinfo=None)
    wanted = datetime.combine(day, at)
    if local == wanted:
        earlier = (found - timedelta(hours=1)).astimezone(named).replace(tzinfo=None)
        assert earlier != wanted  # of two the first
    else:
        before = (found - timedelta(microseconds=1)).astimezone(named).replace(tzinfo=None)
        assert before < wanted < local


def test_a_day_before_in_the_evening_follows_the_clock_through_its_change() -> None:
    """A webinar on the Monday after clocks go forward: Sunday, 18:00 by the new time."""
    event = utc("2027-03-29T17:00")
    due = due_of(event, offset_minutes=-1440, local_time=time(18), zone=LONDON)
    assert due == utc("2027-03-28T17:00")
    assert due_of(event, offset_minutes=-2880, local_time=time(18), zone=LONDON) == utc("2027-03-27T18:00")


def test_without_an_hour_of_the_day_offsets_are_real_minutes() -> None:
    event = utc("2027-03-28T10:00")
    assert due_of(event, offset_minutes=-1440, local_time=None, zone=LONDON) == utc("2027-03-27T10:00")
    assert due_of(event, offset_minutes=-60, local_time=None, zone=KOLKATA) == utc("2027-03-28T09:00")


def test_the_day_is_the_doctors_day() -> None:
    """23:30 UTC is the next day in Kolkata, and the day before in Pago Pago at 10:00 UTC."""
    event = utc("2027-01-12T23:30")
    assert due_of(event, offset_minutes=-60, local_time=time(8), zone=KOLKATA) == utc("2027-01-13T02:30")
    samoa = ZoneInfo("Pacific/Pago_Pago")
    assert due_of(utc("2027-01-12T10:00"), offset_minutes=-1, local_time=time(8), zone=samoa) == utc("2027-01-11T19:00")


def test_after_an_event_the_hour_is_the_next_one_not_one_that_has_passed() -> None:
    event = utc("2027-01-12T14:30")  # 20:00 in Kolkata
    assert due_of(event, offset_minutes=0, local_time=time(18), zone=KOLKATA) == utc("2027-01-13T12:30")
    assert due_of(event, offset_minutes=0, local_time=time(20), zone=KOLKATA) == event


def test_the_leap_day() -> None:
    event = utc("2028-03-01T12:00")
    assert due_of(event, offset_minutes=-1440, local_time=time(9), zone=LONDON) == utc("2028-02-29T09:00")
    assert due_of(utc("2028-02-29T12:00"), offset_minutes=1440 * 366, local_time=None, zone=LONDON) == utc(
        "2029-03-01T12:00"
    )


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2027-01-12T20:59", "2027-01-12T20:59"),
        ("2027-01-12T21:00", "2027-01-13T08:00"),
        ("2027-01-13T00:00", "2027-01-13T08:00"),
        ("2027-01-13T07:59", "2027-01-13T08:00"),
        ("2027-01-13T08:00", "2027-01-13T08:00"),
        ("2027-03-28T00:30", "2027-03-28T07:00"),  # the night in which clocks go forward: eight o'clock by the new time
        ("2027-10-31T00:30", "2027-10-31T08:00"),
    ],
)
def test_the_night_is_quiet_until_morning(at: str, expected: str) -> None:
    assert next_allowed(utc(at), quiet_from=time(21), quiet_until=time(8), zone=LONDON) == utc(expected)


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = utc("2027-01-12T12:30")
    assert next_allowed(noon, quiet_from=time(12), quiet_until=time(14), zone=LONDON) == utc("2027-01-12T14:00")
    assert next_allowed(noon, quiet_from=time(14), quiet_until=time(14), zone=LONDON) == noon
    assert next_allowed(noon, quiet_from=time(14), quiet_until=time(12), zone=LONDON) == noon


@given(
    zone=st.sampled_from(ZONES),
    at=MOMENTS,
    quiet_from=st.times(),
    quiet_until=st.times(),
)
def test_what_is_allowed_is_not_earlier_and_not_quiet(
    zone: str, at: datetime, quiet_from: time, quiet_until: time
) -> None:
    """And nobody waits for longer than the quiet hours can be, with the hour that a change may add."""
    named = ZoneInfo(zone)
    found = next_allowed(at, quiet_from=quiet_from, quiet_until=quiet_until, zone=named)
    assert at <= found <= at + timedelta(hours=26)
    assert next_allowed(found, quiet_from=quiet_from, quiet_until=quiet_until, zone=named) == found


@given(
    zone=st.sampled_from(ZONES),
    event=MOMENTS,
    offset=st.integers(-10_000, 10_000),
    at=st.times().map(lambda one: one.replace(microsecond=0)),
)
def test_the_table_of_days_says_what_due_of_says(zone: str, event: datetime, offset: int, at: time) -> None:
    moved = event + timedelta(minutes=offset)
    span = timedelta(days=2)
    days = local_days([zone], local_time=at, onwards=offset >= 0, first=moved - span, last=moved + span)
    found = [day.at for day in days if day.begins_at <= moved < day.ends_at]
    assert found == [due_of(event, offset_minutes=offset, local_time=at, zone=ZoneInfo(zone))]


def test_weeks_begin_on_the_doctors_monday() -> None:
    now = utc("2027-01-04T11:30")  # Monday in most of the world; Tuesday on Kiritimati, still Monday at −11
    found = {
        zone: (week, due)
        for zone, week, due in local_weeks(
            ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Nowhere"], offset_minutes=0, local_time=time(9), now=now
        )
    }
    assert found == {
        "Pacific/Kiritimati": ("2027-W01", utc("2027-01-03T19:00")),
        "Pacific/Pago_Pago": ("2027-W01", utc("2027-01-04T20:00")),
        "Nowhere": ("2027-W01", utc("2027-01-04T09:00")),
    }
    sunday = utc("2027-01-04T10:30")  # −11: 23:30 on Sunday
    assert [one[1] for one in local_weeks(["Pacific/Pago_Pago"], offset_minutes=0, local_time=None, now=sunday)] == [
        "2026-W53"
    ]
    assert [
        one[2] for one in local_weeks(["Asia/Kolkata"], offset_minutes=4 * 1440 + 600, local_time=None, now=now)
    ] == [utc("2027-01-08T04:30")]
