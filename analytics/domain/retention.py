"""How many watched each second of a webinar: a range sweep in PostgreSQL over what the watch engine has kept.

The cost grows with the number of ranges, not with seconds × people: each range is a step up where it begins and a step
down where it ends, and PostgreSQL adds the steps up by second.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

from django.db import connections

from analytics.domain.axis import Axis
from core.replica import reading
from webinars.domain.timeline import Timeline

# Only who has a place in the programme: who presents or tries the player without one is no audience. Each boundary is
# rounded by itself, half up but for a millionth, as Timeline.ranges_to_recording rounds it: then it does not matter
# whether a range goes through the Timeline or the sum of thousands does, piece by piece, and only the sums go through
# it. What one person has seen live and again in the recording counts once for everybody: those seconds are taken off,
# looked for in the uncut recording of the few who have a record of both phases.
_SWEEP = """
WITH {before} program AS (
    SELECT * FROM unnest(%(program_from)s::float8[], %(program_to)s::float8[], %(program_at)s::float8[])
        AS p (low, high, target)
), shown AS (
    SELECT * FROM unnest(%(shown_from)s::float8[], %(shown_to)s::float8[], %(shown_at)s::float8[])
        AS p (low, high, target)
), records AS NOT MATERIALIZED (
    SELECT w.user_id, w.phase, w.coverage FROM {source} w
    WHERE w.webinar_id = %(webinar)s AND EXISTS (
        SELECT FROM courses_enrolment e WHERE e.user_id = w.user_id AND e.programme_id = %(programme)s
    ) {only}
), twice AS (
    SELECT unnest((
        SELECT range_agg(int4range(
            floor(p.target + greatest(lower(c.r), p.low) - p.low + 0.500001)::int4,
            floor(p.target + least(upper(c.r), p.high) - p.low + 0.500001)::int4))
        FROM unnest(b.live) AS c (r) JOIN program p ON lower(c.r) < p.high AND upper(c.r) > p.low
    ) * b.recorded) AS r
    FROM ({both}) AS b
), ends AS (
    SELECT phase AS series, lower(c.r) AS low, upper(c.r) AS high, count(*) AS people
    FROM (SELECT phase, unnest(coverage) AS r FROM records) AS c
    GROUP BY GROUPING SETS ((phase, lower(c.r)), (phase, upper(c.r)))
    UNION ALL
    SELECT 'twice', lower(r), upper(r), count(*) FROM twice GROUP BY GROUPING SETS ((lower(r)), (upper(r)))
), steps AS (
    SELECT series, coalesce(low, high) AS at, sum(CASE WHEN high IS NULL THEN people ELSE -people END)::int4 AS step
    FROM ends GROUP BY series, coalesce(low, high)
), spans AS (
    SELECT series, at::float8 AS low, (lead(at) OVER places)::float8 AS high, (sum(step) OVER places)::int4 AS people
    FROM steps WINDOW places AS (PARTITION BY series ORDER BY at)
), uncut AS (
    SELECT series, low, high, people FROM spans WHERE series <> 'live' AND people <> 0
    UNION ALL
    SELECT series, floor(p.target + greatest(s.low, p.low) - p.low + 0.500001),
        floor(p.target + least(s.high, p.high) - p.low + 0.500001), people
    FROM spans s JOIN program p ON s.low < p.high AND s.high > p.low
    WHERE series = 'live' AND people <> 0
), seen AS (
    SELECT series, people, least(%(length)s, floor(s.target + greatest(u.low, s.low) - s.low + 0.500001))::int4 AS low,
        least(%(length)s, floor(s.target + least(u.high, s.high) - s.low + 0.500001))::int4 AS high
    FROM uncut u JOIN shown s ON u.low < s.high AND u.high > s.low
    WHERE u.low < u.high
)
SELECT series, at, sum(step)::int8 FROM (
    SELECT series, low AS at, people AS step FROM seen UNION ALL SELECT series, high, -people FROM seen
) AS edges GROUP BY series, at HAVING sum(step) <> 0 ORDER BY series, at
"""
_WATCHED = {
    "before": "",
    "source": "webinars_watchrecord",
    "both": """SELECT l.user_id, l.coverage AS live, o.coverage AS recorded
        FROM records l JOIN records o USING (user_id) WHERE l.phase = 'live' AND o.phase = 'on_demand'""",
}
# What players tell has no person, but a session that has one; several sessions of a person are one. PostgreSQL knows
# nothing of how many these are and would join them row by row with each other, in tens of seconds: so they are grouped.
_REPLAYED = {
    "before": """replayed AS MATERIALIZED (
    SELECT s.webinar_id, s.user_id, r.phase, range_agg(r.replayed) AS coverage
    FROM (
        SELECT webinar_id, session_id, phase, replayed FROM analytics_playbackreport
        UNION ALL SELECT webinar_id, session_id, phase, replayed FROM analytics_playersummary
    ) AS r JOIN webinars_playsession s ON s.id = r.session_id
    WHERE r.webinar_id = %(webinar)s AND s.webinar_id = %(webinar)s AND NOT isempty(r.replayed)
    GROUP BY s.webinar_id, s.user_id, r.phase
),""",
    "source": "replayed",
    "both": """SELECT user_id, range_agg(coverage) FILTER (WHERE phase = 'live') AS live,
            range_agg(coverage) FILTER (WHERE phase = 'on_demand') AS recorded
        FROM records GROUP BY user_id HAVING count(*) = 2""",
}
LIVE, RECORDED, TWICE = "live", "on_demand", "twice"


@dataclass(frozen=True, slots=True)
class Curve:
    """`steps[i] = (second, viewers from that second on)`, in order, beginning at 0; the last one has no viewers."""

    steps: tuple[tuple[int, int], ...] = ((0, 0),)

    def at(self, second: float) -> int:
        index = bisect_right(self.steps, (second, math.inf)) - 1
        return self.steps[index][1] if index >= 0 else 0

    @property
    def peak(self) -> int:
        return max(viewers for _second, viewers in self.steps)

    @property
    def watched_seconds(self) -> int:
        """Of all people together: each second once for each who saw it."""
        return sum(viewers * (end - start) for (start, viewers), (end, _) in pairwise(self.steps))

    def sampled(self, *, length: int, points: int) -> list[tuple[float, float]]:
        """The mean of each of `points` equal parts, for drawing: an hour has more seconds than a picture has dots."""
        points = max(1, min(points, length))
        width = length / points
        return [((i + 0.5) * width, mean) for i, mean in enumerate(self.means(length=length, parts=points))]

    def means(self, *, length: int, parts: int) -> list[float]:
        """Viewers on average in each of so many equal parts, be they shorter than a second."""
        sums, width = [0.0] * parts, length / parts
        for (start, viewers), (end, _) in pairwise((*self.steps, (length, 0))):
            _spread(sums, start, min(end, length), viewers, width)
        return [total / width for total in sums]


def _spread(sums: list[float], start: float, end: float, viewers: int, width: float) -> None:
    if not viewers or end <= start:
        return
    for i in range(int(start // width), min(len(sums) - 1, int(end // width)) + 1):
        sums[i] += viewers * max(0.0, min(end, (i + 1) * width) - max(start, i * width))


@dataclass(frozen=True, slots=True)
class Retention:
    """`everybody` counts a person once a second, however often and in whichever phase they saw it."""

    length: int
    everybody: Curve = field(default_factory=Curve)
    live: Curve = field(default_factory=Curve)
    recorded: Curve = field(default_factory=Curve)

    @property
    def twice_seconds(self) -> int:
        """Of the recording as it is shown, what the same people saw live and again; of all of them together."""
        return self.live.watched_seconds + self.recorded.watched_seconds - self.everybody.watched_seconds


def retention_of(axis: Axis, *, webinar_id: int, programme_id: int, only: Sequence[int] | None = None) -> Retention:
    """One query. `only`: these people, for a reference or a group."""
    if not axis.length:
        return Retention(0)
    return Retention(axis.length, *_curves(axis, _WATCHED, webinar_id=webinar_id, programme_id=programme_id, only=only))


def replays_of(axis: Axis, *, webinar_id: int, programme_id: int) -> Curve:
    """How many people played each second again, live and in the recording together. One query."""
    if not axis.length:
        return Curve()
    return _curves(axis, _REPLAYED, webinar_id=webinar_id, programme_id=programme_id)[0]


def _curves(
    axis: Axis,
    source: Mapping[str, str],
    *,
    webinar_id: int,
    programme_id: int,
    only: Sequence[int] | None = None,
) -> tuple[Curve, Curve, Curve]:
    """Of everybody, live, recorded."""
    statement = _SWEEP.format(only="" if only is None else "AND w.user_id = ANY (%(only)s::int8[])", **source)
    values: dict[str, Any] = {
        "webinar": webinar_id,
        "programme": programme_id,
        "length": axis.length,
        "only": list(only or ()),
        **_pieces("program", axis.program),
        **_pieces("shown", axis.shown),
    }
    with connections[reading()].cursor() as cursor:
        cursor.execute(statement, values)
        steps: dict[str, Counter[int]] = {LIVE: Counter(), RECORDED: Counter(), TWICE: Counter()}
        for series, at, step in cursor.fetchall():
            steps[series][at] = step
    everybody = Counter(steps[LIVE])
    everybody.update(steps[RECORDED])
    everybody.subtract(steps[TWICE])
    return _curve(everybody), _curve(steps[LIVE]), _curve(steps[RECORDED])


def _pieces(name: str, timeline: Timeline) -> dict[str, list[float]]:
    return {
        f"{name}_from": [float(piece.start) for piece in timeline.pieces],
        f"{name}_to": [float(piece.end) for piece in timeline.pieces],
        f"{name}_at": [float(piece.offset) for piece in timeline.pieces],
    }


def _curve(steps: Mapping[int, int]) -> Curve:
    found = sorted((at, step) for at, step in steps.items() if step)
    if not found:
        return Curve()
    viewers = accumulate(step for _at, step in found)
    points = [(at, number) for (at, _step), number in zip(found, viewers, strict=True)]
    return Curve(tuple(points if points[0][0] == 0 else [(0, 0), *points]))
