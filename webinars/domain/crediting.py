"""The one statement that credits beats: rights, the allowance of the clock, the union, the threshold."""

from functools import lru_cache

# A beat may end this far behind the measured length: a browser's idea of the duration includes audio priming and the
# padding of the last segment. What is behind the length is clipped, so nothing is credited for it.
TOLERANCE_SECONDS = 3

# One statement for a whole batch. Rows are locked in key order (INSERT … SELECT … ORDER BY), so two processes that
# commit the same people at once wait for each other instead of deadlocking, and ON CONFLICT reads the newest version of
# a row. A proposed row carries its claim in two columns: `coverage` is what a fresh record may be credited, `excess`
# the rest; their union is the whole claim when the record exists already and has a longer clock.
#
# A record may hold seconds of a longer version that was replaced. They are kept but count for nothing: the threshold is
# looked at once more within the length of the session, and only when all seconds together would reach it.
_RECORD = """
WITH judged AS MATERIALIZED (
    SELECT b.i, b.spans, b.at, s.user_id, s.webinar_id, s.phase, s.started_at, s.media_seconds, s.required_seconds,
        CASE
            WHEN s.id IS NULL THEN 'unknown_session'
            WHEN s.ended_at IS NOT NULL OR d.ended_at IS NOT NULL THEN 'session_ended'
            WHEN s.enrolment_id IS NOT NULL AND e.status NOT IN ('active', 'completed') THEN 'not_enrolled'
            WHEN upper(b.spans) > s.media_seconds + {tolerance} OR b.at > s.media_seconds + {tolerance}
                THEN 'outside_media'
        END AS refusal
    FROM unnest(%s::int4[], %s::uuid[], %s::int8[], %s::int8[], %s::int4multirange[], %s::float8[])
        AS b (i, session_id, user_id, webinar_id, spans, at)
    LEFT JOIN webinars_playsession s
        ON s.id = b.session_id AND s.user_id = b.user_id AND s.webinar_id = b.webinar_id
    LEFT JOIN accounts_device d ON d.id = s.device_id
    LEFT JOIN courses_enrolment e ON e.id = s.enrolment_id
), claimed AS (
    SELECT user_id, webinar_id, phase,
        range_agg(spans) * int4multirange(int4range(0, max(media_seconds))) AS spans,
        range_agg(tstzrange(started_at, greatest(started_at, %s))) AS clock,
        least((array_agg(at ORDER BY i DESC))[1], max(media_seconds)) AS at,
        min(required_seconds) AS required, max(media_seconds) AS media
    FROM judged WHERE refusal IS NULL
    GROUP BY user_id, webinar_id, phase
), proposed AS (
    SELECT c.*, CASE WHEN s.claimed <= a.allowed THEN c.spans
                     ELSE webinars_credit('{{}}', c.spans, a.allowed) END AS coverage
    FROM claimed c
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(upper(r) - lower(r)), 0) AS claimed FROM unnest(c.spans) AS r
    ) s
    CROSS JOIN LATERAL (
        SELECT floor({rate} * coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0) + {slack})::int4 AS allowed
        FROM unnest(c.clock) AS r
    ) a
), written AS (
    INSERT INTO webinars_watchrecord AS w (user_id, webinar_id, phase, coverage, excess, seen_seconds, required_seconds,
        position_seconds, clock, first_beat_at, last_beat_at, reached_at)
    SELECT p.user_id, p.webinar_id, p.phase, p.coverage, p.spans - p.coverage, s.seen, p.required, p.at,
        p.clock, %s, %s, CASE WHEN s.seen >= p.required THEN %s::timestamptz END
    FROM proposed p
    CROSS JOIN LATERAL (SELECT coalesce(sum(upper(r) - lower(r)), 0) AS seen FROM unnest(p.coverage) AS r) s
    ORDER BY p.user_id, p.webinar_id, p.phase
    ON CONFLICT (user_id, webinar_id, phase) DO UPDATE SET
        (coverage, excess, seen_seconds, required_seconds, position_seconds, clock, last_beat_at, reached_at) = (
            SELECT n.coverage, w.excess + (excluded.coverage + excluded.excess - n.coverage), s.seen,
                CASE WHEN w.reached_at IS NULL THEN excluded.required_seconds ELSE w.required_seconds END,
                excluded.position_seconds, w.clock + excluded.clock, excluded.last_beat_at,
                coalesce(w.reached_at, CASE WHEN s.seen >= excluded.required_seconds AND (
                    SELECT coalesce(sum(upper(r) - lower(r)), 0) >= excluded.required_seconds
                    FROM claimed c CROSS JOIN unnest(n.coverage * int4multirange(int4range(0, c.media))) AS r
                    WHERE c.user_id = w.user_id AND c.webinar_id = w.webinar_id AND c.phase = w.phase
                ) THEN excluded.last_beat_at END)
            FROM (
                SELECT CASE WHEN a.wanted <= greatest(t.allowed, w.seen_seconds)
                    THEN w.coverage + excluded.coverage + excluded.excess
                    ELSE webinars_credit(w.coverage, excluded.coverage + excluded.excess,
                        greatest(t.allowed, w.seen_seconds)) END AS coverage
                FROM (
                    SELECT coalesce(sum(upper(r) - lower(r)), 0) AS wanted
                    FROM unnest(w.coverage + excluded.coverage + excluded.excess) AS r
                ) a
                CROSS JOIN (
                    SELECT floor({rate} * coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0) + {slack})::int4
                        AS allowed
                    FROM unnest(w.clock + excluded.clock) AS r
                ) t
                OFFSET 0
            ) n
            CROSS JOIN LATERAL (SELECT coalesce(sum(upper(r) - lower(r)), 0) AS seen FROM unnest(n.coverage) AS r) s
        )
    RETURNING user_id, webinar_id, phase, coverage, seen_seconds, reached_at
)
SELECT j.i,
    coalesce(j.refusal, CASE WHEN NOT j.spans * int4multirange(int4range(0, j.media_seconds)) <@ w.coverage
        THEN 'too_fast' END),
    CASE WHEN w.seen_seconds > j.media_seconds THEN j.media_seconds ELSE w.seen_seconds END, w.reached_at
FROM judged j LEFT JOIN written w USING (user_id, webinar_id, phase)
"""


@lru_cache
def statement(rate: float, slack: int) -> str:
    """Parameters: six arrays (index, session, user, webinar, ranges, position), then the receipt time four times.

    Rows: index, refusal or NULL, seconds seen, when the threshold was reached. `rate` and `slack` are settings.
    """
    return _RECORD.format(rate=float(rate), slack=int(slack), tolerance=TOLERANCE_SECONDS)
