"""Random audiences, and the tables beside their reference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from accounts.models import User
from analytics.models import AudienceDay, AudienceHour, AudienceMinute, QualityHour, QualityMinute
from tests.analytics import reference
from tests.factories.accounts import UserFactory
from tests.factories.webinars import WatchRecordFactory, WebinarFactory
from webinars.enums import Phase
from webinars.models import Visit, WatchRecord, Webinar

# Noon of the day before Europe puts its clocks back; in the nine days from then a month ends, and Newfoundland follows.
NOON = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
COUNTRIES = ("", "DE", "IN")
ZONES = (
    "UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)  # fmt: skip
SPECIALTIES = ("", "Cardiology", "Surgery")
# Whole minutes and hours, what is just beside them, and anything: pieces begin and end where slots do.
_EDGES = st.sampled_from([0, 60, 119.999999, 120, 3_600, 43_200, 43_199.5, 86_400 * 7, 86_400 * 7 + 43_200])
offsets = st.one_of(_EDGES, st.floats(0, 86_400 * 9, allow_nan=False).map(lambda value: round(value, 6)))
lengths = st.one_of(
    st.sampled_from([0.000001, 30, 59.999999, 60, 3_600]),
    st.floats(0.000001, 7_200, allow_nan=False).map(lambda value: round(value, 6) or 0.000001),
)


@dataclass
class Person:
    country: str
    zone: str
    specialty: str
    pieces: list[tuple[float, float]] = field(default_factory=list)
    live: list[tuple[float, float]] = field(default_factory=list)
    visits: list[tuple[float, float]] = field(default_factory=list)
    percent: int = 100  # of the time for which the player was open, it played


_pieces = st.lists(st.tuples(offsets, lengths), max_size=4)
persons = st.builds(
    Person,
    st.sampled_from(COUNTRIES),
    st.sampled_from(ZONES),
    st.sampled_from(SPECIALTIES),
    _pieces,
    _pieces,
    st.lists(st.tuples(offsets, st.one_of(st.just(0.0), lengths)), max_size=2),
    st.sampled_from([100, 100, 50, 3, 0]),
)
audiences = st.lists(persons, min_size=1, max_size=5)


def at(seconds: float) -> datetime:
    return NOON + timedelta(microseconds=round(seconds * 1_000_000))


def make(audience: Sequence[Person], *, ended: float | None = None) -> Webinar:
    """A webinar that was live and is recorded, with all that these people did."""
    webinar: Webinar = WebinarFactory.create(
        starts_at=NOON, live_at=NOON, ended_at=None if ended is None else at(ended)
    )
    for person in audience:
        user = UserFactory.create(country=person.country, timezone=person.zone, specialty=person.specialty)
        watch(webinar, user, Phase.ON_DEMAND, person.pieces, percent=person.percent)
        watch(webinar, user, Phase.LIVE, person.live, percent=person.percent)
        for start, length in person.visits:
            end = at(start + length)
            Visit.objects.create(webinar=webinar, user=user, joined_at=at(start), seen_at=end, left_at=end)
    return webinar


def watch(
    webinar: Webinar, user: User, phase: Phase, pieces: Sequence[tuple[float, float]], *, percent: int = 100
) -> None:
    """As the group commit writes it: the clock is the union, and the latest beat its end."""
    record = WatchRecord.objects.filter(webinar=webinar, user=user, phase=phase).first()
    if not pieces:
        return
    merged = united([*(record.clock if record else ()), *((at(start), at(start + length)) for start, length in pieces)])
    written = {"clock": merged, "last_beat_at": max(end for _, end in merged)}
    opened = sum((end - start).total_seconds() for start, end in merged)
    written["seen_seconds"] = math.ceil(opened * percent / 100)
    if record:
        WatchRecord.objects.filter(pk=record.pk).update(**written)
    else:
        first = min(start for start, _ in merged)
        WatchRecordFactory.create(webinar=webinar, user=user, phase=phase, first_beat_at=first, **written)


def united(clock: Sequence[tuple[datetime, datetime]]) -> tuple[tuple[datetime, datetime], ...]:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(clock):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def minutes(webinar: Webinar, phase: Phase) -> dict[Any, Any]:
    rows = AudienceMinute.objects.filter(webinar=webinar, phase=phase)
    return {row.at: (row.people, row.arrivals, row.leavings) for row in rows}


def hours(webinar: Webinar, phase: Phase) -> dict[Any, Any]:
    rows = AudienceHour.objects.filter(webinar=webinar, phase=phase)
    return {(row.at, row.country, row.timezone): (row.people, row.seconds) for row in rows}


def days(webinar: Webinar, phase: Phase) -> dict[Any, Any]:
    rows = AudienceDay.objects.filter(webinar=webinar, phase=phase)
    return {(row.on, row.country, row.specialty): (row.people, row.seconds, row.newcomers) for row in rows}


def check(webinar: Webinar, *, known_at: datetime | None = None) -> None:
    """Every row of every table of who was there is what the reference says, and there is no other one. `known_at`: of
    the latest refresh, where it may be too early to know all of what is live."""
    webinar.refresh_from_db()
    for phase in Phase:
        assert minutes(webinar, phase) == reference.minutes(webinar, phase, known_at=known_at)
        assert hours(webinar, phase) == _nearly(reference.hours(webinar, phase))
        assert days(webinar, phase) == _nearly(reference.days(webinar, phase))


def _nearly(rows: dict[Any, Any]) -> dict[Any, Any]:
    """Half of a second may be rounded up or down, where thirds of seconds are added up before."""
    return {key: (row[0], pytest.approx(row[1], abs=1), *row[2:]) for key, row in rows.items()}


MEASURES = (
    "plays", "sessions", "starts", "start_ms_sum", "start_buckets", "play_ms", "stall_ms", "stalls", "kbits", "errors",
)  # fmt: skip


def check_quality(webinar: Webinar) -> None:
    by_hour = {
        (row.phase, row.at, row.country, row.device, row.network): {name: getattr(row, name) for name in MEASURES}
        for row in QualityHour.objects.filter(webinar=webinar)
    }
    by_minute = {
        (row.phase, row.at, row.country): {name: getattr(row, name) for name in MEASURES}
        for row in QualityMinute.objects.filter(webinar=webinar)
    }
    assert by_hour == reference.quality(webinar, reference.HOUR)
    assert by_minute == reference.quality(webinar, reference.MINUTE)
