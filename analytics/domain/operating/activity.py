"""When doctors are at lectures, on their own clocks."""

from django.db import connections

from core.replica import reading

# An hour of UTC is one of half past to half past in some zones: it counts where it begins.
_HOURS = """
SELECT (extract(isodow FROM h.at AT TIME ZONE h.timezone) - 1)::int,
    extract(hour FROM h.at AT TIME ZONE h.timezone)::int, sum(h.seconds)
FROM analytics_audiencehour h
JOIN webinars_webinar w ON w.id = h.webinar_id
JOIN courses_lesson l ON l.id = w.lesson_id
JOIN courses_course c ON c.id = l.course_id
WHERE c.programme_id = %s
GROUP BY 1, 2
"""


def minutes_by_local_hour(*, programme_id: int) -> dict[tuple[int, int], float | None]:
    """(weekday from 0 for Monday, hour of the person's local time) → whole minutes at lectures. One query."""
    with connections[reading()].cursor() as cursor:
        cursor.execute(_HOURS, [programme_id])
        return {(weekday, hour): int(seconds) // 60 for weekday, hour, seconds in cursor.fetchall()}
