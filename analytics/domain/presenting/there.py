"""Who was at which webinars and for how long: the beginning of every statement that counts people at lectures."""

# One row for a person, webinar and phase (and one for all visits to a meeting elsewhere, which is live, too).
# `seconds`: live of the broadcast alone, each second once; of a meeting from the tap on its link until leaving. Most
# have seen nothing behind the end of the broadcast: what they have is added up already. The programme is looked up for
# each webinar and not for each row, of whose number PostgreSQL has no good idea.
THERE = """
broadcasts AS (
    SELECT w.id AS webinar_id, c.programme_id, coalesce(max(b.program_seconds), 0) AS seconds,
        w.ended_at IS NOT NULL AS is_over
    FROM webinars_webinar w
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    LEFT JOIN webinars_broadcast b ON b.webinar_id = w.id AND NOT b.is_rehearsal
    WHERE w.id = ANY (%(webinars)s)
    GROUP BY w.id, c.programme_id
), shown AS MATERIALIZED (
    SELECT webinar_id, programme_id, seconds > 0 AND is_over AS has_ending,
        CASE WHEN seconds > 0 THEN ceil(seconds)::int4 END AS length,
        CASE WHEN seconds > 0 THEN int4multirange(int4range(floor(seconds * 0.95)::int4, ceil(seconds)::int4 + 1))
        ELSE '{}'::int4multirange END AS ending
    FROM broadcasts
), there AS (
    SELECT w.webinar_id, s.programme_id, w.user_id, w.phase = 'live' AS is_live, w.phase = 'on_demand' AS is_recorded,
        CASE WHEN w.phase = 'live' AND upper(w.coverage) > s.length THEN (
            SELECT coalesce(sum(upper(r) - lower(r)), 0)
            FROM unnest(w.coverage * int4multirange(int4range(0, s.length))) r
        ) ELSE w.seen_seconds END AS seconds,
        w.phase = 'live' AND w.coverage && s.ending AS stayed
    FROM webinars_watchrecord w JOIN shown s USING (webinar_id)
    WHERE w.webinar_id = ANY (%(webinars)s) AND NOT isempty(w.coverage)
    UNION ALL
    SELECT v.webinar_id, s.programme_id, v.user_id, true, false,
        (SELECT sum(upper(r) - lower(r)) FROM unnest(v.there) r), false
    FROM (
        SELECT webinar_id, user_id, range_agg(int8range(floor(extract(epoch FROM joined_at))::int8,
            floor(extract(epoch FROM greatest(joined_at, coalesce(left_at, seen_at))))::int8)) AS there
        FROM webinars_visit WHERE webinar_id = ANY (%(webinars)s) GROUP BY webinar_id, user_id
    ) v JOIN shown s USING (webinar_id)
)
"""
