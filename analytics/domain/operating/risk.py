"""Doctors who may not reach their certificate, each with the plainest reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connections
from django.http import HttpRequest

from accounts.domain.audit import record
from accounts.models import User
from certification.domain.risk import GRACE, NEAR_END, SILENCE, STATUSES, courses_needed, is_near_end, is_running
from certification.enums import RiskReason
from core.replica import reading
from courses.models import Programme

_AT_RISK = """
WITH last AS (
    SELECT r.user_id, max(r.last_beat_at) AS at FROM webinars_watchrecord r
    JOIN webinars_webinar w ON w.id = r.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE c.programme_id = %(programme)s GROUP BY r.user_id
), visited AS (
    SELECT v.user_id, max(greatest(v.seen_at, v.left_at)) AS at FROM webinars_visit v
    JOIN webinars_webinar w ON w.id = v.webinar_id
    JOIN courses_lesson l ON l.id = w.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE c.programme_id = %(programme)s GROUP BY v.user_id
), did AS (
    SELECT t.user_id, max(t.completed_at) AS at FROM courses_lessoncompletion t
    JOIN courses_lesson l ON l.id = t.lesson_id
    JOIN courses_course c ON c.id = l.course_id
    WHERE c.programme_id = %(programme)s GROUP BY t.user_id
), done AS (
    SELECT user_id, count(*) AS courses FROM courses_coursecompletion
    WHERE course_id = ANY (%(counted)s) GROUP BY user_id
), people AS (
    SELECT e.user_id, e.enrolled_at, e.activated_at,
        greatest(last.at, visited.at, did.at) AS active_at, coalesce(done.courses, 0) AS courses,
        %(is_near_end)s OR coalesce(h.closes_at < %(near_end)s, false) AS is_near_end
    FROM courses_enrolment e
    JOIN accounts_user u ON u.id = e.user_id AND u.is_active
    LEFT JOIN courses_cohort h ON h.id = e.cohort_id
    LEFT JOIN last ON last.user_id = e.user_id
    LEFT JOIN visited ON visited.user_id = e.user_id
    LEFT JOIN did ON did.user_id = e.user_id
    LEFT JOIN done ON done.user_id = e.user_id
    WHERE e.programme_id = %(programme)s AND e.status = ANY (%(statuses)s)
        AND coalesce(h.opens_at <= %(now)s, true) AND coalesce(h.closes_at > %(now)s, true)
), reasoned AS (
    SELECT *, CASE
        WHEN activated_at IS NULL THEN CASE WHEN enrolled_at < %(grace)s THEN 'never_came' END
        WHEN active_at IS NULL THEN CASE WHEN activated_at < %(grace)s THEN 'never_watched' END
        WHEN active_at < %(silence)s THEN 'stopped'
        WHEN is_near_end AND courses * 2 < %(needed)s THEN 'behind'
    END AS reason, coalesce(active_at, activated_at, enrolled_at) AS since
    FROM people
)
"""
_COUNT = _AT_RISK + "SELECT reason, count(*) FROM reasoned WHERE reason IS NOT NULL GROUP BY reason"  # noqa: S608
_PAGE = (
    _AT_RISK
    + """
SELECT r.user_id, u.title, u.first_name, u.last_name, u.email, r.reason, r.since, r.courses
FROM reasoned r JOIN accounts_user u ON u.id = r.user_id
WHERE r.reason IS NOT NULL AND (%(reason)s = '' OR r.reason = %(reason)s)
ORDER BY r.since, r.user_id LIMIT %(limit)s OFFSET %(offset)s
"""
)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """`since`: nothing has been heard since then. `courses`: completed ones that count."""

    user_id: int
    name: str
    email: str
    reason: RiskReason
    since: datetime
    courses: int


def risks_of(programme: Programme, *, now: datetime) -> dict[RiskReason, int]:
    """How many for each reason; nobody while the programme is not open. Two queries."""
    if not is_running(programme, now):
        return {}
    with connections[reading()].cursor() as cursor:
        cursor.execute(_COUNT, _parameters(programme, now))
        found = {RiskReason(reason): number for reason, number in cursor.fetchall()}
    return {reason: found[reason] for reason in RiskReason if reason in found}


def at_risk(programme: Programme, *, reason: RiskReason | None, offset: int, limit: int, now: datetime) -> list[AtRisk]:
    """Who has been silent for longest stands first. Two queries."""
    if not is_running(programme, now):
        return []
    page = {"reason": reason.value if reason else "", "limit": limit, "offset": offset}
    with connections[reading()].cursor() as cursor:
        cursor.execute(_PAGE, _parameters(programme, now) | page)
        return [_person(row) for row in cursor.fetchall()]


def tell_of_look(
    *, programme: Programme, actor: User, people: Sequence[AtRisk], request: HttpRequest, now: datetime
) -> None:
    """That staff looked at these doctors."""
    details = {"people": [one.user_id for one in people]}
    record("report.at_risk", actor=actor, subject=programme, details=details, request=request, now=now)


def _person(row: Sequence[Any]) -> AtRisk:
    user_id, title, first, last, email, reason, since, courses = row
    name = " ".join(part for part in (title, first, last) if part)
    return AtRisk(user_id, name or email, email, RiskReason(reason), since, courses)


def _parameters(programme: Programme, now: datetime) -> dict[str, Any]:
    counted, needed = courses_needed(programme)
    return {
        "programme": programme.pk,
        "statuses": [one.value for one in STATUSES],
        "counted": counted,
        "needed": needed,
        "is_near_end": is_near_end(programme, now),
        "now": now,
        "near_end": now + NEAR_END,
        "grace": now - GRACE,
        "silence": now - SILENCE,
    }
