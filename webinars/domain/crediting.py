"""The one statement that credits beats: rights, the allowance of the clock, the union, the threshold."""

from functools import lru_cache

# A beat may end this far behind the measured length: a browser's idea of the duration includes audio priming and the
# padding of the last segment. What is behind the length is clipped, so nothing is credited for it.
TOLERANCE_SECONDS = 3
# Program time comes from the packager's clock, the receipt time from ours.
EDGE_SECONDS = 30

# One statement for a whole batch. Rows are locked in key order (INSERT … SELECT … ORDER BY), so two processes that
# commit the same people at once wait for each other instead of deadlocking, and ON CONFLICT reads the newest version of
# a row. A proposed row carries its claim in two columns: `coverage` is what a fresh record may be credited, `excess`
# the rest; their union is the whole claim when the record exists already and has a longer clock.
#
# A record may hold seconds of a longer version that was replaced. They are kept but count for nothing: the threshold is
# looked at once more within the length of the session, and only when all seconds together would reach it.
#
# Live sessions name their epoch: nobody has seen more of a broadcast than there has been. Sessions on the recording of
# a broadcast say which seconds of the uncut recording their version shows and what the person had seen live. Their
# beats are moved to the uncut recording, which no later cut changes; the threshold and the answer are of the union.
# For all others both are NULL and cost a test.
_RECORD = """
WITH judged AS MATERIALIZED (
    SELECT b.i, s.user_id, s.webinar_id, s.phase, s.started_at, s.required_seconds, s.shown, s.carried,
        CASE WHEN s.shown IS NULL OR upper(s.shown) = s.media_seconds THEN b.spans
             ELSE webinars_uncut(b.spans, s.shown) END AS spans,
        CASE WHEN s.shown IS NULL OR upper(s.shown) = s.media_seconds THEN b.at
             ELSE webinars_uncut_point(b.at, s.shown) END AS at,
        CASE WHEN s.shown IS NULL THEN s.media_seconds ELSE upper(s.shown) END AS media_seconds,
        CASE
            WHEN s.id IS NULL THEN 'unknown_session'
            WHEN s.ended_at IS NOT NULL OR d.ended_at IS NOT NULL THEN 'session_ended'
            WHEN s.enrolment_id IS NOT NULL AND e.status NOT IN ('active', 'completed') THEN 'not_enrolled'
            WHEN upper(b.spans) > s.media_seconds + {tolerance} OR b.at > s.media_seconds + {tolerance}
                THEN 'outside_media'
            WHEN s.epoch IS NOT NULL
                AND greatest(upper(b.spans), b.at) > extract(epoch FROM %s::timestamptz - s.epoch)::float8 + {edge}
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
        min(required_seconds) AS required, max(media_seconds) AS media,
        range_agg(shown) AS shown, range_agg(carried) AS carried
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
        position_seconds, clock, first_beat_at, last_beat_at, grew_at, reached_at, shown, carried)
    SELECT p.user_id, p.webinar_id, p.phase, p.coverage, p.spans - p.coverage, s.seen, p.required, p.at,
        p.clock, %s, %s, %s,
        CASE WHEN CASE WHEN p.shown IS NULL THEN s.seen ELSE {union_p} END >= p.required THEN %s::timestamptz END,
        p.shown, p.carried
    FROM proposed p
    CROSS JOIN LATERAL (SELECT coalesce(sum(upper(r) - lower(r)), 0) AS seen FROM unnest(p.coverage) AS r) s
    ORDER BY p.user_id, p.webinar_id, p.phase
    ON CONFLICT (user_id, webinar_id, phase) DO UPDATE SET
        (coverage, excess, seen_seconds, required_seconds, position_seconds, clock, last_beat_at, grew_at,
            reached_at) = (
            SELECT n.coverage, w.excess + (excluded.coverage + excluded.excess - n.coverage), s.seen,
                CASE WHEN w.reached_at IS NULL THEN excluded.required_seconds ELSE w.required_seconds END,
                excluded.position_seconds, w.clock + excluded.clock, excluded.last_beat_at,
                CASE WHEN s.seen > w.seen_seconds THEN excluded.last_beat_at ELSE w.grew_at END,
                coalesce(w.reached_at, CASE WHEN excluded.shown IS NOT NULL THEN
                    CASE WHEN {union_n} >= excluded.required_seconds THEN excluded.last_beat_at END
                WHEN s.seen >= excluded.required_seconds AND (
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
        ), shown = excluded.shown, carried = excluded.carried
    RETURNING user_id, webinar_id, phase, coverage, seen_seconds, reached_at
)
SELECT j.i,
    coalesce(j.refusal, CASE WHEN NOT j.spans * int4multirange(int4range(0, j.media_seconds)) <@ w.coverage
        THEN 'too_fast' END),
    CASE WHEN j.shown IS NOT NULL AND w.user_id IS NOT NULL THEN {union_j}
         WHEN w.seen_seconds > j.media_seconds THEN j.media_seconds ELSE w.seen_seconds END, w.reached_at
FROM judged j LEFT JOIN written w USING (user_id, webinar_id, phase)
"""


def _union(coverage: str, session: str) -> str:
    """Seconds of what is shown that the person has seen, live or on demand."""
    ranges = f"unnest(({coverage} + {session}.carried) * {session}.shown)"
    return f"(SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM {ranges} AS r)"  # noqa: S608 - names of columns


@lru_cache
def statement(rate: float, slack: int) -> str:
    """Parameters: the receipt time, six arrays (index, session, user, webinar, ranges, position), the time five times.

    Rows: index, refusal or NULL, seconds seen, when the threshold was reached. `rate` and `slack` are settings.
    """
    return _RECORD.format(
        rate=float(rate),
        slack=int(slack),
        tolerance=TOLERANCE_SECONDS,
        edge=EDGE_SECONDS,
        union_p=_union("p.coverage", "p"),
        union_n=_union("n.coverage", "excluded"),
        union_j=_union("w.coverage", "j"),
    )
