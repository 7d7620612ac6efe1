"""Steps, cycles and caps by themselves."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certification.authorities.caps import Cap
from certification.authorities.cycles import Window, add_months, add_years, day_in, window, year_of
from certification.authorities.rounding import DOWN, NEAREST, ceil_of, hours, plain, seconds_for, to_nearest, to_step
from tests.certification.authorities.worked import had

QUARTER, HALF = Decimal("0.25"), Decimal("0.5")
days = st.dates(date(1950, 1, 1), date(2100, 12, 31))


class TestRounding:
    @pytest.mark.parametrize(
        ("seconds", "step", "way", "credit"),
        [
            (0, QUARTER, NEAREST, "0"),
            (449, QUARTER, NEAREST, "0"),
            (450, QUARTER, NEAREST, "0.25"),
            (899, QUARTER, DOWN, "0"),
            (900, QUARTER, DOWN, "0.25"),
            (2820, QUARTER, DOWN, "0.75"),
            (3599, HALF, DOWN, "0.5"),
            (3600, Decimal(1), DOWN, "1"),
            (26 * 3600, QUARTER, DOWN, "26"),
        ],
    )
    def test_time_in_steps(self, seconds: int, step: Decimal, way: str, credit: str) -> None:
        assert hours(seconds, step, way) == Decimal(credit)

    @given(st.integers(1, 400), st.sampled_from([QUARTER, HALF, Decimal(1)]), st.sampled_from([DOWN, NEAREST]))
    def test_the_least_time_is_exactly_that(self, count: int, step: Decimal, way: str) -> None:
        needed = seconds_for(count * step, step, way)

        assert hours(needed, step, way) == count * step
        assert hours(needed - 1, step, way) == (count - 1) * step

    @pytest.mark.parametrize(
        ("number", "text"), [("0.750", "0.75"), ("1E+1", "10"), ("0", "0"), ("20", "20"), ("0.00", "0")]
    )
    def test_numbers_as_people_write_them(self, number: str, text: str) -> None:
        assert plain(Decimal(number)) == text

    def test_steps_and_halves_of_them(self) -> None:
        assert (to_step(Decimal("0.99"), QUARTER), to_nearest(Decimal("0.875"), QUARTER)) == (Decimal("0.75"), 1)
        assert (ceil_of(Decimal("2700.5"), Decimal(60)), ceil_of(Decimal(2700), Decimal(60))) == (46, 45)


class TestCycles:
    @pytest.mark.parametrize(
        ("day", "months", "then"),
        [
            ("2024-02-29", 12, "2025-02-28"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2024-02-29", -12, "2023-02-28"),
            ("2026-08-31", 1, "2026-09-30"),
            ("2026-12-15", 1, "2027-01-15"),
            ("2026-01-31", -1, "2025-12-31"),
        ],
    )
    def test_months(self, day: str, months: int, then: str) -> None:
        assert add_months(date.fromisoformat(day), months) == date.fromisoformat(then)

    def test_years_from_a_leap_day_come_back_to_it(self) -> None:
        starts = [window(date(2024, 2, 29), 12, date(year, 7, 1)).first for year in (2024, 2025, 2027, 2028)]

        assert starts == [date(2024, 2, 29), date(2025, 2, 28), date(2027, 2, 28), date(2028, 2, 29)]
        assert window(date(2024, 2, 29), 12, date(2028, 2, 28)).last == date(2028, 2, 28)

    @given(days, st.integers(1, 120), days)
    def test_every_day_is_in_one_window_and_they_touch(self, anchor: date, months: int, on: date) -> None:
        found = window(anchor, months, on)

        assert on in found
        assert window(anchor, months, found.last) == found
        assert window(anchor, months, found.last + timedelta(days=1)).first == found.last + timedelta(days=1)

    def test_a_council_year_begins_when_the_council_says(self) -> None:
        assert year_of(date(2026, 3, 31), starts=(4, 1)) == Window(date(2025, 4, 1), date(2026, 3, 31))
        assert year_of(date(2026, 3, 31)) == Window(date(2026, 1, 1), date(2026, 12, 31))

    def test_three_years_after_a_leap_day(self) -> None:
        assert add_years(date(2024, 2, 29), 3) == date(2027, 2, 28)

    @pytest.mark.parametrize(
        ("zone", "day"),
        [("UTC", "2026-12-31"), ("Asia/Kolkata", "2027-01-01"), ("America/New_York", "2026-12-31")],
    )
    def test_the_day_on_the_wall(self, zone: str, day: str) -> None:
        assert day_in(datetime(2026, 12, 31, 19, 0, tzinfo=UTC), zone) == date.fromisoformat(day)

    def test_a_moment_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            day_in(datetime.fromisoformat("2026-12-31T19:00"), "UTC")


def test_a_cap_counts_only_what_it_is_about() -> None:
    granted = [
        had("1", date(2026, 1, 1)),
        had("2", date(2026, 12, 31), is_online=False),
        had("4", date(2027, 1, 1), event="congress"),
        had("8", date(2026, 6, 1), format="enduring"),
    ]
    year = Window(date(2026, 1, 1), date(2026, 12, 31))
    caps = {
        "year": Cap("cap_year", Decimal(6), within=year),
        "online": Cap("cap_online", Decimal(6), within=year, only_online=True),
        "event": Cap("cap_event", Decimal(4), event="congress"),
        "live": Cap("cap_day", Decimal(8), format="live"),
    }

    assert {name: cap.used(granted) for name, cap in caps.items()} == {"year": 11, "online": 9, "event": 4, "live": 7}
