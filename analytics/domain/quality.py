"""How well it played, for those who run a programme: sums of the rollups by country, network, device, lecture and time.

Figures are of the moment in which players told them (`analytics.domain.rollups.quality`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from analytics.domain.rollups.quality import START_BOUNDS
from core.replica import reading
from courses.models import Programme
from webinars.enums import Phase
from webinars.models import Webinar

# As `operations.domain.gauges` counts for the alert PlaybackDegraded: the page and the pager say the same.
RECENT = timedelta(minutes=10)
ENOUGH_MS = 20 * 60_000  # twenty minutes of players
ENOUGH_PEOPLE = 5  # without a picture: the trouble of fewer is theirs
TENTH = 10


@dataclass(frozen=True, slots=True)
class Quantile:
    """Of the time to the first picture, in ms. `is_beyond`: of the slowest, of which only the least time is known."""

    ms: float
    is_beyond: bool = False

    @property
    def seconds(self) -> float:
        return self.ms / 1000


@dataclass(frozen=True, slots=True)
class Measures:
    """Times in ms. `told_ms`: of `play_ms`, where browsers say which bitrate they play."""

    plays: int = 0
    starts: int = 0
    start_ms: int = 0
    play_ms: int = 0
    stall_ms: int = 0
    stalls: int = 0
    kbits: int = 0
    told_ms: int = 0
    errors: int = 0
    buckets: tuple[int, ...] = (0,) * (len(START_BOUNDS) + 1)

    @property
    def waiting(self) -> float | None:
        """The share of the time after the first picture in which it stood still."""
        whole = self.play_ms + self.stall_ms
        return self.stall_ms / whole if whole else None

    @property
    def kbit_s(self) -> int | None:
        return round(self.kbits * 1000 / self.told_ms) if self.told_ms else None

    @property
    def minutes(self) -> int:
        return self.play_ms // 60_000

    @property
    def median(self) -> Quantile | None:
        return self.start_at(0.5)

    @property
    def p95(self) -> Quantile | None:
        return self.start_at(0.95)

    def start_at(self, share: float) -> Quantile | None:
        """So large a share of the starts took no longer: within its bucket, as if spread evenly in it."""
        total = sum(self.buckets)
        rank = max(1, math.ceil(share * total))
        before = 0
        for low, high, number in zip((0, *START_BOUNDS), START_BOUNDS, self.buckets, strict=False):
            if before + number >= rank:
                return Quantile(low + (high - low) * (rank - before) / number)
            before += number
        return Quantile(START_BOUNDS[-1], is_beyond=True) if total else None


Named = tuple[tuple[str, Measures], ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """Groups by how long they played, the longest first. `times`: rising, by minute of one broadcast, else by day."""

    since: datetime
    total: Measures
    countries: Named
    devices: Named
    networks: Named
    lectures: tuple[tuple[int, Phase, Measures], ...]
    times: tuple[tuple[datetime, Measures], ...]
    by_minute: bool = False


@dataclass(frozen=True, slots=True)
class LiveCountry:
    """Of the last ten minutes of a webinar that is live. `stuck`: the players that told errors and no playing;
    `stuck_people`: whose they are (who waits in vain opens the page again and again).
    """

    country: str
    play_ms: int
    stall_ms: int
    players: int = 0
    stuck: int = 0
    stuck_people: int = 0

    @property
    def waiting(self) -> float:
        whole = self.play_ms + self.stall_ms
        return self.stall_ms / whole if whole else 0.0

    @property
    def keeps_stopping(self) -> bool:
        whole = self.play_ms + self.stall_ms
        return whole >= ENOUGH_MS and self.stall_ms * TENTH > whole

    @property
    def has_no_picture(self) -> bool:
        """Where the way to the stream is shut nothing plays, so nothing waits either: only errors tell of it."""
        return self.stuck_people >= ENOUGH_PEOPLE and self.stuck * TENTH > self.players

    @property
    def is_degraded(self) -> bool:
        return self.keeps_stopping or self.has_no_picture

    @property
    def is_known(self) -> bool:
        """Enough was told to say that it plays well, where it is not degraded."""
        return self.play_ms + self.stall_ms >= ENOUGH_MS


_SUMS = f"""
    sum(plays), sum(starts), sum(start_ms_sum), sum(play_ms), sum(stall_ms), sum(stalls), sum(kbits),
    coalesce(sum(play_ms) FILTER (WHERE kbits > 0), 0), sum(errors),
    {", ".join(f"coalesce(sum(start_buckets[{n}]), 0)" for n in range(1, len(START_BOUNDS) + 2))}
"""
_HOURS = f"""
SELECT grouping(country, device, network, webinar_id, date_trunc('day', at, 'UTC')),
    country, device, network, webinar_id, phase, date_trunc('day', at, 'UTC'), {_SUMS}
