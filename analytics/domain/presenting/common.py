"""How far doctors stay in one presenter's lectures, whatever their lengths."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connections

from analytics.domain.axis import Axis, axes_of
from analytics.domain.retention import retention_of
from core.replica import reading
from webinars.models import Webinar

PARTS = 50

# A visit to a meeting elsewhere is none of them: nobody knows what was seen there.
_VIEWERS = """
SELECT w.webinar_id, count(DISTINCT w.user_id)
FROM webinars_watchrecord w
JOIN webinars_webinar n ON n.id = w.webinar_id
JOIN courses_lesson l ON l.id = n.lesson_id
JOIN courses_course c ON c.id = l.course_id
WHERE w.webinar_id = ANY (%(webinars)s) AND NOT isempty(w.coverage) AND EXISTS (
    SELECT FROM courses_enrolment e WHERE e.user_id = w.user_id AND e.programme_id = c.programme_id
)
GROUP BY w.webinar_id
"""


@dataclass(frozen=True, slots=True)
class CommonCurve:
    """`shares[i]`, 0 to 1: of all `viewers`, who saw part i of PARTS equal ones; on average over its seconds.

    A person is a viewer once in each of the `lectures`. Empty where there is none.
    """

    lectures: int = 0
    viewers: int = 0
    shares: tuple[float, ...] = ()


def common_curve_of(webinars: Sequence[Webinar]) -> CommonCurve:
    """Two queries, and one for each lecture (three where it has no recording).

    Left out are lectures without a picture here, those that nobody saw, and those that have no end yet.
    """
    viewers = _viewers([one.pk for one in webinars])
    seen = [one for one in webinars if viewers.get(one.pk)]
    axes = axes_of(seen)
    counted = [one for one in seen if _has_end(one, axes[one.pk])]
    total = sum(viewers[one.pk] for one in counted)
    sums = [0.0] * PARTS
    for one in counted:
        axis = axes[one.pk]
        found = retention_of(axis, webinar_id=one.pk, programme_id=one.lesson.course.programme_id)
        for part, mean in enumerate(found.everybody.means(length=axis.length, parts=PARTS)):
            sums[part] += mean
    return CommonCurve(len(counted), total, tuple(one / total for one in sums) if total else ())


def _has_end(webinar: Webinar, axis: Axis) -> bool:
    return axis.length > 0 and (axis.is_recording or webinar.ended_at is not None)


def _viewers(webinars: Collection[int]) -> dict[int, int]:
    """By webinar, of those that have any: who has a place in its programme and saw a second of it."""
    with connections[reading()].cursor() as cursor:
        cursor.execute(_VIEWERS, {"webinars": list(webinars)})
        return dict(cursor.fetchall())
