"""What follows from a doctor's own steps, and what every doctor of a programme hears: invitations, weeks, its end."""

from reminders.domain.planning.sources import DOCTORS, Source
from reminders.enums import Kind

_DAYS = "t.due_at + interval '{} days'"

# The forms of feedback, each with what has to be done before it asks: one webinar, or all other lessons of its course.
# `since`: completions before that cannot be due, but where the form has opened only now.
_ASKED = """
asked AS (
    SELECT v.id, v.lesson_id, v.about_id, y.opens_at, least(l.closes_at, c.closes_at, p.closes_at) AS until_at,
        CASE WHEN y.opens_at >= %(first)s THEN '-infinity'::timestamptz ELSE %(first)s END AS since,
        CASE WHEN v.about_id IS NULL THEN ARRAY(
            SELECT o.id FROM courses_lesson o WHERE o.course_id = l.course_id AND o.is_required AND o.id <> l.id
        ) END AS others
    FROM assessments_evaluation v
    JOIN courses_lesson l ON l.id = v.lesson_id
    JOIN courses_course c ON c.id = l.course_id AND c.status = 'published' AND c.programme_id = %(programme)s
    JOIN courses_programme p ON p.id = c.programme_id AND p.status = 'published'
    CROSS JOIN LATERAL (SELECT greatest(l.opens_at, c.opens_at) AS opens_at) y
    WHERE v.form_id IS NOT NULL AND coalesce(y.opens_at <= %(now)s, true)
)"""
_THESE = "(%(users)s::bigint[] IS NULL OR m.user_id = ANY (%(users)s::bigint[]))"
# From those who completed something lately to all that they have: what is old, and what others have, is not read.
_EVALUATION = f"""
    SELECT d.user_id, 'lesson/' || v.lesson_id AS subject, '' AS slot, greatest(k.completed_at, v.opens_at) AS event_at,
        greatest(k.completed_at, v.opens_at) AS since_at, v.until_at
    FROM asked v
    JOIN LATERAL (
        SELECT m.user_id, m.completed_at FROM courses_lessoncompletion m
        WHERE m.lesson_id = v.about_id AND m.completed_at BETWEEN v.since AND %(last)s AND {_THESE}
        UNION ALL
        SELECT n.user_id, max(n.completed_at) FROM (
            SELECT DISTINCT m.user_id FROM courses_lessoncompletion m
            WHERE m.lesson_id = ANY (v.others) AND m.completed_at BETWEEN v.since AND %(last)s AND {_THESE}
        ) m
        JOIN courses_lessoncompletion n ON n.user_id = m.user_id AND n.lesson_id = ANY (v.others)
        GROUP BY n.user_id HAVING count(*) = cardinality(v.others)
    ) k ON greatest(k.completed_at, v.opens_at) BETWEEN %(first)s AND %(last)s
    JOIN doctors d ON d.user_id = k.user_id
    WHERE true
"""  # noqa: S608  # put together from constants of this module
_NO_ANSWER = """
    NOT EXISTS (SELECT FROM assessments_evaluationreceipt a WHERE a.evaluation_id = v.id AND a.user_id = d.user_id)
"""
_COURSE = """
    SELECT d.user_id, 'course/' || k.course_id AS subject, '' AS slot, k.completed_at AS event_at,
        k.completed_at AS since_at, NULL::timestamptz AS until_at
    FROM courses_coursecompletion k
    JOIN courses_course c ON c.id = k.course_id AND c.programme_id = %(programme)s AND c.status = 'published'
    JOIN doctors d ON d.user_id = k.user_id
    WHERE k.completed_at BETWEEN %(first)s AND %(last)s
"""
_CERTIFICATE = """
    SELECT d.user_id, 'certificate/' || k.id AS subject, '' AS slot, k.issued_at AS event_at, k.issued_at AS since_at,
        NULL::timestamptz AS until_at
    FROM certification_certificate k JOIN doctors d ON d.user_id = k.user_id
    WHERE k.programme_id = %(programme)s AND k.issued_at BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM certification_certificate n WHERE n.replaces_id = k.id)
    AND NOT EXISTS (
        SELECT FROM certification_ledgerentry e WHERE e.certificate_id = k.id AND e.kind = 'certificate_revoked'
    )
"""
_WEEKLY = """
    SELECT d.user_id, 'programme/' || p.id AS subject, NULL::text AS slot, NULL::timestamptz AS event_at, d.since_at,
        least(p.closes_at, d.closes_at) AS until_at
    FROM courses_programme p CROSS JOIN doctors d
    WHERE p.id = %(programme)s AND p.status = 'published'
    AND coalesce(greatest(p.opens_at, d.opens_at) <= %(now)s, true)
"""
_CLOSING = """
    SELECT d.user_id, 'programme/' || p.id AS subject,
        to_char(least(p.closes_at, d.closes_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') AS slot,
        least(p.closes_at, d.closes_at) AS event_at, d.since_at, least(p.closes_at, d.closes_at) AS until_at
    FROM courses_programme p CROSS JOIN doctors d
    WHERE p.id = %(programme)s AND p.status = 'published'
    AND least(p.closes_at, d.closes_at) BETWEEN %(first)s AND %(last)s
"""
_NOT_COMPLETE = "d.status = 'active'"
# Counted from the first invitation for this programme, or the open one they had already: asked twice, people are
# invited once. Whose invitation the office took back has no open one.
_INVITED = """
    SELECT e.user_id, 'programme/' || e.programme_id AS subject, '' AS slot, i.sent_at AS event_at,
        i.sent_at AS since_at, least(p.closes_at, h.closes_at) AS until_at
    FROM courses_enrolment e
    JOIN courses_programme p ON p.id = e.programme_id AND p.status = 'published'
    LEFT JOIN courses_cohort h ON h.id = e.cohort_id
    JOIN LATERAL (
        SELECT min(i.sent_at) AS sent_at, bool_or(i.used_at IS NULL AND i.revoked_at IS NULL) AS is_open
        FROM accounts_invitation i WHERE i.user_id = e.user_id AND (
            i.created_at >= e.enrolled_at - interval '1 hour' OR i.used_at IS NULL AND i.revoked_at IS NULL
        )
    ) i ON i.is_open AND i.sent_at BETWEEN %(first)s AND %(last)s
    WHERE e.programme_id = %(programme)s AND e.status = 'invited'
    AND (%(users)s::bigint[] IS NULL OR e.user_id = ANY (%(users)s::bigint[]))
"""

SOURCES = (
    Source(Kind.INVITATION_NUDGE, _INVITED, f"least(t.until_at, {_DAYS.format(2)})", ()),
    Source(Kind.INVITATION_LAST, _INVITED, f"least(t.until_at, {_DAYS.format(2)})", ()),
    Source(Kind.EVALUATION, _EVALUATION, f"least(t.until_at, {_DAYS.format(5)})", (DOCTORS, _ASKED), undone=_NO_ANSWER),
    Source(Kind.COURSE_COMPLETED, _COURSE, _DAYS.format(3), (DOCTORS,)),
    Source(
        Kind.WEEKLY_PROGRESS,
        _WEEKLY,
        f"least(t.until_at, {_DAYS.format(2)})",
        (DOCTORS,),
        is_weekly=True,
        undone=_NOT_COMPLETE,
    ),
    Source(Kind.CERTIFICATE_READY, _CERTIFICATE, _DAYS.format(5), (DOCTORS,)),
    Source(
        Kind.PROGRAMME_CLOSING,
        _CLOSING,
        "t.due_at + (t.until_at - t.due_at) / 2",
        (DOCTORS,),
        undone=_NOT_COMPLETE,
    ),
)