FROM analytics_qualityhour
WHERE webinar_id = ANY (%(webinars)s) AND at >= %(since)s AND (%(phase)s = '' OR phase = %(phase)s)
GROUP BY GROUPING SETS ((), (country), (device), (network), (webinar_id, phase), (date_trunc('day', at, 'UTC')))
"""  # noqa: S608  # put together from constants
_MINUTES = f"""
SELECT at, {_SUMS} FROM analytics_qualityminute
WHERE webinar_id = ANY (%(webinars)s) AND at >= %(since)s AND phase = %(phase)s
GROUP BY at ORDER BY at
"""  # noqa: S608
# Nobody has a player open for a week: only the last parts of the table are looked at.
_RECENT = """
WITH live AS (
    SELECT webinar_id FROM webinars_broadcast WHERE ended_at IS NULL AND webinar_id = ANY (%(webinars)s)
),
played AS (
    SELECT webinar_id, country, sum(play_ms) AS play, sum(stall_ms) AS stall FROM analytics_qualityminute
    WHERE webinar_id IN (SELECT webinar_id FROM live) AND phase = 'live' AND at > %(since)s
    GROUP BY webinar_id, country
),
told AS (
    SELECT r.webinar_id, r.country, count(DISTINCT r.session_id) AS players, count(DISTINCT s.id) AS stuck,
        count(DISTINCT s.user_id) AS people
    FROM analytics_playbackreport r
    LEFT JOIN webinars_playsession s ON s.id = r.session_id AND r.errors > 0 AND r.play_ms = 0
    WHERE r.webinar_id IN (SELECT webinar_id FROM live) AND r.phase = 'live' AND r.received_at > %(since)s
        AND r.session_started_at > %(since)s - interval '7 days'
    GROUP BY r.webinar_id, r.country
)
SELECT webinar_id, country, coalesce(play, 0), coalesce(stall, 0), coalesce(players, 0), coalesce(stuck, 0),
    coalesce(people, 0)
FROM played FULL JOIN told USING (webinar_id, country) ORDER BY webinar_id, country
"""
# What is left out of a grouping set has its bit: the last of five is worth 1.
_TOTAL, _COUNTRY, _DEVICE, _NETWORK, _LECTURE, _DAY = 0b11111, 0b01111, 0b10111, 0b11011, 0b11101, 0b11110


def quality_of(
    programme: Programme, *, since: datetime, webinar: Webinar | None = None, phase: Phase | None = None
) -> Quality:
    """Two queries, three for one broadcast. Hours begin on the hour: the one in which `since` lies is left out."""
    webinars = [webinar.pk] if webinar else _webinars(programme)
    values = {"webinars": webinars, "since": since, "phase": phase or ""}
    rows = _rows(_HOURS, values)
    found: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    by_minute = webinar is not None and phase == Phase.LIVE
    if by_minute:
        times = tuple((row[0], _measures(row[1:])) for row in _rows(_MINUTES, values))
    else:
        times = tuple(sorted((row[6], _measures(row[7:])) for row in found.get(_DAY, ())))
    return Quality(
        since=since,
        total=next((_measures(row[7:]) for row in found.get(_TOTAL, ()) if row[7] is not None), Measures()),
        countries=_named(found.get(_COUNTRY, ()), 1),
        devices=_named(found.get(_DEVICE, ()), 2),
        networks=_named(found.get(_NETWORK, ()), 3),
        lectures=tuple((row[4], Phase(row[5]), _measures(row[7:])) for row in _longest(found.get(_LECTURE, ()))),
        times=times,
        by_minute=by_minute,
    )


def live_now(programme: Programme, *, now: datetime) -> Mapping[int, tuple[LiveCountry, ...]]:
    """By webinar that is live: its countries in the last ten minutes, those that wait most first."""
    found: dict[int, list[LiveCountry]] = {}
    for webinar, country, *told in _rows(_RECENT, {"webinars": _webinars(programme), "since": now - RECENT}):
        found.setdefault(webinar, []).append(LiveCountry(country, *map(int, told)))
    return {
        webinar: tuple(sorted(countries, key=lambda one: (-one.waiting, one.country)))
        for webinar, countries in found.items()
    }


def _webinars(programme: Programme) -> list[int]:
    return list(
        Webinar.objects.using(reading()).filter(lesson__course__programme=programme).values_list("pk", flat=True)
    )


def _rows(statement: str, values: Mapping[str, Any]) -> list[Sequence[Any]]:
    with connections[reading()].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _measures(sums: Sequence[Any]) -> Measures:
    plays, starts, start_ms, play_ms, stall_ms, stalls, kbits, told_ms, errors, *buckets = map(int, sums)
    return Measures(plays, starts, start_ms, play_ms, stall_ms, stalls, kbits, told_ms, errors, tuple(buckets))


def _longest(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """`row[10]` is what was played; then in the order of what names them."""
    return sorted(rows, key=lambda row: (-row[10], [str(value) for value in row[1:6]]))


def _named(rows: Sequence[Sequence[Any]], column: int) -> Named:
    return tuple((row[column], _measures(row[7:])) for row in _longest(rows))
