"""How far the doctors of a programme have come: each step counts only those who took the one before."""

from dataclasses import dataclass
from typing import Any

from django.db import connections

from certification.enums import CertificateKind, EntryKind
from core.replica import reading
from courses.enums import OPEN_ENROLMENTS, EnrolmentStatus

# Whoever was at a lecture of the programme with at least one second, or went to a meeting elsewhere from here.
ATTENDANTS = """
    SELECT r.user_id FROM webinars_watchrecord r
    JOIN webinars_webinar w ON w.id = r.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE c.programme_id = %(programme)s AND NOT isempty(r.coverage)
    UNION
    SELECT v.user_id FROM webinars_visit v
    JOIN webinars_webinar w ON w.id = v.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE c.programme_id = %(programme)s
"""
_FUNNEL = f"""
WITH attendants AS ({ATTENDANTS}), certified AS (
    SELECT DISTINCT k.user_id FROM certification_certificate k
    WHERE k.programme_id = %(programme)s AND k.kind = %(kind)s AND NOT EXISTS (
        SELECT FROM certification_ledgerentry e WHERE e.certificate_id = k.id AND e.kind = %(revoked)s
    ) AND NOT EXISTS (SELECT FROM certification_certificate n WHERE n.replaces_id = k.id)
), steps AS (
    SELECT u.is_active AND e.status = ANY (%(statuses)s) AS is_here,
        e.activated_at IS NOT NULL AS joined, a.user_id IS NOT NULL AS attended,
        e.completed_at IS NOT NULL AS completed, k.user_id IS NOT NULL AS certified
    FROM courses_enrolment e
    JOIN accounts_user u ON u.id = e.user_id
    LEFT JOIN attendants a ON a.user_id = e.user_id
    LEFT JOIN certified k ON k.user_id = e.user_id
    WHERE e.programme_id = %(programme)s
)
SELECT count(*), count(*) FILTER (WHERE joined), count(*) FILTER (WHERE joined AND attended),
    count(*) FILTER (WHERE joined AND attended AND completed),
    count(*) FILTER (WHERE joined AND attended AND completed AND certified),
    count(*) FILTER (WHERE is_here AND NOT joined),
    count(*) FILTER (WHERE is_here AND joined AND NOT attended),
    count(*) FILTER (WHERE is_here AND joined AND attended AND NOT completed),
    count(*) FILTER (WHERE is_here AND joined AND attended AND completed AND NOT certified)
FROM steps
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Funnel:
    """Doctors with a place in the programme, those who were suspended or withdrawn since then included.

    `stopped`: after the first, second, third and fourth step went no further and can be written to, which who was
    suspended or withdrawn cannot.
    """

    invited: int
    joined: int
    attended: int
    completed: int
    certified: int
    stopped: tuple[int, ...]


def funnel_of(*, programme_id: int) -> Funnel:
    """`certified` has a certificate of the whole programme whose newest edition was not revoked. One query."""
    parameters: dict[str, Any] = {
        "programme": programme_id,
        "kind": CertificateKind.PROGRAMME.value,
        "revoked": EntryKind.CERTIFICATE_REVOKED.value,
        "statuses": [one.value for one in (EnrolmentStatus.INVITED, *sorted(OPEN_ENROLMENTS))],
    }
    with connections[reading()].cursor() as cursor:
        cursor.execute(_FUNNEL, parameters)
        invited, joined, attended, completed, certified, *stopped = cursor.fetchone()
    return Funnel(invited, joined, attended, completed, certified, tuple(stopped))
